/** "seed 3", or "trial 2, seed 3" for a trial of a tuned arm. */
export function jobName({ trial, seed }: { trial?: number | null; seed: number }): string {
  return typeof trial === "number" ? `trial ${trial}, seed ${seed}` : `seed ${seed}`;
}
