// The text of a spec and its tree. A change of the tree changes the text only where it must: comments stay.

import { parse, patch, stringify } from "@decimalturn/toml-patch";
import { isJson } from "../api";
import { equal, isTable, type Spec, withoutNulls } from "./spec";

/** The tree of a text; null where it is neither TOML nor JSON, or no table. */
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

/** The text after its tree has become `spec`. A text whose patch would say something else is written anew. */
export function rewrite(text: string, spec: Spec): string {
  if (isJson(text)) return `${JSON.stringify(spec, null, 2)}\n`;
  const patched = attempted(() => patch(text, spec));
  return patched !== null && equal(read(patched), spec) ? patched : write(spec);
}

/** A new text, as TOML. */
export function write(spec: unknown): string {
  return stringify(withoutNulls(spec));
}
