// The order of the rows of the table of arms.

import type { ArmStyle } from "../arms";
import type { ArmResult, Standing } from "../contract";

const STANDINGS: Standing[] = ["better", "different", "no_clear_difference", "too_few_seeds", "worse", "not_comparable"];

/** The sort keys; a leading minus means descending. */
const COLUMNS = new Map<string, (result: ArmResult) => number | null | undefined>([
  ["n", (result) => result.n],
  ["error", (result) => result.mean],
  ["energy", (result) => result.energy],
  ["time", (result) => result.seconds],
  ["versus", (result) => result.mean_difference],
  ["standing", (result) => result.standing && STANDINGS.indexOf(result.standing)],
]);

/** A sorted copy, or the same list for an unknown column. Arms without a value come last in both directions. */
export function orderedArms(arms: ArmStyle[], results: Map<string, ArmResult>, by: string | null): ArmStyle[] {
  const sign = by?.startsWith("-") ? -1 : 1;
  const column = (sign < 0 ? by?.slice(1) : by) ?? "";
  if (column === "arm") return [...arms].sort((a, b) => sign * a.name.localeCompare(b.name, "en", { numeric: true }));
  const value = COLUMNS.get(column);
  if (!value) return arms;
  const of = (arm: ArmStyle) => {
    const result = results.get(arm.name);
    return result && value(result);
  };
  return [...arms].sort((a, b) => {
    const [x, y] = [of(a), of(b)];
    if (x == null || y == null) return Number(x == null) - Number(y == null);
    return sign * (x - y);
  });
}
