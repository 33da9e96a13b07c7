// The text of a spec and its tree. A change of the tree changes the text only where it must: comments stay.

import { parse, patch, stringify } from "@decimalturn/toml-patch";
import { isJson } from "../api";
import { isTable, type Spec, withoutNulls } from "./spec";

/** The tree of a text; null where it is neither TOML nor JSON, or no table. */
export function read(text: string): Spec | null {
  try {
    const value: unknown = isJson(text) ? JSON.parse(text) : parse(text);
    return isTable(value) ? value : null;
  } catch {
    return null;
  }
}

/** The text after its tree has become `spec`. */
export function rewrite(text: string, spec: Spec): string {
  return isJson(text) ? `${JSON.stringify(spec, null, 2)}\n` : patch(text, spec);
}

/** A new text, as TOML. */
export function write(spec: unknown): string {
  return stringify(withoutNulls(spec));
}
