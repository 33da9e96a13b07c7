import { expect, test } from "vitest";
import type { Pilot, Pool } from "../contract";
import { waiting } from "./pools";

const pilot = (state: Pilot["state"], reason: string | null): Pilot => ({ engine_job: "17", state, reason, node: null });
const pool = (pilots: Pilot[]): Pool => ({
  name: "gpu", engine: "slurm", device: "cuda", max_workers: 3, pilots, failures: 0, paused_until: null, trouble: null, unattended: false, last_seen_at: "",
});

test("pilots that wait are counted with the reasons of their engine", () => {
  expect(waiting(pool([pilot("running", null)]))).toBe("");
  expect(waiting(pool([pilot("pending", null)]))).toBe("1 waiting");
  const pilots = [pilot("pending", "Priority"), pilot("pending", "Resources"), pilot("pending", "Priority"), pilot("running", null)];
  expect(waiting(pool(pilots))).toBe("3 waiting (Priority, Resources)");
});
