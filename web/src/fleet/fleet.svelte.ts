// The workers and pools, fetched every few seconds and when a job changes.

import { listPools, listRunning, listWorkers, Problem } from "../api";
import { coalesce } from "../coalesce";
import type { Job, Pool, Worker } from "../contract";
import { listen } from "../live.svelte";

const EVERY_MS = 5000;
const SOONEST_MS = 1500;

export class Fleet {
  workers = $state.raw<Worker[]>([]);
  pools = $state.raw<Pool[]>([]);
  /** The running jobs by id. */
  jobs = $state.raw(new Map<number, Job>());
  /** The time of the last answer; empty before the first. */
  at = $state("");
  problem = $state<Problem | null>(null);

  get loaded() {
    return this.at !== "";
  }

  #gone = new AbortController();
  #refresh = coalesce(() => this.#fetch(), SOONEST_MS);

  start(): () => void {
    this.refresh();
    const timer = setInterval(() => document.visibilityState === "visible" && this.refresh(), EVERY_MS);
    const silence = listen(undefined, { job: () => this.refresh(), reset: () => this.refresh() });
    return () => {
      clearInterval(timer);
      silence();
      this.#gone.abort();
      this.#refresh.stop();
    };
  }

  refresh() {
    this.#refresh.ask();
  }

  async #fetch() {
    const signal = this.#gone.signal;
    try {
      const [workers, pools, running] = await Promise.all([listWorkers(signal), listPools(signal), listRunning(signal)]);
      this.workers = workers.items;
      this.pools = pools.items;
      this.jobs = new Map(running.items.map((job) => [job.id, job]));
      this.at = new Date().toISOString();
      this.problem = null;
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof Problem)) throw error;
      this.problem = error;
    }
  }
}
