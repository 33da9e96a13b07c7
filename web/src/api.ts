// Every call the page makes, each one function; failures become a `Problem`.

import type { Comparison, Curves, Experiment, ExperimentSummary, Job, Page, Recipe, Runs, Session, Warning, Worker } from "./contract";
import { session } from "./session.svelte";

const PREFIX = "/api/v1";

/** An answer other than success: the server's problem+json, or status 0 where no answer came. */
export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly title: string,
    readonly detail: string,
  ) {
    super(detail || title);
  }

  /** Whether asking again later can help. */
  get passing(): boolean {
    return this.status === 0 || this.status === 429 || this.status >= 502;
  }
}

type Query = Record<string, string | number | null | undefined>;

function address(path: string, query: Query = {}): string {
  const parameters = new URLSearchParams();
  for (const [key, value] of Object.entries(query)) {
    if (value !== null && value !== undefined && value !== "") parameters.set(key, String(value));
  }
  const text = parameters.toString();
  return PREFIX + path + (text ? `?${text}` : "");
}

async function call<T>(method: string, url: string, body?: unknown, signal?: AbortSignal): Promise<T> {
  const headers: Record<string, string> = { accept: "application/json" };
  if (body !== undefined) headers["content-type"] = "application/json";
  let response: Response;
  try {
    response = await fetch(url, { method, headers, body: body === undefined ? null : JSON.stringify(body), signal: signal ?? null });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new Problem(0, "The server does not answer", "");
  }
  // Whichever call it is that finds out, the page asks for a token. A sign-in with a wrong one tells by itself.
  if (response.status === 401) session.wanted = true;
  if (!response.ok) throw await problemOf(response);
  return (response.status === 204 ? undefined : await response.json()) as T;
}

async function problemOf(response: Response): Promise<Problem> {
  const fallback = `The server answered ${response.status}`;
  try {
    const body = await response.json();
    return new Problem(response.status, body.title ?? fallback, body.detail ?? "");
  } catch {
    return new Problem(response.status, fallback, "");
  }
}

export const listExperiments = (limit: number, cursor?: string | null, signal?: AbortSignal) =>
  call<Page<ExperimentSummary>>("GET", address("/experiments", { limit, cursor }), undefined, signal);

export const getExperiment = (id: number, signal?: AbortSignal) =>
  call<Experiment>("GET", address(`/experiments/${id}`), undefined, signal);

/** A span of steps of one series, in at most `points` stretches. */
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

/** What is compared with what; what is null, the server chooses. */
export interface Question {
  metric: string | null;
  baseline: string | null;
  last: string | null;
}

export const getComparison = (id: number, question: Question, signal?: AbortSignal) =>
  call<Comparison>("GET", address(`/experiments/${id}/comparison`, { ...question }), undefined, signal);

export const listWarnings = (id: number, signal?: AbortSignal) =>
  call<{ items: Warning[] }>("GET", address(`/experiments/${id}/warnings`), undefined, signal);

export const listJobs = (experiment: number, limit: number, cursor?: string | null, signal?: AbortSignal) =>
  call<Page<Job>>("GET", address("/jobs", { experiment, limit, cursor }), undefined, signal);

/** Every job of an experiment that has not ended. */
export async function listOpenJobs(experiment: number): Promise<Job[]> {
  const of_state = (state: string) => call<Page<Job>>("GET", address("/jobs", { experiment, state, limit: 1000 }));
  const pages = await Promise.all(["running", "queued", "paused"].map(of_state));
  return pages.flatMap((page) => page.items);
}

export const cancelExperiment = (id: number) => call<unknown>("POST", address(`/experiments/${id}/cancel`));

export const retryExperiment = (id: number) => call<unknown>("POST", address(`/experiments/${id}/retry`));

export const addSeeds = (id: number, seeds: number[]) => call<unknown>("POST", address(`/experiments/${id}/seeds`), { seeds });

/** What of an experiment can be changed after its submission. */
export type Edit = Partial<{ name: string; notes: string; tags: string[]; archived: boolean }>;

export const editExperiment = (id: number, edit: Edit) => call<unknown>("PATCH", address(`/experiments/${id}`), edit);

export const exportAddress = (id: number, format: "csv" | "parquet") => address(`/experiments/${id}/export`, { format });

export const cancelJob = (id: number) => call<Job>("POST", address(`/jobs/${id}/cancel`));

export const pauseJob = (id: number) => call<Job>("POST", address(`/jobs/${id}/pause`));

export const resumeJob = (id: number) => call<Job>("POST", address(`/jobs/${id}/resume`));

export const retryJob = (id: number) => call<Job>("POST", address(`/jobs/${id}/retry`));

export const listRecipes = (signal?: AbortSignal) => call<Page<Recipe>>("GET", address("/recipes"), undefined, signal);

export const listWorkers = (signal?: AbortSignal) => call<Page<Worker>>("GET", address("/workers"), undefined, signal);

export const getSession = () => call<Session>("GET", address("/session"));

export const signIn = (token: string) => call<void>("POST", address("/session"), { token });

export const signOut = () => call<void>("DELETE", address("/session"));

export const eventsAddress = (experiment?: number) => address("/events", { experiment });
