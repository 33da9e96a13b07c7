import { expect, test } from "vitest";
import { SCHEMA } from "./schema";

const FILES = import.meta.glob<string>("../../../migrations/sqlite/*.sql", { query: "?raw", import: "default", eager: true });
const MIGRATIONS = Object.keys(FILES).sort().map((name) => FILES[name]!.replaceAll(/--.*/g, "")).join("\n");
/** Internal tables, which queries may not read. */
const PRIVATE = ["submissions", "deleted_jobs", "deleted_attempts", "settings", "tokens", "condensed_curves", "curve_blocks"];

/** Splits a list at commas outside of parentheses. */
function parts(list: string): string[] {
  let depth = 0;
  const cut = [...list].map((letter) => {
    depth += Number(letter === "(") - Number(letter === ")");
    return letter === "," && depth === 0 ? "\n\n" : letter;
  });
  return cut.join("").split("\n\n").map((part) => part.trim()).filter(Boolean);
}

function schema(): Map<string, string[]> {
  const columns = new Map<string, string[]>();
  for (const statement of MIGRATIONS.split(";").map((text) => text.trim())) {
    const table = /^CREATE TABLE (\w+) \((.*)\)[^)]*$/s.exec(statement);
    const view = /^CREATE VIEW (\w+) AS\s+SELECT\s+(.*?)\nFROM /s.exec(statement);
    const added = /^ALTER TABLE (\w+) ADD COLUMN (\w+)/.exec(statement);
    if (table) columns.set(table[1]!, parts(table[2]!).map((part) => part.split(/\s/)[0]!).filter((word) => !/^(PRIMARY|UNIQUE|CHECK)$/.test(word)));
    // The name of a column is the last word of its expression.
    else if (view) columns.set(view[1]!, parts(view[2]!).map((part) => /\w+$/.exec(part)![0]));
    else if (added) columns.get(added[1]!)!.push(added[2]!);
  }
  return columns;
}

test("the editor completes every table, view and column of the migrated schema", () => {
  const real = schema();
  for (const name of PRIVATE) expect(real.delete(name)).toBe(true);
  expect(SCHEMA).toEqual(Object.fromEntries(real));
});
