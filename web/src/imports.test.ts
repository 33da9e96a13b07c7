import { expect, test } from "vitest";

/** The text of every file by its path. */
const files = import.meta.glob<string>("./**/*.{ts,svelte}", { eager: true, query: "?raw", import: "default" });

/** The other files that a file imports, including types. A recursive component imports itself, which is not a circle. */
function imported(path: string): string[] {
  const found = files[path]!.matchAll(/\bfrom "(\.[^"]+)"|^\s*import "(\.[^"]+)"|\bimport\("(\.[^"]+)"\)/gm);
  return [...found].flatMap(([, ...names]) => {
    const { pathname } = new URL(names.find(Boolean)!, `file:///${path}`);
    return ["", ".ts", ".svelte.ts", "/index.ts"].map((ending) => `.${pathname}${ending}`).filter((name) => name in files && name !== path);
  });
}

/** The first circle below `path`, as the files on the way. */
function circle(path: string, way: string[], done: Set<string>): string[] | null {
  if (way.includes(path)) return [...way.slice(way.indexOf(path)), path];
  if (done.has(path)) return null;
  for (const next of imported(path)) {
    const found = circle(next, [...way, path], done);
    if (found) return found;
  }
  done.add(path);
  return null;
}

test("no file imports itself through others", () => {
  const done = new Set<string>();
  expect(Object.keys(files).map((path) => circle(path, [], done)).find(Boolean) ?? []).toEqual([]);
  expect(imported("./main.ts")).toEqual(["./App.svelte"]);
  expect(done.size).toBe(Object.keys(files).length);
});
