// Cells that will not fill by themselves: the table says which, so that no pair is dropped in silence.

import type { Comparison, MissingCell } from "../contract";
import { inWords } from "../format";
import { isOpen } from "../progress";

/** Says which jobs have ended without a figure; empty where there are none. Open ones are drawn as squares. */
export function lostPairs(comparison: Comparison): string {
  const ended = comparison.missing.filter((cell) => !isOpen(cell));
  if (ended.length === 0) return "";
  return `Missing, with their pairs: ${ended.map((cell) => `${cell.arm} seed ${cell.seed} (${why(cell)})`).join(", ")}.`;
}

function why(cell: MissingCell): string {
  return cell.state === "succeeded" ? "no such figure" : inWords(cell.end_reason ?? cell.state);
}
