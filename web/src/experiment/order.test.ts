import { expect, test } from "vitest";
import type { Job } from "../contract";
import { JOB } from "../fixtures";
import { nextOrder, ordered } from "./order";

const job = (id: number, some: Partial<Job>): Job => ({ ...JOB, id, ...some });
const ids = (jobs: Job[]) => jobs.map((one) => one.id);

test("jobs without a value come last in both directions", () => {
  const jobs = [job(1, { test_error: null }), job(2, { test_error: 3 }), job(3, { test_error: 1 })];
  expect(ids(ordered(jobs, "error"))).toEqual([3, 2, 1]);
  expect(ids(ordered(jobs, "-error"))).toEqual([2, 3, 1]);
  for (const nonsense of [null, "", "nonsense", "er-ror", "__proto__", "constructor"]) expect(ordered(jobs, nonsense)).toBe(jobs);
});

test("clicks on a column sort ascending, descending and not at all", () => {
  expect([null, "seed", "-seed", "arm"].map((by) => nextOrder(by, "seed"))).toEqual(["seed", "-seed", null, "seed"]);
});
