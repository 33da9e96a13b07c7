// The data of an experiment's page, and when it is fetched. `curve_store.svelte.ts` keeps the curves.

import { getComparison, getExperiment, listJobs, listWarnings, Problem, type Question } from "../api";
import { coalesce } from "../coalesce";
import type { Comparison, Counts, Experiment, Job, ListJob, Warning } from "../contract";
import { CurveStore } from "./curve_store.svelte";
import { afterEvent } from "../jobEvent";
import { listen } from "../live.svelte";
import { newest } from "../newest";
import { tell } from "../notice.svelte";
import { tally, total } from "../progress";

const FIRST_JOBS = 200;
const MORE_JOBS = 1000;
const NUMBERS_MS = 1500;
const WARNINGS_MS = 10_000;
const AGAIN_MS = 3000;

const DEFAULT_QUESTION: Question = { metric: null, baseline: null, last: null };

/** The result of a request: a comparison, or the reason why there is none. */
interface Answer {
  question: Question;
  comparison: Comparison | null;
  refusal: string | null;
}

export class ExperimentView {
  experiment = $state.raw<Experiment | null>(null);
  comparison = $state.raw<Comparison | null>(null);
  warnings = $state.raw<Warning[]>([]);
  jobs = $state.raw<Job[]>([]);
  jobs_loaded = $state(false);
  /** The jobs that charts and comparisons show. Trials of tuned arms are only in the list of jobs. */
  readonly confirming = $derived(this.jobs.filter((job) => job.phase === "confirm"));
  problem = $state<Problem | null>(null);
  /** If all jobs are loaded, the counts are computed from them, so that they never lag behind the rows. */
  counts = $derived.by<Counts | null>(() => {
    const counts = this.experiment?.counts ?? null;
    return counts && this.jobs.length === total(counts) ? tally(this.jobs) : counts;
  });
  readonly curves: CurveStore;

  #holds_all_jobs = false;
  #question: Question | null = null;
  #answer = $state.raw<Answer | null>(null);
  #askQuestion = newest();
  #gone = new AbortController();
  #again: ReturnType<typeof setTimeout> | undefined;
  #silence = () => {};
  #numbers = coalesce(() => this.#tellProblem(() => this.#fetchNumbers()), NUMBERS_MS);
  #jobs = coalesce(() => this.#guard(() => this.#fetchJobs()), NUMBERS_MS);
  #warnings = coalesce(() => this.#guard(() => this.#fetchWarnings()), WARNINGS_MS);

  constructor(readonly id: number) {
    this.curves = new CurveStore(id, (problem) => this.#askLater(problem));
  }

  start(): () => void {
    this.refresh();
    this.#silence = listen(this.id, {
      job: (job) => this.takeJob(job),
      metrics: () => {
        this.curves.ask();
        this.#warnings.ask();
      },
      experiment: () => this.#numbers.ask(),
      reset: () => this.refresh(),
    });
    return () => {
      this.#silence();
      this.#gone.abort();
      clearTimeout(this.#again);
      for (const task of this.#tasks) task.stop();
    };
  }

  refresh() {
    this.#holds_all_jobs = false;
    for (const task of this.#tasks) task.ask();
  }

  get #tasks() {
    return [this.#numbers, this.#jobs, this.#warnings, this.curves];
  }

  /** Updates a job from an event or an action. */
  takeJob(job: Job) {
    if (job.experiment_id !== this.id) return;
    const before = this.jobs.find((known) => known.id === job.id);
    this.jobs = before ? this.jobs.map((known) => (known.id === job.id ? afterEvent(known, job) : known)) : [...this.jobs, job];
    this.#numbers.ask();
    if (before?.state === job.state) return;
    this.curves.ask();
    this.#jobs.ask();
  }

  /** Requests a comparison by another metric or baseline; null for none. */
  compare(question: Question | null) {
    this.#question = question;
    if (question) void this.#guard(() => this.#fetchAnswer());
  }

  /** Null while this request is pending. */
  answerTo({ metric, baseline, last }: Question): Answer | null {
    const asked = this.#answer?.question;
    return asked && asked.metric === metric && asked.baseline === baseline && asked.last === last ? this.#answer : null;
  }

  async #fetchNumbers() {
    const signal = this.#gone.signal;
    await Promise.all([
      getExperiment(this.id, signal).then((answer) => (this.experiment = answer)),
      getComparison(this.id, DEFAULT_QUESTION, signal).then((answer) => (this.comparison = answer)),
      this.#fetchAnswer(),
    ]);
  }

  async #fetchAnswer() {
    const question = this.#question;
    if (!question) return;
    const isNews = this.#askQuestion();
    const answer = await getComparison(this.id, question, this.#gone.signal).then(
      (comparison) => ({ question, comparison, refusal: null }),
      (error: unknown) => {
        if (error instanceof Problem && error.status === 422) return { question, comparison: null, refusal: error.message };
        throw error;
      },
    );
    // The request may have been repeated or replaced meanwhile.
    if (question === this.#question && isNews()) this.#answer = answer;
  }

  async #fetchWarnings() {
    this.warnings = (await listWarnings(this.id, this.#gone.signal)).items;
  }

  /** All jobs at first, because orders, filters and grids need all of them; then the first page, because events report the rest. */
  async #fetchJobs() {
    const all = !this.#holds_all_jobs;
    // Set before the first answer, because a refresh in between requests all of them again.
    this.#holds_all_jobs = true;
    try {
      let cursor: string | null = null;
      do {
        const page: ListJob = await listJobs(this.id, cursor ? MORE_JOBS : FIRST_JOBS, cursor, this.#gone.signal);
        const known = new Map(this.jobs.map((job) => [job.id, job]));
        for (const job of page.items) known.set(job.id, job);
        this.jobs = [...known.values()].sort((a, b) => a.id - b.id);
        this.jobs_loaded = true;
        cursor = page.next_cursor;
      } while (cursor && all);
    } catch (error) {
      if (all) this.#holds_all_jobs = false;
      throw error;
    }
  }

  /** The request for the experiment decides whether the page can be shown. */
  async #tellProblem(task: () => Promise<void>) {
    this.problem = await this.#guard(task);
    if (this.problem?.status === 404) this.#silence();
  }

  async #guard(task: () => Promise<void>): Promise<Problem | null> {
    try {
      await task();
      return null;
    } catch (error) {
      if (this.#gone.signal.aborted) return null;
      if (!(error instanceof Problem)) throw error;
      this.#askLater(error);
      return error;
    }
  }

  /** If a retry can help, everything is fetched again later; other errors are shown. */
  #askLater(problem: Problem) {
    if (!problem.retryable) return void (problem.status >= 500 && tell(problem.message));
    clearTimeout(this.#again);
    this.#again = setTimeout(() => this.refresh(), AGAIN_MS);
  }
}
