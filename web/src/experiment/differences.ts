// In which fields of the spec the arms differ, as a table of arms and fields that leaves out what is as in the baseline.

import type { SpecDifference } from "../contract";

export interface DifferenceTable {
  /** Names of fields, such as `train.optimizer.learning_rate`. */
  fields: string[];
  /** One row per arm, with a text per field; null where the value is as in the baseline, or the method has no such field. */
  rows: { arm: string; cells: (string | null)[] }[];
  /** Fields that only some methods have, with the same value in all of them. */
  implied: string[];
}

export function differenceTable(differences: SpecDifference[], arms: string[], baseline: string | null): DifferenceTable {
  const implied: string[] = [];
  const columns = differences.flatMap(({ pointer, values }) => {
    const name = pointer.slice(1).replaceAll("/", ".");
    const texts = new Map(Object.entries(values).map(([arm, value]) => [arm, textOf(value)]));
    if (new Set(texts.values()).size > 1) return [{ name, texts, usual: baseline === null ? undefined : texts.get(baseline) }];
    implied.push(name);
    return [];
  });
  const cell = (arm: string, { texts, usual }: (typeof columns)[number]) => {
    const text = texts.get(arm) ?? null;
    return text === usual && arm !== baseline ? null : text;
  };
  return {
    fields: columns.map(({ name }) => name),
    rows: arms.map((arm) => ({ arm, cells: columns.map((column) => cell(arm, column)) })),
    implied,
  };
}

function textOf(value: unknown): string {
  if (value === null) return "none";
  return typeof value === "string" ? value : JSON.stringify(value);
}
