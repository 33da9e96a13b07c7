// What a comparison concludes of an arm, as a badge.

import type { Comparison, Standing } from "../contract";

export const STANDINGS: Record<Standing, string> = {
  better: "Better",
  worse: "Worse",
  different: "Different",
  no_clear_difference: "No clear difference",
  too_few_seeds: "Too few seeds",
  not_comparable: "Not comparable",
};

/** The standing that the sentence of a comparison begins with: of the arm with the best news. */
const ORDER: Standing[] = ["better", "different", "no_clear_difference", "worse", "too_few_seeds", "not_comparable"];

/** The sentence of a comparison without the words that the badge beside it has already. */
export function withoutBadge(sentence: string, standing: Standing | null): string {
  const words = standing && STANDINGS[standing];
  const rest = words && sentence.startsWith(words) ? /^(?: to tell)?: (.+)$/s.exec(sentence.slice(words.length))?.[1] : undefined;
  return rest ?? sentence;
}

/** Null without a baseline, and before any arm was compared. */
export function overallStanding(comparison: Pick<Comparison, "arms"> | null): Standing | null {
  return ORDER.find((standing) => comparison?.arms.some((arm) => arm.standing === standing)) ?? null;
}
