// The filter of the list of experiments.

import type { ExperimentSummary } from "../contract";
import { overall } from "../progress";

export interface Filter {
  /** Words that must all occur in the experiment. */
  query: string;
  /** As `overall` names it. */
  state: string | null;
  tag: string | null;
  archived: boolean;
}

/** The values of `overall`, in the order of the menu. */
export const STATES = ["running", "queued", "paused", "failed", "cancelled", "done"];

export function matches(item: ExperimentSummary, { query, state, tag, archived }: Filter): boolean {
  if (item.archived && !archived) return false;
  if (state && overall(item.counts) !== state) return false;
  if (tag && !item.tags.includes(tag)) return false;
  const text = [`#${item.id}`, item.name, item.notes, ...item.tags, ...item.arms.map((arm) => arm.name)].join(" ").toLowerCase();
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  return words.every((word) => text.includes(word));
}
