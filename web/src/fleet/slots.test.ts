import { expect, test } from "vitest";
import type { Job, Worker } from "../contract";
import { occupancy, placesOf } from "./slots";

const device = (name: string, slots: number) => ({ device: name, name: null, slots, memory_bytes: null, memory_used_bytes: null });
const worker = (some: Partial<Worker>): Worker => ({
  id: 1, name: "w", state: "active", devices: [device("cuda:0", 2), device("cuda:1", 2)], slots: 4, jobs: [], trouble: null, engine: null, engine_job: null, node: null, pool: null, until: null, preempted: null, started_at: "", last_seen_at: "", ...some,
});
const job = (id: number, on: string) => ({ id, device: on }) as Job;

test("jobs are listed with their device", () => {
  const known = new Map([job(5, "cuda:1"), job(6, "cuda:0"), job(7, "cuda:1")].map((one) => [one.id, one]));
  const { places, unknown } = placesOf(worker({ jobs: [5, 6, 7, 8] }), known);
  expect(places.map((place) => place.jobs.map((one) => one.id))).toEqual([[6], [5, 7]]);
  expect(unknown).toEqual([8]);
});

test("only slots of active workers count", () => {
  const workers = [worker({ jobs: [1] }), worker({ state: "draining", jobs: [2] }), worker({ state: "gone" })];
  expect(occupancy(workers)).toEqual({ busy: 1, slots: 4 });
});
