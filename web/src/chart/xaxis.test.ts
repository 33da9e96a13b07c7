import { expect, test } from "vitest";
import type { Comparison, Experiment, Job } from "../contract";
import { JOB } from "../fixtures";
import { secondsPerStep, stepsPerEpoch, xAxis } from "./xaxis";

const job = (some: Partial<Job>): Job => ({ ...JOB, ...some });
const of = (spec: object) => ({ spec }) as Pick<Experiment, "spec">;

test("an epoch is a fraction of the run, or of the training set for runs in steps", () => {
  expect(stepsPerEpoch(of({ train: { epochs: 20 } }), [{ steps: 900 }])).toBe(45);
  expect(stepsPerEpoch(of({ train: { steps: 900, batch_size: 32, data: { name: "digits" } } }), [{ steps: 900 }])).toBe(45);
  expect(stepsPerEpoch(of({ train: { steps: 9, batch_size: 32, data: { name: "own" } } }), [])).toBeNull();
  expect(stepsPerEpoch(of({ train: { epochs: 20 }, arms: [{ train: { batch_size: 8 } }] }), [{ steps: 900 }])).toBeNull();
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
