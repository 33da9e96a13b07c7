// The log of one attempt so far. It grows with every checkpoint.

import { getLog } from "../api";
import type { Artifact } from "../contract";

/** Maximum length in bytes; only the end of a longer log is shown. */
const MOST = 200_000;

/** The logs among the files of a job, the last attempt's first. */
export function logsOf(artifacts: Artifact[]): Artifact[] {
  return artifacts.filter((file) => file.kind === "log").sort((a, b) => b.attempt - a.attempt);
}

export class Log {
  text = $state("");
  /** The attempt of the log; null without a log. */
  attempt = $state<number | null>(null);
  /** Bytes that were left out at the beginning. */
  skipped = $state(0);
  /** Whether the reader is at the end. Only then does the log of a later attempt replace it. */
  follows = $state(true);

  #wanted: number | null = null;
  #offset = 0;
  #decoder = new TextDecoder();
  #asked = 0;

  constructor(
    readonly job: number,
    readonly signal: AbortSignal,
  ) {}

  /** Shows the log of another attempt, or of the last one for null. */
  async choose(attempt: number | null, artifacts: Artifact[]) {
    this.#wanted = attempt;
    this.follows = true;
    await this.follow(artifacts);
  }

  /** Reads the new part; `artifacts` lists the logs and their lengths. */
  async follow(artifacts: Artifact[]) {
    const mine = ++this.#asked;
    const log = this.#chosen(logsOf(artifacts));
    if (!log) return;
    const another = log.attempt !== this.attempt;
    const from = another ? Math.max(0, log.bytes - MOST) : this.#offset;
    if (!another && log.bytes <= from) return;
    const bytes = await getLog(this.job, log.attempt, from, this.signal);
    // The request was repeated or replaced meanwhile.
    if (mine !== this.#asked) return;
    if (another) {
      this.#decoder = new TextDecoder();
      this.attempt = log.attempt;
      this.skipped = from;
    }
    this.#offset = from + bytes.byteLength;
    this.text = (another ? "" : this.text) + this.#decoder.decode(bytes, { stream: true });
  }

  #chosen(logs: Artifact[]): Artifact | undefined {
    const of = (attempt: number | null) => logs.find((file) => file.attempt === attempt);
    return of(this.#wanted) ?? (this.follows ? undefined : of(this.attempt)) ?? logs[0];
  }
}
