// The curves that the charts of the page need. Each is fetched once for all charts, and again when there are new
// points.

import { getCurves, getRuns, Problem } from "../api";
import { coalesce } from "../coalesce";
import type { Curves, Runs } from "../contract";
import type { Range } from "../chart/curves";
import { newest } from "../newest";
import { joinCurves, joinRuns } from "./several";

export interface CurveRequest {
  kind: "curves" | "runs";
  series: string;
  points: number;
  /** First and last step; null for all. */
  range: Range | null;
  /** Whether it is for the many small charts, which are updated less often. */
  slow?: boolean;
}

const LIVE_MS = 100;
const SLOW_MS = 2000;

export class CurveStore {
  #answers = $state.raw<Record<string, Curves | Runs>>({});
  #requests = new Map<string, { request: CurveRequest; users: number }>();
  #order = new Map<string, ReturnType<typeof newest>>();
  #live = coalesce(() => this.#fetch(false), LIVE_MS);
  #slow = coalesce(() => this.#fetch(true), SLOW_MS);
  #gone = new AbortController();

  /** `failed` is called for every fetch without an answer. */
  constructor(
    readonly ids: readonly number[],
    readonly failed: (problem: Problem) => void,
  ) {}

  /** Subscribes to curves until the returned function is called. */
  subscribe(request: CurveRequest): () => void {
    const key = keyOf(request);
    const known = this.#requests.get(key);
    // One subscriber that follows every point determines the rate for all.
    this.#requests.set(key, { request: known && request.slow ? known.request : request, users: (known?.users ?? 0) + 1 });
    if (!known) void this.#guard(this.#fetchOne(request));
    return () => {
      const entry = this.#requests.get(key);
      if (!entry || --entry.users > 0) return;
      this.#requests.delete(key);
      // A zoomed range is dropped; the whole curve is kept, to be shown at once after zooming out.
      if (request.range) delete this.#answers[key];
    };
  }

  curves(request: CurveRequest | null): Curves | undefined {
    return request?.kind === "curves" ? (this.#answers[keyOf(request)] as Curves | undefined) : undefined;
  }

  runs(request: CurveRequest | null): Runs | undefined {
    return request?.kind === "runs" ? (this.#answers[keyOf(request)] as Runs | undefined) : undefined;
  }

  /** There are new points. */
  ask() {
    this.#live.ask();
    this.#slow.ask();
  }

  stop() {
    this.#gone.abort();
    this.#live.stop();
    this.#slow.stop();
  }

  async #fetch(slow: boolean) {
    const due = [...this.#requests.values()].filter(({ request }) => (request.slow ?? false) === slow);
    await this.#guard(Promise.all(due.map(({ request }) => this.#fetchOne(request))));
  }

  async #fetchOne(request: CurveRequest) {
    const { kind, series, points, range } = request;
    const key = keyOf(request);
    const order = this.#order.get(key) ?? newest();
    this.#order.set(key, order);
    const isNewest = order();
    const span = { series, points, after_step: range ? range[0] - 1 : null, to_step: range ? range[1] : null };
    const all = <T extends Curves | Runs>(get: (id: number, asked: typeof span, signal: AbortSignal) => Promise<T>) =>
      Promise.all(this.ids.map((id) => get(id, span, this.#gone.signal).catch(emptyIfUnknown(series)))) as Promise<T[]>;
    const answer = kind === "curves" ? joinCurves(this.ids, await all(getCurves)) : joinRuns(this.ids, await all(getRuns));
    const kept = !range || this.#requests.has(key);
    if (kept && isNewest()) this.#answers = { ...this.#answers, [key]: answer };
  }

  async #guard(fetching: Promise<unknown>) {
    try {
      await fetching;
    } catch (error) {
      if (this.#gone.signal.aborted) return;
      if (!(error instanceof Problem)) throw error;
      this.failed(error);
    }
  }
}

function keyOf({ kind, series, points, range }: CurveRequest): string {
  return `${kind} ${series} ${points} ${range?.join("-") ?? "all"}`;
}

/** A series that the experiment does not have, for example from an old address, gives a chart without lines. */
function emptyIfUnknown(series: string) {
  return (error: unknown): Curves & Runs => {
    if (error instanceof Problem && (error.status === 404 || error.status === 422)) {
      return { series, unit: "", higher_is_better: null, width: 1, arms: [], runs: [] };
    }
    throw error;
  };
}
