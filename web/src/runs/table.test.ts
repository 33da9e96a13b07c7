import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { groupRuns, listRuns, Problem } from "../api";
import type { ListedJob, ListListedJob } from "../contract";
import { viewOf } from "./address";
import { RunsTable } from "./table.svelte";

vi.mock("../api", async (original) => ({ ...(await original<typeof import("../api")>()), groupRuns: vi.fn(), listRuns: vi.fn() }));
const events = vi.hoisted(() => ({ job: () => {} }));
vi.mock("../live.svelte", () => ({
  listen(_: unknown, listener: { job: () => void }) {
    events.job = listener.job;
    return () => {};
  },
}));

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const view = (where: string, group: string[] = []) => ({ ...viewOf({ get: () => null, list: () => [] }), where, group });
const page = (ids: number[], next_cursor: string | null = null): ListListedJob => ({ items: ids.map((id) => ({ id, fields: {} }) as ListedJob), next_cursor });
const ids = (table: RunsTable) => table.rows.map(({ id }) => id);

test("an answer to an earlier view is ignored", async () => {
  const table = new RunsTable();
  let answer: (page: ListListedJob) => void = () => {};
  vi.mocked(listRuns).mockImplementationOnce((_, signal) => new Promise((resolve, reject) => {
    answer = resolve;
    signal?.addEventListener("abort", () => reject(signal.reason));
  }));
  vi.mocked(listRuns).mockResolvedValueOnce(page([2]));
  table.show(view("seed = 1"));
  table.show(view("seed = 2"));
  await vi.runAllTimersAsync();
  answer(page([1]));
  await vi.runAllTimersAsync();
  expect([ids(table), table.shown?.where]).toEqual([[2], "seed = 2"]);
});

test("an event fetches as many jobs as are loaded", async () => {
  const table = new RunsTable();
  const stop = table.start();
  const upTo = (length: number) => Array.from({ length }, (_, index) => index);
  vi.mocked(listRuns).mockResolvedValueOnce(page(upTo(100), "a")).mockResolvedValueOnce(page([99, 100], "b"));
  table.show(view(""));
  await vi.advanceTimersByTimeAsync(0);
  await table.loadMore();
  expect([ids(table), table.more]).toEqual([upTo(101), "b"]);
  vi.mocked(listRuns).mockResolvedValueOnce(page(upTo(90)));
  events.job();
  await vi.advanceTimersByTimeAsync(5000);
  expect(vi.mocked(listRuns).mock.lastCall?.[0].limit).toBe(101);
  expect([ids(table), table.more]).toEqual([upTo(90), null]);
  stop();
});

test("a rejected condition keeps the rows and shows the mistake, until another one is accepted", async () => {
  const table = new RunsTable();
  vi.mocked(listRuns).mockResolvedValueOnce(page([1]));
  table.show(view(""));
  await vi.runAllTimersAsync();
  vi.mocked(listRuns).mockRejectedValueOnce(new Problem(422, "A parameter has an invalid value", "`where` at character 1: no"));
  table.show(view("x"));
  await vi.runAllTimersAsync();
  expect([ids(table), table.mistake]).toEqual([[1], "`where` at character 1: no"]);
  vi.mocked(groupRuns).mockResolvedValueOnce({ groups: [], truncated: false });
  table.show(view("", ["arm"]));
  await vi.runAllTimersAsync();
  expect([ids(table), table.mistake, table.groups?.groups]).toEqual([[], null, []]);
});
