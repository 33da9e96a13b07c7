// The data of a job's page, and when it is fetched.

import { getArtifact, getExperiment, getJob, getMetrics, listArtifacts, listAttempts, listJobs, Problem } from "../api";
import { coalesce } from "../coalesce";
import type { Artifact, Attempt, Experiment, Job, JobCurve, ListListedJob } from "../contract";
import type { Range } from "../chart/curves";
import { afterEvent } from "../jobEvent";
import { listen } from "../live.svelte";
import { newest } from "../newest";
import { tell } from "../notice.svelte";
import { beside } from "./groups";
import { Log } from "./log.svelte";

const POINTS = 500;
const SIBLINGS = 1000;
const JOB_MS = 1000;
const CURVES_MS = 1500;
const FILES_MS = 4000;
const AGAIN_MS = 3000;

export class JobView {
  job = $state.raw<Job | null>(null);
  experiment = $state.raw<Experiment | null>(null);
  attempts = $state.raw<Attempt[]>([]);
  artifacts = $state.raw<Artifact[]>([]);
  files_loaded = $state(false);
  /** As the runner got it; null before the first attempt. */
  spec = $state.raw<unknown>(null);
  curves = $state.raw<JobCurve[] | null>(null);
  /** The jobs of the experiment. */
  siblings = $state.raw<number[]>([]);
  problem = $state<Problem | null>(null);
  readonly log: Log;

  #zoom: Range | null = null;
  /** The whole curves, as last fetched. */
  #whole: JobCurve[] | null = null;
  #gone = new AbortController();
  #again: ReturnType<typeof setTimeout> | undefined;
  #silence: (() => void) | undefined;
  #spec_name = "";
  #askJob = newest();
  #job = coalesce(() => this.#tellProblem(), JOB_MS);
  #curves = coalesce(() => this.#guard(() => this.#fetchCurves()), CURVES_MS);
  #files = coalesce(() => this.#guard(() => this.#fetchFiles()), FILES_MS);

  constructor(readonly id: number) {
    this.log = new Log(id, this.#gone.signal);
  }

  start(): () => void {
    this.refresh();
    return () => {
      this.#silence?.();
      this.#gone.abort();
      clearTimeout(this.#again);
      for (const task of [this.#job, this.#curves, this.#files]) task.stop();
    };
  }

  refresh() {
    for (const task of [this.#job, this.#curves, this.#files]) task.ask();
  }

  /** Fetches the curves of a range of steps, or of all. Until they arrive, the whole curves are shown. */
  show(zoom: Range | null) {
    this.#zoom = zoom;
    this.curves = this.#whole;
    this.#curves.ask();
  }

  /** The attempt whose log is shown; null, or one without a log, means the last one with a log. */
  async showLog(attempt: number | null) {
    await this.#guard(() => this.log.choose(attempt, this.artifacts));
  }

  /** The job after an action. An event may have been faster, so it is fetched as well. */
  takeAnswer(job: Job) {
    this.take(job);
    this.refresh();
  }

  /** The job from an event, which does not contain why a job waits. */
  take(job: Job) {
    if (job.id !== this.id) return;
    // A pending answer is older.
    this.#askJob()();
    this.job = afterEvent(this.job ?? undefined, job);
    if (job.state === "queued" && job.why_queued == null) this.#job.ask();
    this.#curves.ask();
    this.#files.ask();
  }

  async #fetchJob() {
    const signal = this.#gone.signal;
    const isNews = this.#askJob();
    const job = await getJob(this.id, signal);
    if (isNews()) this.job = job;
    // Events are subscribed by experiment, which only the job names.
    this.#silence ??= listen(job.experiment_id, {
      job: (changed) => this.take(changed),
      metrics: (hint) => hint.job_id === this.id && this.#curves.ask(),
      reset: () => this.refresh(),
    });
    this.experiment ??= await getExperiment(job.experiment_id, signal);
    if (this.siblings.length === 0) await this.#guard(() => this.#fetchSiblings(job.experiment_id));
  }

  async #fetchSiblings(experiment: number) {
    const ids: number[] = [];
    let cursor: string | null = null;
    do {
      const page: ListListedJob = await listJobs(experiment, SIBLINGS, cursor, this.#gone.signal);
      ids.push(...page.items.map((job) => job.id));
      cursor = page.next_cursor;
    } while (cursor);
    this.siblings = ids;
  }

  async #fetchCurves() {
    const zoom = this.#zoom;
    const signal = this.#gone.signal;
    if (!zoom || !this.#whole) this.#whole = (await getMetrics(this.id, POINTS, undefined, undefined, signal)).series;
    // `after_step` leaves its own step out.
    const look = zoom && (await getMetrics(this.id, POINTS, Math.max(-1, Math.floor(zoom[0]) - 1), Math.ceil(zoom[1]), signal)).series;
    // The reader may have changed the range meanwhile, which fetches again.
    if (zoom === this.#zoom) this.curves = look ? beside(this.#whole, look, zoom!) : this.#whole;
  }

  async #fetchFiles() {
    const signal = this.#gone.signal;
    const [attempts, artifacts] = await Promise.all([listAttempts(this.id, signal), listArtifacts(this.id, signal)]);
    this.attempts = attempts.items;
    this.artifacts = artifacts.items;
    // A file that cannot be read does not affect the rest.
    await Promise.all([this.#guard(() => this.#fetchSpec()), this.#guard(() => this.log.follow(this.artifacts))]);
    this.files_loaded = true;
  }

  async #fetchSpec() {
    const name = this.artifacts.findLast((file) => file.kind === "spec")?.name;
    if (!name || name === this.#spec_name) return;
    this.spec = await getArtifact(this.id, name, this.#gone.signal);
    this.#spec_name = name;
  }

  /** The request for the job decides whether the page can be shown. */
  async #tellProblem() {
    const problem = await this.#guard(() => this.#fetchJob());
    this.problem = this.job ? null : problem;
  }

  /** If a retry can help, everything is fetched again later; other errors are shown. */
  async #guard(task: () => Promise<void>): Promise<Problem | null> {
    try {
      await task();
      return null;
    } catch (error) {
      if (this.#gone.signal.aborted) return null;
      if (!(error instanceof Problem)) throw error;
      if (error.retryable) {
        clearTimeout(this.#again);
        this.#again = setTimeout(() => this.refresh(), AGAIN_MS);
      } else if (error.status >= 500) tell(error.message);
      return error;
    }
  }
}
