import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { listExperiments } from "../api";
import type { ExperimentSummary } from "../contract";
import { Listing } from "./listing.svelte";
import type { Listener } from "../live.svelte";

let listener: Listener;
vi.mock("../api", () => ({ listExperiments: vi.fn(), Problem: class extends Error {} }));
vi.mock("../live.svelte", () => ({
  listen: (_: unknown, given: Listener) => {
    listener = given;
    return () => {};
  },
}));

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const ids = (listing: Listing) => listing.items.map((item) => item.id);

async function answer(ids: number[], next_cursor: string | null) {
  vi.mocked(listExperiments).mockResolvedValueOnce({ items: ids.map((id) => ({ id }) as ExperimentSummary), next_cursor });
  listener.experiment!(0);
  await vi.advanceTimersByTimeAsync(3000);
}

test("new experiments are put before the known ones; after a gap the list is reloaded", async () => {
  vi.mocked(listExperiments).mockResolvedValueOnce({ items: [], next_cursor: null });
  const listing = new Listing();
  const stop = listing.start();
  await vi.advanceTimersByTimeAsync(0);
  await answer([3, 2], "older than 2");
  await answer([4, 3], "older than 3");
  expect([ids(listing), listing.more]).toEqual([[4, 3, 2], "older than 2"]);
  await answer([9, 8], "older than 8");
  expect([ids(listing), listing.more]).toEqual([[9, 8], "older than 8"]);
  stop();
});
