import { expect, test } from "vitest";
import type { Counts, Job } from "./contract";
import { summary, tally, waiting } from "./progress";

const counts = (some: Partial<Counts>): Counts => ({ queued: 0, running: 0, paused: 0, succeeded: 0, failed: 0, cancelled: 0, ...some });

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

test("a blocked queue is explained by its first job", () => {
  const job = (id: number, state: Job["state"], why_queued: string | null = null) => ({ id, state, why_queued }) as Job;
  const queued = [job(1, "failed"), job(2, "queued", "it is next"), job(3, "queued", "1 job is ahead")];
  expect(waiting(queued)).toBe("job #2 waits: it is next");
  expect(waiting([{ ...job(1, "queued", "it waits at step 20"), waits_at: 20 }, ...queued])).toBe("job #2 waits: it is next");
  expect(waiting([...queued, job(4, "running")])).toBeNull();
  expect(waiting([job(1, "paused")])).toBeNull();
});
