// One function per request of the page; failures become a `Problem`.

import { BASE } from "./base";
import type {
  Comparison, Curves, DryRun, Edit, Experiment, Job, JobGroups, JobMetrics, ListArtifact, ListAttempt, ListExperimentSummary, ListJobField, ListListedJob, ListPool, ListRecipe, ListWarning, ListWorker,
  Mistake, RecipeDetail, Runs, Session, StoredSubmission, Submitted, Tuning,
} from "./contract";
import { type Table, exactIntegers } from "./exact";
import { session } from "./session.svelte";

const PREFIX = `${BASE}api/v1`;

/** A failed request: the server's problem+json, status 0 without an answer, 502 if the answer was not the server's. */
export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly title: string,
    readonly detail: string,
    /** The mistakes of a rejected spec. */
    readonly errors: Mistake[] = [],
  ) {
    super(detail || title);
  }

  /** Whether a retry can help. */
  get retryable(): boolean {
    return this.status === 0 || this.status === 429 || this.status >= 502;
  }
}

export type Query = Record<string, string | number | null | undefined>;

function address(path: string, query: Query = {}): string {
  const parameters = new URLSearchParams();
  for (const [key, value] of Object.entries(query)) {
    if (value !== null && value !== undefined && value !== "") parameters.set(key, String(value));
  }
  const text = parameters.toString();
  return PREFIX + path + (text ? `?${text}` : "");
}

/** The result of `read` on a successful answer. */
async function ask<T>(url: string, init: RequestInit, read: (response: Response) => Promise<T>, signal?: AbortSignal): Promise<T> {
  const response = await arrived(fetch(url, { ...init, signal: signal ?? null }), signal);
  // Any rejected request makes the page ask for a token. The sign-in reports a wrong token itself.
  if (response.status === 401) session.wanted = true;
  if (!response.ok) throw await problemOf(response);
  return arrived(read(response), signal);
}

/** A connection may fail before or during an answer, and a proxy may answer with its own page. */
async function arrived<T>(part: Promise<T>, signal?: AbortSignal): Promise<T> {
  try {
    return await part;
  } catch (error) {
    if (signal?.aborted) throw error;
    if (error instanceof SyntaxError) throw new Problem(502, "The answer is not from optlab", "A proxy between this page and the server may have replaced it.");
    throw new Problem(0, "The server does not answer", "");
  }
}

async function json<T>(response: Response): Promise<T> {
  return (response.status === 204 ? undefined : await response.json()) as T;
}

function call<T>(method: string, url: string, body?: unknown, signal?: AbortSignal): Promise<T> {
  const headers: Record<string, string> = { accept: "application/json" };
  if (body !== undefined) headers["content-type"] = "application/json";
  return ask(url, { method, headers, body: body === undefined ? null : JSON.stringify(body) }, json<T>, signal);
}

async function problemOf(response: Response): Promise<Problem> {
  const fallback = `The server answered ${response.status}`;
  try {
    const body = await response.json();
    return new Problem(response.status, body.title ?? fallback, body.detail ?? "", body.errors ?? []);
  } catch {
    return new Problem(response.status, fallback, "");
  }
}

export const listExperiments = (limit: number, cursor?: string | null, signal?: AbortSignal) =>
  call<ListExperimentSummary>("GET", address("/experiments", { limit, cursor }), undefined, signal);

export const getExperiment = (id: number, signal?: AbortSignal) =>
  call<Experiment>("GET", address(`/experiments/${id}`), undefined, signal);

export const getTuning = (id: number, signal?: AbortSignal) =>
  call<Tuning>("GET", address(`/experiments/${id}/tuning`), undefined, signal);

export const getSubmission = (id: number, signal?: AbortSignal) =>
  call<StoredSubmission>("GET", address(`/experiments/${id}/submission`), undefined, signal);

/** A range of steps of one series, in at most `points` buckets. */
export interface Span {
  series: string;
  points: number;
  after_step?: number | null;
  to_step?: number | null;
}

export const getCurves = (id: number, span: Span, signal?: AbortSignal) =>
  call<Curves>("GET", address(`/experiments/${id}/curves`, { ...span }), undefined, signal);

export const getRuns = (id: number, span: Span, signal?: AbortSignal) =>
  call<Runs>("GET", address(`/experiments/${id}/runs`, { ...span }), undefined, signal);

/** Metric and baseline of a comparison; the server chooses for null. */
export interface Question {
  metric: string | null;
  baseline: string | null;
  last: string | null;
}

export const getComparison = (experiments: readonly number[], question: Question, signal?: AbortSignal) =>
  call<Comparison>("GET", address("/comparison", { experiments: experiments.join(","), ...question }), undefined, signal);

export const listWarnings = (id: number, signal?: AbortSignal) =>
  call<ListWarning>("GET", address(`/experiments/${id}/warnings`), undefined, signal);

export const listJobs = (experiment: number, limit: number, cursor?: string | null, signal?: AbortSignal) =>
  call<ListListedJob>("GET", address("/jobs", { experiment, limit, cursor }), undefined, signal);

/** A page of the jobs of all experiments. */
export const listRuns = (query: Query, signal?: AbortSignal) => call<ListListedJob>("GET", address("/jobs", query), undefined, signal);

export const groupRuns = (query: Query, signal?: AbortSignal) => call<JobGroups>("GET", address("/jobs/groups", query), undefined, signal);

export const runsCsvAddress = (query: Query) => address("/jobs/export", query);

export const listFields = (signal?: AbortSignal) => call<ListJobField>("GET", address("/jobs/fields"), undefined, signal);

export const cancelExperiment = (id: number) => call<unknown>("POST", address(`/experiments/${id}/cancel`));

export const pauseExperiment = (id: number) => call<unknown>("POST", address(`/experiments/${id}/pause`));

export const resumeExperiment = (id: number) => call<unknown>("POST", address(`/experiments/${id}/resume`));

export const retryExperiment = (id: number) => call<unknown>("POST", address(`/experiments/${id}/retry`));

export const addSeeds = (id: number, seeds: number[]) => call<unknown>("POST", address(`/experiments/${id}/seeds`), { seeds });

export const addArms = (id: number, text: string) =>
  ask(address(`/experiments/${id}/arms`), { method: "POST", headers: specHeaders(text), body: text }, json<unknown>);

export const editExperiment = (id: number, edit: Edit) => call<unknown>("PATCH", address(`/experiments/${id}`), edit);

/** The server requires the name as confirmation. */
export const deleteExperiment = (id: number, name: string) => call<void>("DELETE", address(`/experiments/${id}`, { name }));

export const exportAddress = (id: number, format: "csv" | "parquet") => address(`/experiments/${id}/export`, { format });

export const reportAddress = (id: number) => address(`/experiments/${id}/report`);

export const cancelJob = (id: number) => call<Job>("POST", address(`/jobs/${id}/cancel`));

export const pauseJob = (id: number) => call<Job>("POST", address(`/jobs/${id}/pause`));

export const resumeJob = (id: number) => call<Job>("POST", address(`/jobs/${id}/resume`));

export const retryJob = (id: number) => call<Job>("POST", address(`/jobs/${id}/retry`));

export const getJob = (id: number, signal?: AbortSignal) => call<Job>("GET", address(`/jobs/${id}`), undefined, signal);

export const listAttempts = (id: number, signal?: AbortSignal) =>
  call<ListAttempt>("GET", address(`/jobs/${id}/attempts`), undefined, signal);

export const listArtifacts = (id: number, signal?: AbortSignal) =>
  call<ListArtifact>("GET", address(`/jobs/${id}/artifacts`), undefined, signal);

export const artifactAddress = (id: number, name: string) => address(`/jobs/${id}/artifacts/${encodeURIComponent(name)}`);

/** A small file of a job that is JSON. */
export const getArtifact = (id: number, name: string, signal?: AbortSignal) =>
  call<unknown>("GET", artifactAddress(id, name), undefined, signal);

/** All series of a job, or their points after one step and up to another. */
export const getMetrics = (id: number, points: number, after_step?: number, to_step?: number, signal?: AbortSignal) =>
  call<JobMetrics>("GET", address(`/jobs/${id}/metrics`, { points, after_step, to_step }), undefined, signal);

/** The log of a runner, from a byte offset. */
export const getLog = (id: number, attempt: number, offset: number, signal?: AbortSignal) =>
  ask(address(`/jobs/${id}/logs`, { attempt, offset }), {}, async (response) => new Uint8Array(await response.arrayBuffer()), signal);

const specHeaders = (text: string) => ({ "content-type": isJson(text) ? "application/json" : "application/toml" });

/** No TOML document begins with a brace. */
export const isJson = (text: string) => text.trimStart().startsWith("{");

/** Dry run of a spec in TOML or JSON. */
export const checkSpec = (text: string, signal?: AbortSignal) =>
  ask(address("/experiments", { dry_run: "true" }), { method: "POST", headers: specHeaders(text), body: text }, json<DryRun>, signal);

/** Submits a spec. The same key and text make one experiment, however often they are sent. */
export function submitSpec(text: string, key: string): Promise<Submitted> {
  const headers = { ...specHeaders(text), "idempotency-key": key };
  return ask(address("/experiments"), { method: "POST", headers, body: text }, json<Submitted>);
}

export function runQuery(sql: string, limit: number, signal?: AbortSignal): Promise<Table> {
  const init = { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ sql, limit }) };
  return ask(address("/query"), init, async (response) => exactIntegers(await response.text()) as Table, signal);
}

export const getRecipe = (name: string, signal?: AbortSignal) =>
  call<RecipeDetail>("GET", address(`/recipes/${encodeURIComponent(name)}`), undefined, signal);

/** The running jobs. */
export const listRunning = (signal?: AbortSignal) =>
  call<ListListedJob>("GET", address("/jobs", { state: "running", limit: 1000 }), undefined, signal);

export const drainWorker = (id: number) => call<void>("POST", address(`/workers/${id}/drain`));

export const listRecipes = (signal?: AbortSignal) => call<ListRecipe>("GET", address("/recipes"), undefined, signal);

export const listPools = (signal?: AbortSignal) => call<ListPool>("GET", address("/pools"), undefined, signal);

export const resumePool = (name: string) => call<void>("POST", address(`/pools/${encodeURIComponent(name)}/resume`));

export const listWorkers = (signal?: AbortSignal) => call<ListWorker>("GET", address("/workers"), undefined, signal);

export const getSession = () => call<Session>("GET", address("/session"));

export const signIn = (token: string) => call<void>("POST", address("/session"), { token, path: BASE });

export const signOut = () => call<void>("DELETE", address("/session", { path: BASE }));

export const eventsAddress = (experiment?: number) => address("/events", { experiment });
