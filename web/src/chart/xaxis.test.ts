import { expect, test } from "vitest";
import type { Comparison, Job, TrainSpec } from "../contract";
import { JOB } from "../fixtures";
import { secondsPerStep, stepsPerEpoch, xAxis } from "./xaxis";

const job = (some: Partial<Job>): Job => ({ ...JOB, ...some });

test("an epoch is a fraction of the run, or of the training set for runs in steps", () => {
  const of = (...trains: Partial<TrainSpec>[]) => stepsPerEpoch({ spec: { arms: trains.map((train) => ({ train })) } } as Parameters<typeof stepsPerEpoch>[0], [{ steps: 900 }]);
  expect(of({ epochs: 20 })).toBe(45);
  expect(of({ steps: 900, batch_size: 32, data: { name: "digits" } as TrainSpec["data"] })).toBe(45);
  expect(of({ steps: 9, batch_size: 32, data: { name: "own" } as TrainSpec["data"] })).toBeNull();
  expect([of({ epochs: 20, batch_size: 8 }, { epochs: 20, batch_size: 8 }), of({ epochs: 20, batch_size: 8 }, { epochs: 20, batch_size: 9 })]).toEqual([45, null]);
});

test("seconds come from finished runs, or else from the present rate", () => {
  const arm = (name: string, seconds: number | null) => ({ arm: name, seconds });
  const comparison = { arms: [arm("a", 50), arm("b", null)] } as Comparison;
  const jobs = [job({}), job({ arm: "b", state: "running", step: 40, eta_seconds: 30 }), job({ arm: "c", state: "queued" })];
  const paces = secondsPerStep(comparison, jobs);
  expect([paces.get("a"), paces.get("b"), paces.get("c")]).toEqual([0.5, 0.5, undefined]);
  expect(xAxis("seconds", null, paces).perStep("a")).toBe(0.5);
});

test("an unknown axis falls back to steps", () => {
  expect(xAxis("epoch", null, new Map()).kind).toBe("step");
  expect(xAxis("seconds", 5, new Map()).kind).toBe("step");
  expect(xAxis("epoch", 5, new Map()).perStep("a")).toBeCloseTo(0.2);
});
