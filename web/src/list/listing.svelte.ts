// The list of experiments, read page by page; events refresh what is loaded.

import { listExperiments, Problem } from "../api";
import { coalesce } from "../coalesce";
import type { ExperimentSummary } from "../contract";
import { listen } from "../live.svelte";

const PAGE = 50;
/** The longest page that the server gives. */
const LONGEST_PAGE = 1000;
const REFRESH_MS = 2000;
const AGAIN_MS = 3000;

export class Listing {
  items = $state.raw<ExperimentSummary[]>([]);
  loaded = $state(false);
  more = $state<string | null>(null);
  loading_more = $state(false);
  problem = $state<Problem | null>(null);

  #refresh = coalesce(() => this.#fetchLoaded(), REFRESH_MS);
  #again: ReturnType<typeof setTimeout> | undefined;

  start(): () => void {
    this.#refresh.ask();
    const ask = () => this.#refresh.ask();
    const silence = listen(undefined, { job: ask, experiment: ask, reset: ask });
    return () => {
      silence();
      this.#refresh.stop();
      clearTimeout(this.#again);
    };
  }

  async loadMore() {
    if (!this.more || this.loading_more) return;
    this.loading_more = true;
    try {
      const page = await listExperiments(PAGE, this.more);
      this.items = merge(this.items, page.items);
      this.more = page.next_cursor;
    } catch (error) {
      this.#fail(error);
    } finally {
      this.loading_more = false;
    }
  }

  /** Fetches as many experiments as are loaded, and at least a page. */
  async #fetchLoaded() {
    try {
      const wanted = Math.max(PAGE, this.items.length);
      let items: ExperimentSummary[] = [];
      let cursor: string | null = null;
      do {
        const page = await listExperiments(Math.min(LONGEST_PAGE, wanted - items.length), cursor);
        items = items.concat(page.items);
        cursor = page.next_cursor;
      } while (cursor && items.length < wanted);
      const known = new Set(this.items.map((item) => item.id));
      // New experiments have moved the oldest ones beyond what was fetched. Newer ones that are missing were deleted.
      const last = items.at(-1)?.id ?? 0;
      if (cursor && items.some((item) => known.has(item.id))) this.items = merge(items, this.items.filter((item) => item.id < last));
      // At the start, and after an absence so long that nothing known was fetched.
      else [this.items, this.more] = [items, cursor];
      this.loaded = true;
      this.problem = null;
    } catch (error) {
      this.#fail(error);
    }
  }

  #fail(error: unknown) {
    if (!(error instanceof Problem)) throw error;
    this.problem = error;
    clearTimeout(this.#again);
    if (error.retryable) this.#again = setTimeout(() => this.#refresh.ask(), AGAIN_MS);
  }
}

/** Both lists, the first one before the second. Duplicates are taken from the first list. */
function merge(first: ExperimentSummary[], second: ExperimentSummary[]): ExperimentSummary[] {
  const known = new Set(first.map((item) => item.id));
  return [...first, ...second.filter((item) => !known.has(item.id))];
}
