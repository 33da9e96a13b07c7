// The comparison as CSV, under the names that `optlab compare --format csv` has for the same figures.

import type { ArmResult, Difference, Wins } from "../contract";
import { toCsv } from "../csv";

type Cell = number | null | undefined;

/** Without a test, an arm still has a difference and its pairs. */
const OF_ARM: [name: string, value: (arm: ArmResult) => Cell][] = [
  ["n", (arm) => arm.n], ["mean", (arm) => arm.mean], ["std", (arm) => arm.std], ["difference", (arm) => arm.mean_difference], ["pairs", (arm) => arm.pairs],
];
const OF_TEST: [name: string, value: (difference: Difference) => Cell][] = [
  ["difference_std", (d) => d.std], ["low", (d) => d.low], ["high", (d) => d.high],
  ["bootstrap_low", (d) => d.bootstrap_low], ["bootstrap_high", (d) => d.bootstrap_high], ["p_value", (d) => d.p_value], ["p_adjusted", (d) => d.p_adjusted],
  ["sign_flip_p", (d) => d.sign_flip.p_value], ["sign_flip_p_adjusted", (d) => d.sign_flip.p_adjusted], ["effect_size", (d) => d.effect_size],
];
const OF_WINS: [name: string, value: (wins: Wins) => Cell][] = [
  ["wins", (w) => w.wins], ["ties", (w) => w.ties], ["p_better", (w) => w.probability], ["p_better_low", (w) => w.low], ["p_better_high", (w) => w.high],
];

export function statisticsCsv(arms: ArmResult[]): string {
  const rows = arms.map((arm) => [
    arm.arm,
    ...OF_ARM.map(([, value]) => value(arm) ?? ""),
    ...OF_TEST.map(([, value]) => (arm.difference && value(arm.difference)) ?? ""),
    ...OF_WINS.map(([, value]) => (arm.wins && value(arm.wins)) ?? ""),
  ]);
  return toCsv(["arm", ...[...OF_ARM, ...OF_TEST, ...OF_WINS].map(([name]) => name)], rows);
}
