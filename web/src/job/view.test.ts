import { beforeEach, expect, test, vi } from "vitest";
import * as api from "../api";
import type { Experiment, Job, JobState } from "../contract";
import { notice } from "../notice.svelte";
import { JobView } from "./view.svelte";

vi.mock("../live.svelte", () => ({ listen: () => () => {} }));
vi.mock("../api", async (original) => {
  const names = ["getArtifact", "getExperiment", "getJob", "getLog", "getMetrics", "listArtifacts", "listAttempts"];
  return { ...(await original<typeof api>()), ...Object.fromEntries(names.map((name) => [name, vi.fn()])) };
});

const job = (state: JobState) => ({ id: 1, experiment_id: 2, state }) as Job;
const nothing = { items: [], next_cursor: null };
const soon = () => vi.advanceTimersByTimeAsync(10);

beforeEach(() => {
  vi.useFakeTimers();
  notice.text = "";
  vi.mocked(api.getJob).mockReset().mockResolvedValue(job("running"));
  vi.mocked(api.getExperiment).mockResolvedValue({ id: 2 } as Experiment);
  vi.mocked(api.getMetrics).mockResolvedValue({ job_id: 1, series: [] });
  vi.mocked(api.listAttempts).mockResolvedValue(nothing);
  vi.mocked(api.listArtifacts).mockReset().mockResolvedValue(nothing);
  return () => void vi.useRealTimers();
});

test("an event is newer than a pending answer", async () => {
  let answer = (_: Job) => {};
  vi.mocked(api.getJob).mockReturnValue(new Promise((resolve) => (answer = resolve)));
  const view = new JobView(1);
  const stop = view.start();
  await soon();
  view.take(job("succeeded"));
  answer(job("running"));
  await soon();
  expect(view.job?.state).toBe("succeeded");
  stop();
});

test("an action is followed by a fetch, because an event may have been faster", async () => {
  const view = new JobView(1);
  const stop = view.start();
  await soon();
  vi.mocked(api.getJob).mockResolvedValue(job("cancelled"));
  view.takeAnswer(job("running"));
  await vi.advanceTimersByTimeAsync(1500);
  expect(view.job?.state).toBe("cancelled");
  stop();
});

test("a permanent error of one part does not stop the retries of another", async () => {
  vi.mocked(api.getJob).mockRejectedValueOnce(new api.Problem(503, "busy", ""));
  vi.mocked(api.listArtifacts).mockRejectedValueOnce(new api.Problem(500, "broken", ""));
  const view = new JobView(1);
  const stop = view.start();
  await soon();
  expect([view.problem?.status, view.files_loaded, notice.text]).toEqual([503, false, "broken"]);
  await vi.advanceTimersByTimeAsync(5000);
  expect([view.problem, view.job?.state, view.files_loaded]).toEqual([null, "running", true]);
  stop();
});

test("an unreadable spec does not affect the other parts", async () => {
  const spec = { name: "spec.json", kind: "spec", attempt: 1, step: 0, bytes: 2, sha256: "" } as const;
  vi.mocked(api.listArtifacts).mockResolvedValue({ items: [spec], next_cursor: null });
  vi.mocked(api.getArtifact).mockRejectedValue(new api.Problem(404, "no such file", ""));
  const view = new JobView(1);
  const stop = view.start();
  await soon();
  expect([view.files_loaded, view.artifacts.length, view.problem]).toEqual([true, 1, null]);
  stop();
});
