// What the runner of one attempt has said so far. The server appends to it with every checkpoint.

import { getLog } from "../api";
import type { Artifact } from "../contract";

/** Of a longer log only the end is shown, in bytes. */
const MOST = 200_000;

/** The logs among the files of a job, the last attempt's first. */
export function logsOf(artifacts: Artifact[]): Artifact[] {
  return artifacts.filter((file) => file.kind === "log").sort((a, b) => b.attempt - a.attempt);
}

export class Log {
  text = $state("");
  /** Whose log it is; null before there is any. */
  attempt = $state<number | null>(null);
  /** Bytes that were left out at the beginning. */
  skipped = $state(0);
  /** Whether the reader is at its end. Only there the log of a later attempt takes its place, not under a reader's eyes. */
  follows = $state(true);

  #wanted: number | null = null;
  #offset = 0;
  #decoder = new TextDecoder();
  #asked = 0;

  constructor(
    readonly job: number,
    readonly signal: AbortSignal,
  ) {}

  /** Shows the log of another attempt, or with null that of the last. */
  async choose(attempt: number | null, artifacts: Artifact[]) {
    this.#wanted = attempt;
    this.follows = true;
    await this.follow(artifacts);
  }

  /** Reads on from where it has come to; `artifacts` tell which logs there are and how long. */
  async follow(artifacts: Artifact[]) {
    const mine = ++this.#asked;
    const log = this.#chosen(logsOf(artifacts));
    if (!log) return;
    const another = log.attempt !== this.attempt;
    const from = another ? Math.max(0, log.bytes - MOST) : this.#offset;
    if (!another && log.bytes <= from) return;
    const bytes = await getLog(this.job, log.attempt, from, this.signal);
    // Meanwhile the same was asked again, or the log of another attempt.
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
