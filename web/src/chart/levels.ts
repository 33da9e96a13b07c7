// The least possible energies of a chart: dashed lines that belong to no arm, drawn by `paint.ts`.

import type { EnergyBound } from "../contract";
import { plain, plural } from "../format";

export interface Level {
  value: number;
  name: string;
}

/** A curve of an energy, and the name of its layer if the chart shows several. */
export interface Bounded {
  bound?: EnergyBound | null;
  layer?: string;
}

/** The lines of the bounds. Equal ones are one line, with the name of the first layer and the number of the others. */
export function levelsOf(curves: Bounded[]): Level[] {
  const groups = new Map<string, { value: number; name: string; layers: string[] }>();
  for (const { bound, layer } of curves) {
    if (!bound) continue;
    const name = bound.reachable ? "least possible" : "lower bound, cannot be reached";
    const key = `${bound.least} ${name}`;
    const group = groups.get(key) ?? { value: bound.least, name, layers: [] };
    if (layer !== undefined) group.layers.push(layer);
    groups.set(key, group);
  }
  return [...groups.values()].map(({ value, name, layers: [first, ...others] }) => {
    const layers = others.length ? `${first} and ${plural(others.length, "other")}` : first;
    return { value, name: layers === undefined ? name : `${name}, ${layers}` };
  });
}

/** The levels in words, for screen readers. */
export function levelWords(levels: Level[]): string {
  return levels.map(({ value, name }) => ` ${name.charAt(0).toUpperCase()}${name.slice(1)}: ${plain(value)}.`).join("");
}
