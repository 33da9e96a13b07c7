// What the runner of one attempt has said so far. The server appends to it with every checkpoint.

import { getLog } from "../api";
import type { Artifact } from "../contract";

/** Of a longer log only the end is shown, in bytes. */
const MOST = 200_000;

export class Log {
  text = $state("");
  /** Whose log it is; null before there is any. */
  attempt = $state<number | null>(null);
  /** Bytes that were left out at the beginning. */
  skipped = $state(0);

  #wanted: number | null = null;
  #offset = 0;
  #decoder = new TextDecoder();

  constructor(
    readonly job: number,
    readonly signal: AbortSignal,
  ) {}

  /** Shows the log of another attempt, or with null always that of the last. */
  async choose(attempt: number | null, artifacts: Artifact[]) {
    this.#wanted = attempt;
    await this.follow(artifacts);
  }

  /** Reads on from where it has come to; `artifacts` tell which logs there are and how long. */
  async follow(artifacts: Artifact[]) {
    const logs = artifacts.filter((file) => file.kind === "log").sort((a, b) => a.attempt - b.attempt);
    const log = this.#wanted === null ? logs.at(-1) : logs.find((file) => file.attempt === this.#wanted);
    if (log && log.attempt !== this.attempt) this.#begin(log);
    if (log && log.bytes > this.#offset) {
      const bytes = await getLog(this.job, log.attempt, this.#offset, this.signal);
      // Meanwhile the reader may have chosen another.
      if (this.attempt === log.attempt) {
        this.#offset += bytes.byteLength;
        this.text += this.#decoder.decode(bytes, { stream: true });
      }
    }
  }

  #begin(log: Artifact) {
    this.attempt = log.attempt;
    this.skipped = Math.max(0, log.bytes - MOST);
    this.#offset = this.skipped;
    this.#decoder = new TextDecoder();
    this.text = "";
  }
}
