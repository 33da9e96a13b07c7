import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { getComparison, getExperiment, getTuning, listJobs, type Question } from "../api";
import type { Comparison, Experiment, Job, ListedJob, Tuning } from "../contract";
import { ExperimentView } from "./view.svelte";

vi.mock("../api", async (original) => ({ ...(await original<typeof import("../api")>()), getComparison: vi.fn(), getExperiment: vi.fn(), getTuning: vi.fn(), listJobs: vi.fn() }));
vi.mock("../live.svelte", () => ({ listen: () => () => {} }));

afterEach(() => void vi.useRealTimers());
beforeEach(() => void vi.mocked(getExperiment).mockImplementation(() => new Promise(() => {})));

const asked = (metric: string): Question => ({ metric, baseline: null, last: null });

test("answers belong to their request, even out of order", async () => {
  const answers: ((metric: string) => void)[] = [];
  vi.mocked(getComparison).mockImplementation(() => new Promise((resolve) => answers.push((metric) => resolve({ metric } as Comparison))));
  const settled = () => new Promise((resolve) => setTimeout(resolve));
  const view = new ExperimentView([1]);

  view.compare(asked("energy"));
  view.compare(asked("seconds"));
  answers[1]!("seconds");
  await settled();
  answers[0]!("energy");
  await settled();
  expect(view.answerTo(asked("seconds"))?.comparison?.metric).toBe("seconds");
  expect(view.answerTo(asked("energy"))).toBeNull();

  view.compare(asked("energy"));
  expect(view.answerTo(asked("energy"))).toBeNull();
});

test("all jobs are requested first, and again after a refresh in between", async () => {
  vi.useFakeTimers();
  vi.stubGlobal("fetch", () => new Promise(() => {}));
  const cursors: (string | null | undefined)[] = [];
  vi.mocked(listJobs).mockImplementation(async (_, __, cursor) => {
    cursors.push(cursor);
    const id = cursor ? 2 : 1;
    if (cursors.length === 1) view.refresh();
    return { items: [{ id, state: "queued" } as ListedJob], next_cursor: cursor ? null : "after 1" };
  });
  const view = new ExperimentView([1]);
  const stop = view.start();
  await vi.advanceTimersByTimeAsync(10_000);
  expect(cursors).toEqual([null, "after 1", null, "after 1"]);
  view.takeJob({ id: 2, experiment_id: 1, state: "running" } as Job);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(cursors.slice(4)).toEqual([null]);
  expect(view.jobs.map((job) => job.id)).toEqual([1, 2]);
  stop();
});

test("of several experiments, jobs of each are loaded and their arms named after it", async () => {
  vi.useFakeTimers();
  vi.stubGlobal("fetch", () => new Promise(() => {}));
  vi.mocked(listJobs).mockImplementation(async (experiment_id) => ({ items: [{ id: 10 * experiment_id, experiment_id, arm: "opt", state: "queued" } as ListedJob], next_cursor: null }));
  const view = new ExperimentView([4, 1]);
  const stop = view.start();
  await vi.advanceTimersByTimeAsync(10_000);
  view.takeJob({ id: 40, experiment_id: 4, arm: "opt", state: "running" } as Job);
  view.takeJob({ id: 90, experiment_id: 9, arm: "opt", state: "running" } as Job);
  expect(view.jobs.map(({ arm, state }) => [arm, state])).toEqual([["1/opt", "queued"], ["4/opt", "running"]]);
  expect(vi.mocked(getComparison).mock.lastCall?.[0]).toEqual([4, 1]);
  stop();
});

test("the tuning is fetched with each answer about a tuned experiment, until every choice is made", async () => {
  vi.useFakeTimers();
  vi.stubGlobal("fetch", () => new Promise(() => {}));
  let tuning: { arms: number } | null = null;
  let frozen = [null] as (string | null)[];
  vi.mocked(getExperiment).mockImplementation(async (id) => ({ id, arms: [], seeds: [], series: [], spec: {}, tuning }) as unknown as Experiment);
  vi.mocked(getTuning).mockImplementation(async () => ({ arms: frozen.map((frozen_at) => ({ frozen_at })) }) as Tuning);
  vi.mocked(listJobs).mockResolvedValue({ items: [], next_cursor: null });
  vi.mocked(getComparison).mockResolvedValue({} as Comparison);
  const view = new ExperimentView([1]);
  const stop = view.start();
  const requests = async () => {
    vi.mocked(getTuning).mockClear();
    view.takeJob({ id: 1, experiment_id: 1, state: "running" } as Job);
    await vi.advanceTimersByTimeAsync(10_000);
    return vi.mocked(getTuning).mock.calls.length;
  };
  expect(await requests()).toBe(0);
  tuning = { arms: 1 };
  expect(await requests()).toBe(1);
  frozen = ["now"];
  expect(await requests()).toBe(1);
  expect(await requests()).toBe(0);
  // An arm that is added has a choice of its own.
  tuning = { arms: 2 };
  expect(await requests()).toBe(1);
  stop();
});
