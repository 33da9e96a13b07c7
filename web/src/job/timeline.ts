// The attempts of a job along one line of time.

import type { Attempt } from "../contract";

export interface Bar {
  attempt: Attempt;
  /** Place and length on the line, as shares of it. */
  left: number;
  width: number;
  seconds: number;
}

/** An attempt that runs ends, so far, now. */
export function barsOf(attempts: Attempt[], now_ms: number): Bar[] {
  const spans = attempts.map((attempt) => {
    const from = Date.parse(attempt.started_at);
    return { attempt, from, to: attempt.ended_at ? Date.parse(attempt.ended_at) : Math.max(from, now_ms) };
  });
  const start = Math.min(...spans.map((span) => span.from));
  const length = Math.max(1, Math.max(...spans.map((span) => span.to)) - start);
  return spans.map(({ attempt, from, to }) => ({
    attempt,
    left: (from - start) / length,
    width: (to - from) / length,
    seconds: (to - from) / 1000,
  }));
}
