// Arms that were switched off stay in the form, so that they can be switched on again.

import { isTable, type Spec } from "./spec";

export interface KnownArm {
  name: string;
  /** As it stands in the spec. */
  table: Spec;
}

export function armsOf(spec: Spec | null): KnownArm[] {
  const list = spec && Array.isArray(spec.arms) ? spec.arms : [];
  return list.flatMap((table) => (isTable(table) && typeof table.name === "string" ? [{ name: table.name, table }] : []));
}

/** The arms that were known, as they now are, and new ones after the one that they follow. */
export function remember(known: KnownArm[], now: KnownArm[]): KnownArm[] {
  const merged = known.map((arm) => now.find((one) => one.name === arm.name) ?? arm);
  now.forEach((arm, index) => {
    if (merged.some((one) => one.name === arm.name)) return;
    const before = merged.findIndex((one) => one.name === now[index - 1]?.name);
    merged.splice(before + 1, 0, arm);
  });
  return merged;
}

/** The list of arms with one of the known ones put in or taken out, in the order of the known. */
export function toggled(spec: Spec, known: KnownArm[], name: string): Spec[] {
  const on = new Set(armsOf(spec).map((arm) => arm.name));
  if (!on.delete(name)) on.add(name);
  return known.filter((arm) => on.has(arm.name)).map((arm) => arm.table);
}

/** "opt, cayley": what a method is, in short. */
export function methodOf({ table }: KnownArm): string {
  const method = isTable(table.method) ? table.method : {};
  return [method.kind, method.transform, method.form].filter((word) => typeof word === "string").join(", ");
}
