import { expect, test } from "vitest";

import type { Comparison, MissingCell } from "../contract";
import { lostPairs } from "./missing";

const cell = (seed: number, state: MissingCell["state"], end_reason: MissingCell["end_reason"]): MissingCell => ({
  arm: "opt", seed, job_id: seed, state, end_reason, error: null,
});

const of = (...missing: MissingCell[]) => lostPairs({ missing } as unknown as Comparison);

test("only ended jobs without a figure are named", () => {
  expect(of(cell(0, "queued", null), cell(1, "running", null))).toBe("");
  expect(of(cell(0, "queued", null), cell(3, "failed", "runner_crashed"), cell(4, "cancelled", "cancelled"))).toBe(
    "Missing, with their pairs: opt seed 3 (runner crashed); opt seed 4 (cancelled).",
  );
  expect(of(cell(0, "failed", "diverged"), cell(1, "failed", "diverged"))).toBe("Missing, with their pairs: opt seeds 0, 1 (diverged).");
});
