// Machines that an engine lent, in words.

import type { Attempt, Engine, Worker } from "./contract";

export const ENGINES: Record<Engine, string> = { slurm: "Slurm", kubernetes: "Kubernetes" };

/** "Slurm 17 on n1"; empty for a worker that a person started. */
export function machine({ engine, engine_job, node }: Pick<Worker | Attempt, "engine" | "engine_job" | "node">): string {
  if (!engine || !engine_job) return "";
  return `${ENGINES[engine]} ${engine_job}${node ? ` on ${node}` : ""}`;
}
