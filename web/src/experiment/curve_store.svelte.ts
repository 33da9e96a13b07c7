// The curves that the charts of the page need. Each is fetched once for all charts, and again when there are new
// points.

import { getCurves, getRuns, Problem } from "../api";
import { coalesce } from "../coalesce";
import type { Curves, Runs } from "../contract";
import type { Range } from "../chart/curves";
import { newest } from "../newest";

export interface Wish {
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
  #wishes = new Map<string, { wish: Wish; users: number }>();
  #requests = new Map<string, ReturnType<typeof newest>>();
  #live = coalesce(() => this.#fetch(false), LIVE_MS);
  #slow = coalesce(() => this.#fetch(true), SLOW_MS);
  #gone = new AbortController();

  /** `failed` is called for every fetch without an answer. */
  constructor(
    readonly id: number,
    readonly failed: (problem: Problem) => void,
  ) {}

  /** Subscribes to curves until the returned function is called. */
  want(wish: Wish): () => void {
    const key = keyOf(wish);
    const known = this.#wishes.get(key);
    // One subscriber that follows every point determines the rate for all.
    this.#wishes.set(key, { wish: known && wish.slow ? known.wish : wish, users: (known?.users ?? 0) + 1 });
    if (!known) void this.#guard(this.#fetchOne(wish));
    return () => {
      const entry = this.#wishes.get(key);
      if (!entry || --entry.users > 0) return;
      this.#wishes.delete(key);
      // A zoomed range is dropped; the whole curve is kept, to be shown at once after zooming out.
      if (wish.range) delete this.#answers[key];
    };
  }

  curves(wish: Wish | null): Curves | undefined {
    return wish?.kind === "curves" ? (this.#answers[keyOf(wish)] as Curves | undefined) : undefined;
  }

  runs(wish: Wish | null): Runs | undefined {
    return wish?.kind === "runs" ? (this.#answers[keyOf(wish)] as Runs | undefined) : undefined;
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
    const due = [...this.#wishes.values()].filter(({ wish }) => (wish.slow ?? false) === slow);
    await this.#guard(Promise.all(due.map(({ wish }) => this.#fetchOne(wish))));
  }

  async #fetchOne(wish: Wish) {
    const { kind, series, points, range } = wish;
    const key = keyOf(wish);
    const request = this.#requests.get(key) ?? newest();
    this.#requests.set(key, request);
    const isNews = request();
    const span = { series, points, after_step: range && range[0] - 1, to_step: range && range[1] };
    const get: (id: number, asked: typeof span, signal: AbortSignal) => Promise<Curves | Runs> = kind === "curves" ? getCurves : getRuns;
    const answer = await get(this.id, span, this.#gone.signal).catch(emptyIfUnknown(series));
    const kept = !range || this.#wishes.has(key);
    if (kept && isNews()) this.#answers = { ...this.#answers, [key]: answer };
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

function keyOf({ kind, series, points, range }: Wish): string {
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
