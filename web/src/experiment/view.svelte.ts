// The data of a page about one or several experiments, and when it is fetched. `curve_store.svelte.ts` keeps the curves.
// Of several experiments, arms are named `ID/ARM`, in jobs too.

import { getComparison, getExperiment, getTuning, listJobs, listWarnings, Problem, type Question } from "../api";
import { armName, type ShownArm } from "../arms";
import { coalesce } from "../coalesce";
import type { Comparison, Counts, Experiment, Job, ListListedJob, Tuning, Warning } from "../contract";
import { fileName } from "../download";
import { columnWriter } from "../format";
import { CurveStore } from "./curve_store.svelte";
import { afterEvent } from "../jobEvent";
import { listen } from "../live.svelte";
import { newest } from "../newest";
import { tell } from "../notice.svelte";
import { sum, tally, total } from "../progress";
import { joinSeries } from "./several";

const FIRST_JOBS = 200;
const MORE_JOBS = 1000;
const NUMBERS_MS = 1500;
const WARNINGS_MS = 10_000;
const TUNING_MS = 3000;
const AGAIN_MS = 3000;

/** The result of a request: a comparison, or the reason why there is none. */
interface Answer {
  question: Question;
  comparison: Comparison | null;
  refusal: string | null;
}

export class ExperimentView {
  /** In the order of the ids; empty until all of them are loaded. */
  experiments = $state.raw<Experiment[]>([]);
  comparison = $state.raw<Comparison | null>(null);
  warnings = $state.raw<Warning[]>([]);
  /** The trials and choices of the experiment, if it is the only one and tuned. */
  tuning = $state.raw<Tuning | null>(null);
  jobs = $state.raw<Job[]>([]);
  jobs_loaded = $state(false);
  /** The jobs that charts and comparisons show. Trials of tuned arms are only in the list of jobs. */
  readonly confirming = $derived(this.jobs.filter((job) => job.phase === "confirm"));
  /** The number of jobs with warnings. */
  readonly warned = $derived(new Set(this.warnings.map((warning) => warning.job_id)).size);
  /** The format of test errors in every table of the page. */
  readonly writeError = $derived.by(() => columnWriter(this.comparison?.arms ?? [], this.comparison?.unit));
  problem = $state<Problem | null>(null);
  /** If all jobs are loaded, the counts are computed from them, so that they never lag behind the rows. */
  counts = $derived.by<Counts | null>(() => {
    if (!this.experiment) return null;
    const counts = sum(this.experiments.map((experiment) => experiment.counts));
    return this.jobs.length === total(counts) ? tally(this.jobs) : counts;
  });
  readonly curves: CurveStore;

  /** The first experiment. */
  readonly experiment = $derived.by<Experiment | null>(() => this.experiments[0] ?? null);
  readonly arms = $derived.by<ShownArm[]>(() =>
    this.experiments.flatMap(({ id, arms }) => arms.map((arm) => ({ ...arm, name: this.#name(id, arm.name), experiment: id }))),
  );
  /** The training of every arm. */
  readonly trains = $derived.by(() =>
    this.experiments.flatMap(({ id, spec }) => (spec.arms ?? []).map(({ name, train }) => ({ name: this.#name(id, name), train }))),
  );
  readonly series = $derived.by(() => joinSeries(this.experiments.map((experiment) => experiment.series)));
  /** Every seed of any experiment. */
  readonly seeds = $derived.by(() => {
    const all = new Set(this.experiments.flatMap((experiment) => experiment.seeds));
    return this.ids.length > 1 ? [...all].sort((a, b) => a - b) : [...all];
  });
  #wanted = $state<string | null>(null);
  /** The arm that the others are compared with: the chosen one, or that of the first experiment. */
  readonly baseline = $derived.by<string | null>(() => {
    const first = this.experiment;
    return this.#wanted ?? (first?.baseline ? this.#name(first.id, first.baseline) : null);
  });
  /** The experiments in words. */
  readonly title = $derived.by(() => this.experiments.map(({ id, name }) => `${name} #${id}`).join(", "));

  #holds_all_jobs = false;
  #question: Question | null = null;
  #answer = $state.raw<Answer | null>(null);
  #askQuestion = newest();
  #askComparison = newest();
  #gone = new AbortController();
  #again: ReturnType<typeof setTimeout> | undefined;
  #silence = () => {};
  #numbers = coalesce(() => this.#tellProblem(() => this.#fetchNumbers()), NUMBERS_MS);
  #jobs = coalesce(() => this.#guard(() => this.#fetchJobs()), NUMBERS_MS);
  #warnings = coalesce(() => this.#guard(() => this.#fetchWarnings()), WARNINGS_MS);
  /** Follows each answer about the experiment, which says whether it is tuned. */
  #tuning = coalesce(() => this.#guard(() => this.#fetchTuning()), TUNING_MS);

  constructor(readonly ids: readonly number[]) {
    this.curves = new CurveStore(ids, (problem) => this.#askLater(problem));
  }

  /** The name of a file with something of the page. */
  file(what: string): string {
    return this.ids.length > 1 ? fileName("experiments", ...this.ids, what) : fileName(this.experiment?.name ?? "experiment", this.ids[0]!, what);
  }

  /** Whether an arm has jobs with a seed. */
  hasSeed(arm: string, seed: number): boolean {
    return this.experiments.some(({ id, arms, seeds }) => seeds.includes(seed) && arms.some(({ name }) => this.#name(id, name) === arm));
  }

  /** Compares with this arm; null for the baseline of the first experiment. */
  against(baseline: string | null) {
    if (baseline === this.#wanted) return;
    this.#wanted = baseline;
    this.#numbers.ask();
  }

  #name(experiment: number, arm: string): string {
    return armName(this.ids, experiment, arm);
  }

  start(): () => void {
    this.refresh();
    // One stream for all experiments, because a browser opens only six connections.
    this.#silence = listen(this.ids.length > 1 ? undefined : this.ids[0], {
      job: (job) => this.takeJob(job),
      metrics: ({ experiment_id }) => {
        if (!this.ids.includes(experiment_id)) return;
        this.curves.ask();
        this.#warnings.ask();
      },
      experiment: (id) => this.ids.includes(id) && this.#numbers.ask(),
      reset: () => this.refresh(),
    });
    return () => {
      this.#silence();
      this.#gone.abort();
      clearTimeout(this.#again);
      for (const task of [...this.#tasks, this.#tuning]) task.stop();
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
    if (!this.ids.includes(job.experiment_id)) return;
    const before = this.jobs.find((known) => known.id === job.id);
    const named = this.#named(job);
    this.jobs = before ? this.jobs.map((known) => (known.id === job.id ? afterEvent(known, named) : known)) : [...this.jobs, named];
    this.#numbers.ask();
    if (before?.state === job.state) return;
    this.curves.ask();
    this.#jobs.ask();
  }

  #named(job: Job): Job {
    return { ...job, arm: this.#name(job.experiment_id, job.arm) };
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
      Promise.all(this.ids.map((id) => getExperiment(id, signal))).then((answers) => {
        this.experiments = answers;
        this.#tuning.ask();
      }),
      this.#fetchComparison(),
      this.#fetchAnswer(),
    ]);
  }

  async #fetchComparison() {
    const isNews = this.#askComparison();
    const answer = await getComparison(this.ids, { metric: null, baseline: this.#wanted, last: null }, this.#gone.signal);
    if (isNews()) this.comparison = answer;
  }

  async #fetchAnswer() {
    const question = this.#question;
    if (!question) return;
    const isNews = this.#askQuestion();
    const answer = await getComparison(this.ids, question, this.#gone.signal).then(
      (comparison) => ({ question, comparison, refusal: null }),
      (error: unknown) => {
        if (error instanceof Problem && error.status === 422) return { question, comparison: null, refusal: error.message };
        throw error;
      },
    );
    // The request may have been repeated or replaced meanwhile.
    if (question === this.#question && isNews()) this.#answer = answer;
  }

  /** A choice never changes, so nothing is fetched once all are made. */
  async #fetchTuning() {
    const progress = this.ids.length === 1 ? this.experiment?.tuning : null;
    const made = this.tuning?.arms.filter(({ frozen_at }) => frozen_at !== null).length;
    if (progress && made !== progress.arms) this.tuning = await getTuning(this.ids[0]!, this.#gone.signal);
  }

  async #fetchWarnings() {
    const all = await Promise.all(this.ids.map(async (id) => ({ id, list: await listWarnings(id, this.#gone.signal) })));
    this.warnings = all.flatMap(({ id, list }) => list.items.map((warning) => ({ ...warning, arm: this.#name(id, warning.arm) })));
  }

  /** All jobs at first, because orders, filters and grids need all of them; then the first page, because events report the rest. */
  async #fetchJobs() {
    const all = !this.#holds_all_jobs;
    // Set before the first answer, because a refresh in between requests all of them again.
    this.#holds_all_jobs = true;
    try {
      await Promise.all(this.ids.map((id) => this.#fetchJobsOf(id, all)));
    } catch (error) {
      if (all) this.#holds_all_jobs = false;
      throw error;
    }
  }

  async #fetchJobsOf(id: number, all: boolean) {
    let cursor: string | null = null;
    do {
      const page: ListListedJob = await listJobs(id, cursor ? MORE_JOBS : FIRST_JOBS, cursor, this.#gone.signal);
      const known = new Map(this.jobs.map((job) => [job.id, job]));
      for (const job of page.items) known.set(job.id, this.#named(job));
      this.jobs = [...known.values()].sort((a, b) => a.id - b.id);
      this.jobs_loaded = true;
      cursor = page.next_cursor;
    } while (cursor && all);
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
