// Jobs that ended without a figure, listed below the table so that no pair is dropped silently.

import type { Comparison, MissingCell } from "../contract";
import { inWords } from "../format";
import { isOpen } from "../progress";

/** A sentence with the jobs that ended without a figure; empty if there are none. */
export function lostPairs(comparison: Comparison): string {
  const ended = comparison.missing.filter((cell) => !isOpen(cell));
  if (ended.length === 0) return "";
  const seeds = new Map<string, { arm: string; reason: string; seeds: number[] }>();
  for (const cell of ended) {
    const [arm, reason] = [cell.arm, why(cell)];
    const group = seeds.get(`${arm} ${reason}`) ?? { arm, reason, seeds: [] };
    seeds.set(`${arm} ${reason}`, { ...group, seeds: [...group.seeds, cell.seed] });
  }
  const groups = [...seeds.values()].map((group) => `${group.arm} seed${group.seeds.length > 1 ? "s" : ""} ${group.seeds.join(", ")} (${group.reason})`);
  return `Missing, with their pairs: ${groups.join("; ")}.`;
}

function why(cell: MissingCell): string {
  return cell.state === "succeeded" ? "no value" : inWords(cell.end_reason ?? cell.state);
}
