// Disabled arms stay in the form, so that they can be enabled again.

import { isTable, type Spec } from "./spec";

export interface KnownArm {
  name: string;
  /** The arm in the spec. */
  table: Spec;
}

export function armsOf(spec: Spec | null): KnownArm[] {
  return listOf(spec).flatMap((table) => {
    const name = nameOf(table);
    return name === null ? [] : [{ name, table: table as Spec }];
  });
}

/** The known arms in their present form, and new ones after the arm that they follow. */
export function remember(known: KnownArm[], now: KnownArm[]): KnownArm[] {
  const merged = known.map((arm) => now.find((one) => one.name === arm.name) ?? arm);
  now.forEach((arm, index) => {
    if (merged.some((one) => one.name === arm.name)) return;
    const before = merged.findIndex((one) => one.name === now[index - 1]?.name);
    merged.splice(before + 1, 0, arm);
  });
  return merged;
}

/** The list of arms with a known one added or removed, in the order of the known arms. Arms without a name stay. */
export function toggled(spec: Spec, known: KnownArm[], name: string): unknown[] {
  const on = new Set(armsOf(spec).map((arm) => arm.name));
  if (!on.delete(name)) on.add(name);
  const unnamed = listOf(spec).filter((table) => nameOf(table) === null);
  return [...known.filter((arm) => on.has(arm.name)).map((arm) => arm.table), ...unnamed];
}

/** The index of an arm in the spec's list, as the server counts; -1 if it is absent. */
export function placeOf(spec: Spec, name: string): number {
  return listOf(spec).findIndex((table) => nameOf(table) === name);
}

function listOf(spec: Spec | null): unknown[] {
  return Array.isArray(spec?.arms) ? spec.arms : [];
}

function nameOf(table: unknown): string | null {
  return isTable(table) && typeof table.name === "string" ? table.name : null;
}

/** A method in short: "opt, cayley". */
export function methodOf({ table }: KnownArm): string {
  const method = isTable(table.method) ? table.method : {};
  return [method.kind, method.transform, method.form].filter((word) => typeof word === "string").join(", ");
}
