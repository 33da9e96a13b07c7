// A spec as a tree: reading and changing single fields.

export type Spec = Record<string, unknown>;
export type Path = readonly string[];

export function isTable(value: unknown): value is Spec {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function valueAt(spec: unknown, path: Path): unknown {
  return path.reduce<unknown>((value, key) => (isTable(value) ? value[key] : undefined), spec);
}

/** Sets a field and creates missing tables above it; undefined removes the field. */
export function setAt(spec: Spec, path: Path, value: unknown) {
  const [key, ...rest] = path;
  if (key === undefined) return;
  if (rest.length > 0) {
    if (!isTable(spec[key])) {
      if (value === undefined) return;
      spec[key] = {};
    }
    setAt(spec[key] as Spec, rest, value);
  } else if (value === undefined) delete spec[key];
  else spec[key] = value;
}

/** Whether two trees are equal, in any order of fields. */
export function equal(a: unknown, b: unknown): boolean {
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((value, index) => equal(value, b[index]));
  if (!isTable(a) || !isTable(b)) return a === b;
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => key in b && equal(a[key], b[key]));
}

export const pointerTo = (path: Path) => path.map((key) => `/${key}`).join("");

/** The tree without null fields, which TOML cannot represent and a spec does not need. */
export function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (!isTable(value)) return value;
  return Object.fromEntries(Object.entries(value).flatMap(([key, inner]) => (inner === null ? [] : [[key, withoutNulls(inner)]])));
}

/** A number if the text is one; other texts are left for the server to reject. An empty text is no value. */
export function numberFrom(text: string): unknown {
  const trimmed = text.trim();
  if (trimmed === "") return undefined;
  const value = Number(trimmed);
  return Number.isFinite(value) ? value : trimmed;
}

const MOST_OF_A_RANGE = 10_000;

/** "0-3, 7" is 0, 1, 2, 3 and 7. */
export function numbersFrom(text: string): unknown {
  const parts = text.split(/[\s,]+/).filter(Boolean);
  if (parts.length === 0) return undefined;
  return parts.flatMap((part) => {
    const [from = NaN, to = NaN] = (/^(\d+)-(\d+)$/.exec(part) ?? []).slice(1).map(Number);
    if (from <= to && to - from < MOST_OF_A_RANGE) return Array.from({ length: to - from + 1 }, (_, index) => from + index);
    return [numberFrom(part)];
  });
}

/** The text of a value in a field. Consecutive integers become ranges. */
export function textOf(value: unknown): string {
  if (value === undefined || value === null) return "";
  if (!Array.isArray(value)) return String(value);
  const runs: unknown[][] = [];
  for (const one of value) {
    const run = runs.at(-1);
    if (run && typeof one === "number" && Number.isInteger(one) && one === (run.at(-1) as number) + 1) run.push(one);
    else runs.push([one]);
  }
  return runs.map((run) => (run.length > 2 ? `${run[0]}-${run.at(-1)}` : run.join(", "))).join(", ");
}
