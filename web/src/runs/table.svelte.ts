// The jobs or groups of the page Runs, read page by page; events refresh what is loaded.

import { groupRuns, listRuns, Problem } from "../api";
import { coalesce } from "../coalesce";
import type { JobGroups, ListedJob, ListListedJob } from "../contract";
import { listen } from "../live.svelte";
import { groupsQuery, pageQuery, type View } from "./address";

const PAGE = 100;
/** The longest page that the server gives. */
const LONGEST_PAGE = 1000;
const REFRESH_MS = 2000;
const AGAIN_MS = 3000;

export class RunsTable {
  rows = $state.raw<ListedJob[]>([]);
  groups = $state.raw<JobGroups | null>(null);
  /** The view that `rows` or `groups` belong to; null before the first answer. */
  shown = $state.raw<View | null>(null);
  more = $state<string | null>(null);
  loading_more = $state(false);
  /** Why the server rejects the view. */
  mistake = $state<string | null>(null);
  problem = $state<Problem | null>(null);

  #view: View | null = null;
  #asked = new AbortController();
  #refresh = coalesce(() => this.#fetch(), REFRESH_MS);
  #again: ReturnType<typeof setTimeout> | undefined;

  start(): () => void {
    const ask = () => this.#refresh.ask();
    const silence = listen(undefined, { job: ask, experiment: ask, reset: ask });
    return () => {
      silence();
      this.#asked.abort();
      this.#refresh.stop();
      clearTimeout(this.#again);
    };
  }

  /** Shows another view. The answer to an earlier one is ignored. */
  show(view: View) {
    this.#view = view;
    this.#asked.abort();
    this.#asked = new AbortController();
    void this.#fetch();
  }

  async loadMore() {
    const [view, signal] = [this.#view, this.#asked.signal];
    if (!view || !this.more || this.loading_more) return;
    this.loading_more = true;
    await this.#guard(signal, async () => {
      const page = await listRuns(pageQuery(view, PAGE, this.more), signal);
      const known = new Set(this.rows.map(({ id }) => id));
      this.rows = [...this.rows, ...page.items.filter(({ id }) => !known.has(id))];
      this.more = page.next_cursor;
    });
    this.loading_more = false;
  }

  /** Fetches as many rows as are loaded of this view, and at least a page. */
  async #fetch() {
    const [view, signal] = [this.#view, this.#asked.signal];
    if (!view) return;
    await this.#guard(signal, async () => {
      if (view.group.length) {
        const groups = await groupRuns(groupsQuery(view), signal);
        [this.groups, this.rows, this.more] = [groups, [], null];
      } else {
        const wanted = this.shown === view ? Math.max(PAGE, this.rows.length) : PAGE;
        let rows: ListedJob[] = [];
        let cursor: string | null = null;
        do {
          const page: ListListedJob = await listRuns(pageQuery(view, Math.min(LONGEST_PAGE, wanted - rows.length), cursor), signal);
          rows = rows.concat(page.items);
          cursor = page.next_cursor;
        } while (cursor && rows.length < wanted);
        [this.groups, this.rows, this.more] = [null, rows, cursor];
      }
      this.shown = view;
      [this.mistake, this.problem] = [null, null];
    });
  }

  async #guard(signal: AbortSignal, task: () => Promise<void>) {
    try {
      await task();
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof Problem)) throw error;
      if (error.status === 422) {
        this.mistake = error.message;
        return;
      }
      this.problem = error;
      clearTimeout(this.#again);
      if (error.retryable) this.#again = setTimeout(() => this.#refresh.ask(), AGAIN_MS);
    }
  }
}
