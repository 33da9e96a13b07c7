// The attempts of a job on a time line.

import type { Attempt } from "../contract";

export interface Bar {
  attempt: Attempt;
  /** Position and length, as fractions of the line. */
  left: number;
  width: number;
  seconds: number;
}

/** A running attempt ends now. */
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
