// The x axis as steps, epochs or seconds. Points are kept by step; the others are multiples of it.

import type { Comparison, Job, TrainSpec } from "../contract";

export type XKind = "step" | "epoch" | "seconds";

export interface XAxis {
  kind: XKind;
  title: string;
  /** How much of x one step of this arm is. */
  perStep(arm: string): number;
}

/** Training samples of the data sets, for runs whose length is given in steps. */
const SAMPLES: Record<string, number> = { digits: 1442, mnist: 60_000, "fashion-mnist": 60_000, "cifar-10": 50_000, "cifar-100": 50_000 };

/** Steps of one pass over the training set; null if it is unknown or differs between arms. */
export function stepsPerEpoch(arms: { name: string; train: TrainSpec }[], jobs: Pick<Job, "arm" | "steps">[]): number | null {
  const lengths = new Map(jobs.map((job) => [job.arm, job.steps]));
  const [first, ...others] = arms.map(({ name, train }) => {
    if (train.epochs) return (lengths.get(name) ?? 0) / train.epochs;
    const { name: data = "", samples, validation, train_samples: drawn } = train.data ?? {};
    const all = drawn ?? (validation ? null : (samples ?? SAMPLES[data]));
    return !all || !train.batch_size ? 0 : Math.max(1, Math.floor(all / train.batch_size));
  });
  return first && others.every((other) => other === first) ? first : null;
}

/** Mean seconds per step of each arm: from its finished runs, or else from the rate of running ones. */
export function secondsPerStep(comparison: Comparison | null, jobs: Job[]): Map<string, number> {
  const paces = new Map<string, number>();
  for (const arm of new Set(jobs.map((job) => job.arm))) {
    const own = jobs.filter((job) => job.arm === arm);
    const seconds = comparison?.arms.find((candidate) => candidate.arm === arm)?.seconds;
    const steps = own[0]?.steps ?? 0;
    if (seconds && steps > 0) paces.set(arm, seconds / steps);
    else {
      const running = own.filter((job) => job.state === "running" && job.eta_seconds && job.steps > job.step);
      const pace = running.reduce((sum, job) => sum + job.eta_seconds! / (job.steps - job.step), 0) / running.length;
      if (pace > 0) paces.set(arm, pace);
    }
  }
  return paces;
}

/** The requested axis, or steps if that one is unknown. */
export function xAxis(kind: string | null, per_epoch: number | null, seconds: Map<string, number>): XAxis {
  if (kind === "epoch" && per_epoch) return { kind, title: "epoch", perStep: () => 1 / per_epoch };
  if (kind === "seconds" && seconds.size) {
    const mean = [...seconds.values()].reduce((sum, pace) => sum + pace, 0) / seconds.size;
    return { kind, title: "seconds (step × the arm’s mean pace)", perStep: (arm) => seconds.get(arm) ?? mean };
  }
  return { kind: "step", title: "step", perStep: () => 1 };
}
