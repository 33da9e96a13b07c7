// All that the page of one job knows, and when it asks again.

import { getArtifact, getExperiment, getJob, getMetrics, listArtifacts, listAttempts, Problem } from "../api";
import { coalesce } from "../coalesce";
import type { Artifact, Attempt, Experiment, Job, JobCurve } from "../contract";
import type { Range } from "../chart/curves";
import { listen } from "../live.svelte";
import { newest } from "../newest";
import { tell } from "../notice.svelte";
import { beside } from "./groups";
import { Log } from "./log.svelte";

const POINTS = 500;
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
  problem = $state<Problem | null>(null);
  readonly log: Log;

  #zoom: Range | null = null;
  /** The curves from end to end, as they were when they were last looked at so. */
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

  /** Asks for the curves of a span of steps, or of all. Until they are here, those of all do. */
  show(zoom: Range | null) {
    this.#zoom = zoom;
    this.curves = this.#whole;
    this.#curves.ask();
  }

  /** Which attempt's log is shown; null, or one that has none, is the last that has a log. */
  async showLog(attempt: number | null) {
    await this.#guard(() => this.log.choose(attempt, this.artifacts));
  }

  /** The job as an action has left it. An event may have been faster, so the server is asked as well. */
  takeAnswer(job: Job) {
    this.take(job);
    this.refresh();
  }

  /** The job as an event tells it, which does not say why a job waits. */
  take(job: Job) {
    if (job.id !== this.id) return;
    // An answer that is still on its way is older.
    this.#askJob()();
    const before = this.job;
    this.job = { ...job, why_queued: job.why_queued ?? (job.state === "queued" ? before?.why_queued : null) };
    if (job.state === "queued" && job.why_queued == null) this.#job.ask();
    this.#curves.ask();
    this.#files.ask();
  }

  async #fetchJob() {
    const signal = this.#gone.signal;
    const isNews = this.#askJob();
    const job = await getJob(this.id, signal);
    if (isNews()) this.job = job;
    // Events come by experiment, and which one that is only the job can tell.
    this.#silence ??= listen(job.experiment_id, {
      job: (changed) => this.take(changed),
      metrics: (hint) => hint.job_id === this.id && this.#curves.ask(),
      reset: () => this.refresh(),
    });
    this.experiment ??= await getExperiment(job.experiment_id, signal);
  }

  async #fetchCurves() {
    const zoom = this.#zoom;
    const signal = this.#gone.signal;
    if (!zoom || !this.#whole) this.#whole = (await getMetrics(this.id, POINTS, undefined, undefined, signal)).series;
    // `after_step` leaves its own step out.
    const look = zoom && (await getMetrics(this.id, POINTS, Math.max(-1, Math.floor(zoom[0]) - 1), Math.ceil(zoom[1]), signal)).series;
    // Meanwhile the reader may look at another span, which asks again.
    if (zoom === this.#zoom) this.curves = look ? beside(this.#whole, look, zoom!) : this.#whole;
  }

  async #fetchFiles() {
    const signal = this.#gone.signal;
    const [attempts, artifacts] = await Promise.all([listAttempts(this.id, signal), listArtifacts(this.id, signal)]);
    this.attempts = attempts.items;
    this.artifacts = artifacts.items;
    // A file that cannot be read keeps nothing else from being shown.
    await Promise.all([this.#guard(() => this.#fetchSpec()), this.#guard(() => this.log.follow(this.artifacts))]);
    this.files_loaded = true;
  }

  async #fetchSpec() {
    const name = this.artifacts.findLast((file) => file.kind === "spec")?.name;
    if (!name || name === this.#spec_name) return;
    this.spec = await getArtifact(this.id, name, this.#gone.signal);
    this.#spec_name = name;
  }

  /** Whether the page can be shown at all is for the job itself to say. */
  async #tellProblem() {
    const problem = await this.#guard(() => this.#fetchJob());
    this.problem = this.job ? null : problem;
  }

  /** Where asking again can help, everything is asked for again a little later; another fault of the server is told. */
  async #guard(task: () => Promise<void>): Promise<Problem | null> {
    try {
      await task();
      return null;
    } catch (error) {
      if (this.#gone.signal.aborted) return null;
      if (!(error instanceof Problem)) throw error;
      if (error.passing) {
        clearTimeout(this.#again);
        this.#again = setTimeout(() => this.refresh(), AGAIN_MS);
      } else if (error.status >= 500) tell(error.message);
      return error;
    }
  }
}
