import { expect, test } from "vitest";
import type { DryRun } from "../contract";
import { extent, time } from "./estimate";

const UNKNOWN: DryRun["estimate"] = { seconds: null, jobs_measured: 0 };
const run = (estimate: DryRun["estimate"], slots = 1) => ({
  jobs: ["a", "b"].flatMap((arm) => [0, 1, 2].map((seed) => ({ arm, phase: "confirm" as const, trial: null, seed, steps: 100 }))),
  estimate,
  slots,
});

test("the size of a submission is given in arms, seeds and steps", () => {
  expect(extent(run(UNKNOWN))).toBe("2 arms × 3 seeds: 6 jobs of 100 steps");
  const confirming = { arm: "a", trial: null, seed: 0, steps: 1 };
  expect(extent({ jobs: [confirming] })).toBe("1 arm × 1 seed: 1 job of 1 step");
  const trials = [0, 1, 2].map((trial) => ({ arm: "a", trial, seed: 1000, steps: 1 }));
  expect(extent({ jobs: [...trials, confirming] })).toBe("1 arm × (3 trials × 1 seed + 1 seed): 4 jobs of 1 step");
});

test("its time is estimated for one slot and for all suitable slots", () => {
  const known = { seconds: 6000, jobs_measured: 4 };
  expect(time(run(known, 2))).toBe("about 1 h 40 min on one slot, 50 min 00 s on 2 available slots");
  expect(time(run(known, 0))).toBe("about 1 h 40 min on one slot");
  expect(time(run(UNKNOWN))).toContain("no estimate");
});
