import { expect, test } from "vitest";
import type { Comparison, Job, TrainSpec } from "../contract";
import { JOB } from "../fixtures";
import { secondsPerStep, stepsPerEpoch, xAxis } from "./xaxis";

const job = (some: Partial<Job>): Job => ({ ...JOB, ...some });

test("an epoch is a fraction of the run, or of the training set for runs in steps", () => {
  const of = (...arms: [train: Partial<TrainSpec>, steps: number][]) =>
    stepsPerEpoch(
      arms.map(([train], index) => ({ name: `${index}`, train: train as TrainSpec })),
      arms.map(([, steps], index) => ({ arm: `${index}`, steps })),
    );
  const digits = { name: "digits" } as TrainSpec["data"];
  expect(of([{ epochs: 20 }, 900])).toBe(45);
  expect(of([{ steps: 900, batch_size: 32, data: digits }, 900])).toBe(45);
  const few = { name: "digits", validation: 0.5, train_samples: 144 } as TrainSpec["data"];
  expect(of([{ steps: 900, batch_size: 16, data: few }, 900])).toBe(9);
  expect(of([{ steps: 9, batch_size: 32, data: { name: "own" } as TrainSpec["data"] }, 9])).toBeNull();
  expect(of([{ epochs: 20 }, 900], [{ epochs: 40 }, 1800], [{ steps: 90, batch_size: 32, data: digits }, 90])).toBe(45);
  expect(of([{ epochs: 20 }, 900], [{ epochs: 20 }, 800])).toBeNull();
  expect(stepsPerEpoch([], [])).toBeNull();
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
