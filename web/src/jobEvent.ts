import type { Job } from "./contract";

/** The job after an event, which does not say why a job waits: the known reason stays while the job is queued. */
export function afterEvent(known: Job | undefined, job: Job): Job {
  const reason = job.why_queued ?? known?.why_queued ?? null;
  return { ...known, ...job, why_queued: job.state === "queued" ? reason : null };
}
