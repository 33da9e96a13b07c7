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

/** The experiments of the server, newest first. */
let stored: ExperimentSummary[];

beforeEach(() => {
  vi.useFakeTimers();
  vi.mocked(listExperiments).mockImplementation(async (limit, cursor) => {
    const older = stored.filter((item) => !cursor || item.id < Number(cursor));
    return { items: older.slice(0, limit), next_cursor: older.length > limit ? String(older[limit - 1]!.id) : null };
  });
});
afterEach(() => void vi.useRealTimers());

const store = (newest: number, oldest: number, name: string) => {
  stored = Array.from({ length: newest - oldest + 1 }, (_, index) => ({ id: newest - index, name }) as ExperimentSummary);
};
const range = (listing: Listing) => [listing.items[0]!.id, listing.items.at(-1)!.id, listing.items.length];

async function changed() {
  listener.experiment!(0);
  await vi.advanceTimersByTimeAsync(3000);
}

async function started() {
  const listing = new Listing();
  const stop = listing.start();
  await vi.advanceTimersByTimeAsync(0);
  return { listing, stop };
}

test("every loaded experiment is refreshed, and new ones come first", async () => {
  store(120, 1, "before");
  const { listing, stop } = await started();
  expect(range(listing)).toEqual([120, 71, 50]);
  await listing.loadMore();
  expect(range(listing)).toEqual([120, 21, 100]);
  store(121, 1, "after");
  await changed();
  expect(range(listing)).toEqual([121, 21, 101]);
  // The oldest one was moved beyond the hundred that were fetched, and is in the next fetch.
  await changed();
  expect(new Set(listing.items.map((item) => item.name))).toEqual(new Set(["after"]));
  stop();
});

test("a deleted experiment leaves the list", async () => {
  store(120, 1, "kept");
  const { listing, stop } = await started();
  const gone = (...ids: number[]) => (stored = stored.filter((item) => !ids.includes(item.id)));
  gone(100, 71);
  await changed();
  expect(listing.items.map((item) => item.id).filter((id) => id === 100 || id === 71)).toEqual([]);
  gone(...stored.map((item) => item.id).filter((id) => id !== 7));
  await changed();
  expect(listing.items.map((item) => item.id)).toEqual([7]);
  gone(7);
  await changed();
  expect([listing.items, listing.loaded, listing.more]).toEqual([[], true, null]);
  stop();
});

test("after a gap the list is loaded anew", async () => {
  store(60, 1, "before");
  const { listing, stop } = await started();
  store(200, 1, "after");
  await changed();
  expect(range(listing)).toEqual([200, 151, 50]);
  await listing.loadMore();
  expect(range(listing)).toEqual([200, 101, 100]);
  stop();
});
