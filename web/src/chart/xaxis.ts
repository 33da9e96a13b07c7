// The x axis as steps, epochs or seconds. Points are kept by step; the others are multiples of it.

import type { Comparison, Experiment, Job, TrainSpec } from "../contract";

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
export function stepsPerEpoch({ spec }: Pick<Experiment, "spec">, jobs: Pick<Job, "steps">[]): number | null {
  const length = ({ epochs, steps, batch_size, data }: TrainSpec) => JSON.stringify([epochs, steps, batch_size, data]);
  const [train, ...others] = (spec.arms ?? []).map((arm) => arm.train);
  if (!train || others.some((other) => length(other) !== length(train))) return null;
  const steps = jobs[0]?.steps ?? 0;
  if (train.epochs && steps > 0) return steps / train.epochs;
  const { name = "", samples, validation } = train.data ?? {};
  const all = samples ?? SAMPLES[name];
  if (!all || !train.batch_size || validation) return null;
  return Math.max(1, Math.floor(all / train.batch_size));
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
