// The order of jobs by a column.

import { JOB_STATES, type Job } from "../contract";

/** The sort keys; a leading minus means descending. */
const COLUMNS = new Map<string, (job: Job) => number | string | null | undefined>([
  ["arm", (job) => job.arm],
  ["trial", (job) => job.trial],
  ["seed", (job) => job.seed],
  ["state", (job) => JOB_STATES.indexOf(job.state)],
  ["progress", (job) => job.step / job.steps],
  ["left", (job) => job.eta_seconds ?? job.queue_position],
  ["error", (job) => job.test_error],
  ["attempt", (job) => job.attempt],
  ["device", (job) => job.device],
  ["end", (job) => job.ended_at],
]);

/** A sorted copy, or the same list for an unknown column. Jobs without a value come last in both directions. */
export function ordered(jobs: Job[], by: string | null): Job[] {
  const sign = by?.startsWith("-") ? -1 : 1;
  const value = COLUMNS.get((sign < 0 ? by?.slice(1) : by) ?? "");
  if (!value) return jobs;
  return [...jobs].sort((a, b) => {
    const [x, y] = [value(a), value(b)];
    if (x == null || y == null) return Number(x == null) - Number(y == null);
    return sign * (typeof x === "string" ? x.localeCompare(String(y)) : x - Number(y));
  });
}

/** The order after a click on a column: ascending, descending, then the server's order. */
export function nextOrder(by: string | null, column: string): string | null {
  if (by === column) return `-${column}`;
  return by === `-${column}` ? null : column;
}
