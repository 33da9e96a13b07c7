// The text of a spec and its tree. A change of the tree changes only the affected part of the text, so comments stay.

import { parse, patch, stringify } from "@decimalturn/toml-patch";
import { isJson } from "../api";
import type { StoredSubmission } from "../contract";
import { equal, isTable, type Spec, withoutNulls } from "./spec";

/** The tree of a text; null if it is neither TOML nor JSON, or not a table. */
export function read(text: string): Spec | null {
  const value = attempted<unknown>(() => (isJson(text) ? JSON.parse(text) : parse(text)));
  return isTable(value) ? value : null;
}

function attempted<T>(make: () => T): T | null {
  try {
    return make();
  } catch {
    return null;
  }
}

/** The text after its tree has become `spec`. If a patch would give another tree, the text is rewritten. */
export function rewrite(text: string, spec: Spec): string {
  if (equal(read(text), spec)) return text;
  if (isJson(text)) return json(spec);
  const patched = attempted(() => patch(text, spec));
  return patched !== null && equal(read(patched), spec) ? patched : write(spec);
}

/** A new text: TOML, or JSON if an arm sets an inherited field to null, which TOML does not have. */
export function write(spec: Spec): string {
  const arms = Array.isArray(spec.arms) ? spec.arms.filter(isTable) : [];
  return arms.some(({ train }) => isTable(train) && holdsNull(train)) ? json(spec) : stringify(withoutNulls(spec));
}

/** The text of a copy: the submitted text of the original with its comments, changed only where the draft differs. */
export function copyOf({ text, draft }: Pick<StoredSubmission, "text"> & { draft: Spec }): string {
  return text === null ? write(draft) : rewrite(text, draft);
}

const json = (spec: Spec) => `${JSON.stringify(spec, null, 2)}\n`;

function holdsNull(value: unknown): boolean {
  return value === null || (isTable(value) && Object.values(value).some(holdsNull));
}
