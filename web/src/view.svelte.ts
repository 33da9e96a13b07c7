// All that the page of one experiment knows, and when it asks again.

import { getComparison, getCurves, getExperiment, listJobs, listWorkers, Problem } from "./api";
import { coalesce } from "./coalesce";
import type { Comparison, Counts, Curves, Experiment, Job, Worker } from "./contract";
import { listen } from "./live.svelte";
import { tally, total } from "./progress";

const CURVE_POINTS = 400;
const JOBS_PAGE = 200;
const CURVES_MS = 1000;
const NUMBERS_MS = 1500;
const AGAIN_MS = 3000;

export class ExperimentView {
  experiment = $state.raw<Experiment | null>(null);
  comparison = $state.raw<Comparison | null>(null);
  curves = $state.raw<Record<string, Curves>>({});
  jobs = $state.raw<Job[]>([]);
  jobs_loaded = $state(false);
  more_jobs = $state<string | null>(null);
  workers = $state.raw<Worker[] | null>(null);
  problem = $state<Problem | null>(null);
  /** Where every job is held here the counts are theirs, so that a number never lags behind the rows. */
  counts = $derived.by<Counts | null>(() => {
    const counts = this.experiment?.counts ?? null;
    return counts && this.jobs.length === total(counts) ? tally(this.jobs) : counts;
  });

  #shown: string[] = [];
  #gone = new AbortController();
  #again: ReturnType<typeof setTimeout> | undefined;
  #silence = () => {};
  #numbers = coalesce(() => this.#tellProblem(() => this.#fetchNumbers()), NUMBERS_MS);
  #curves = coalesce(() => this.#guard(() => this.#fetchCurves()), CURVES_MS);
  #jobs = coalesce(() => this.#guard(() => this.#fetchJobs()), NUMBERS_MS);

  constructor(readonly id: number) {}

  start(): () => void {
    this.refresh();
    this.#silence = listen(this.id, {
      job: (job) => this.takeJob(job),
      metrics: (hint) => {
        if (hint.series?.some((name) => this.#shown.includes(name)) ?? true) this.#curves.ask();
      },
      experiment: () => this.#numbers.ask(),
      reset: () => this.refresh(),
    });
    return () => {
      this.#silence();
      this.#gone.abort();
      clearTimeout(this.#again);
      for (const task of [this.#numbers, this.#curves, this.#jobs]) task.stop();
    };
  }

  refresh() {
    for (const task of [this.#numbers, this.#curves, this.#jobs]) task.ask();
  }

  /** Names the series on the screen; only these are fetched. */
  show(series: string[]) {
    this.#shown = series;
    this.#curves.ask();
  }

  /** A job as the server now has it, from an event or an action. */
  takeJob(job: Job) {
    if (job.experiment_id !== this.id) return;
    const before = this.jobs.find((known) => known.id === job.id);
    this.jobs = before ? this.jobs.map((known) => (known.id === job.id ? job : known)) : [...this.jobs, job];
    this.#numbers.ask();
    if (before && before.state !== job.state) this.#curves.ask();
  }

  async loadMoreJobs() {
    await this.#guard(async () => {
      const page = await listJobs(this.id, JOBS_PAGE, this.more_jobs, this.#gone.signal);
      const known = new Set(this.jobs.map((job) => job.id));
      this.jobs = [...this.jobs, ...page.items.filter((job) => !known.has(job.id))];
      this.more_jobs = page.next_cursor;
    });
  }

  async #fetchNumbers() {
    const signal = this.#gone.signal;
    const [experiment] = await Promise.all([
      getExperiment(this.id, signal).then((answer) => (this.experiment = answer)),
      getComparison(this.id, signal).then((answer) => (this.comparison = answer)),
    ]);
    const waits = experiment.counts.queued > 0 && experiment.counts.running === 0;
    this.workers = waits ? (await listWorkers(signal)).items : null;
  }

  async #fetchCurves() {
    await Promise.all(
      this.#shown.map(async (series) => {
        const answer = await getCurves(this.id, series, CURVE_POINTS, this.#gone.signal).catch(emptyIfUnknown(series));
        this.curves = { ...this.curves, [series]: answer };
      }),
    );
  }

  async #fetchJobs() {
    const page = await listJobs(this.id, JOBS_PAGE, null, this.#gone.signal);
    const fresh = new Set(page.items.map((job) => job.id));
    this.jobs = [...page.items, ...this.jobs.filter((job) => !fresh.has(job.id))];
    if (!this.jobs_loaded) this.more_jobs = page.next_cursor;
    this.jobs_loaded = true;
  }

  /** Whether the page can be shown at all is for the experiment itself to say. */
  async #tellProblem(task: () => Promise<void>) {
    this.problem = await this.#guard(task);
    if (this.problem?.status === 404) this.#silence();
  }

  /** Runs a fetch; where asking again can help, everything is asked for again a little later. */
  async #guard(task: () => Promise<void>): Promise<Problem | null> {
    try {
      await task();
      return null;
    } catch (error) {
      if (this.#gone.signal.aborted) return null;
      if (!(error instanceof Problem)) throw error;
      clearTimeout(this.#again);
      if (error.passing) this.#again = setTimeout(() => this.refresh(), AGAIN_MS);
      return error;
    }
  }
}

/** A series that the experiment does not have, as an old address may name one, is a chart without lines. */
function emptyIfUnknown(series: string) {
  return (error: unknown): Curves => {
    if (error instanceof Problem && (error.status === 404 || error.status === 422)) return { series, unit: "", higher_is_better: null, arms: [] };
    throw error;
  };
}
