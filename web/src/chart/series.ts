// Series in words: `test/accuracy` is "test accuracy", `energy/conv1` is "energy of conv1".

import { inWords } from "../format";

const TITLES = new Map([
  ["energy/mean", "hyperspherical energy"],
  ["samples_per_second", "throughput"],
]);

export function seriesTitle(name: string): string {
  const title = TITLES.get(name);
  if (title) return title;
  const [family = name, part] = name.split("/");
  if (["train", "validation", "test"].includes(family)) return part ? `${family} ${part}` : family;
  const words = inWords(family);
  return part ? `${words} of ${part}` : words;
}

/** The title of an axis, with its unit if it has one. */
export function axisTitle(name: string, unit: string): string {
  return unit ? `${seriesTitle(name)} (${unit})` : seriesTitle(name);
}
