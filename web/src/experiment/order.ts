// Jobs in the order that a column asks for.

import { type Job, JOB_STATES } from "../contract";

/** What can be sorted by; a minus before it means downwards. */
const COLUMNS = new Map<string, (job: Job) => number | string | null | undefined>([
  ["arm", (job) => job.arm],
  ["seed", (job) => job.seed],
  ["state", (job) => JOB_STATES.indexOf(job.state)],
  ["progress", (job) => job.step / job.steps],
  ["left", (job) => job.eta_seconds ?? job.queue_position],
  ["error", (job) => job.test_error],
  ["attempt", (job) => job.attempt],
  ["device", (job) => job.device],
  ["end", (job) => job.ended_at],
]);

/** A new list, or the same one where there is no such column. What has no value comes last either way. */
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

/** What a click on a column asks for: upwards, then downwards, then the order of the server. */
export function nextOrder(by: string | null, column: string): string | null {
  if (by === column) return `-${column}`;
  return by === `-${column}` ? null : column;
}
