// Jobs that ended without a figure, listed below the table so that no pair is dropped silently.

import type { Comparison, MissingCell } from "../contract";
import { inWords } from "../format";
import { isOpen } from "../progress";

/** A sentence with the jobs that ended without a figure; empty if there are none. */
export function lostPairs(comparison: Comparison): string {
  const ended = comparison.missing.filter((cell) => !isOpen(cell));
  if (ended.length === 0) return "";
  return `Missing, with their pairs: ${ended.map((cell) => `${cell.arm} seed ${cell.seed} (${why(cell)})`).join(", ")}.`;
}

function why(cell: MissingCell): string {
  return cell.state === "succeeded" ? "no value" : inWords(cell.end_reason ?? cell.state);
}
