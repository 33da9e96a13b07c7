import { expect, test } from "vitest";
import type { Counts, Job, Worker } from "./contract";
import { summary, tally, waitingFor } from "./progress";

const counts = (some: Partial<Counts>): Counts => ({ queued: 0, running: 0, paused: 0, succeeded: 0, failed: 0, cancelled: 0, ...some });
const worker = (some: Partial<Worker>): Worker => ({
  id: 1, name: "w", state: "active", slots: 1, jobs: [], trouble: null, started_at: "", last_seen_at: "",
  devices: [{ device: "cpu", name: null, slots: 1, memory_bytes: null, memory_used_bytes: null }], ...some,
});

test("one line describes the progress of an experiment", () => {
  expect(summary(counts({ running: 3, succeeded: 7, queued: 4, failed: 1 }), 720)).toEqual([
    "running", "7 of 15 done", "1 failed", "about 12 min 00 s left",
  ]);
  expect(summary(counts({ succeeded: 15 }), null)).toEqual(["done", "15 jobs"]);
  expect(summary(counts({ succeeded: 5, failed: 1 }), null)).toEqual(["1 failed", "5 of 6 done"]);
});

test("jobs are counted by state", () => {
  const jobs = ["queued", "paused", "queued"].map((state) => ({ state }) as Job);
  expect(tally(jobs)).toEqual(counts({ queued: 2, paused: 1 }));
});

test("a blocked queue is explained", () => {
  expect(waitingFor([worker({ state: "gone" })], "any")).toContain("no worker is active");
  expect(waitingFor([worker({})], "cuda")).toBe("no active worker offers a cuda device");
  expect(waitingFor([worker({ jobs: [1] })], "cpu")).toContain("busy");
  expect(waitingFor([worker({})], "any")).toBeNull();
});
