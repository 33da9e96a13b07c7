// Numbers and times in words. Minus is a minus sign, an absent value is an en dash.

export const ABSENT = "–";

export function number(value: number, decimals: number): string {
  const text = Math.abs(value).toFixed(decimals);
  return value < 0 && Number(text) !== 0 ? `−${text}` : text;
}

/** As many decimals as a standard deviation supports: two significant digits of it. */
export function decimalsFor(std: number): number {
  if (!(std > 0)) return 2;
  return Math.min(6, Math.max(0, 1 - Math.floor(Math.log10(std))));
}

/** The figure of one row, with its standard deviation where it has one. */
export interface Estimate {
  mean: number | null;
  std: number | null;
}

/**
 * A formatter for the figures of one column, so that they align: with the decimals that the median
 * of their standard deviations supports or, without one, with four or five significant digits of the largest.
 */
export function columnWriter(rows: Estimate[], unit = ""): (value: number) => string {
  const known = rows.map(({ mean }) => Math.abs(mean ?? 0)).filter((size) => size > 0).sort((a, b) => a - b);
  const far = FAR * (known[known.length >> 1] ?? Infinity);
  const isNear = (value: number | null) => Math.abs(value ?? 0) <= far;
  const write = writerOf(rows.filter(({ mean }) => isNear(mean)), unit);
  return (value) => (isNear(value) ? write(value) : plain(Number(value.toPrecision(3))));
}

/** A value that exceeds the middle one by this factor does not determine the decimals of a column. */
const FAR = 1e4;

function writerOf(rows: Estimate[], unit: string): (value: number) => string {
  const sizes = rows.map(({ mean }) => Math.abs(mean ?? 0));
  const largest = Math.max(0, ...sizes);
  if (largest >= 1e5) return grouped;
  const supported = rows.flatMap(({ std }) => (std !== null && std > 0 ? [decimalsFor(std)] : [])).sort((a, b) => a - b);
  const middle = supported[(supported.length - 1) >> 1];
  const percent = unit === "%" || unit === "points";
  const usual = largest > 0 && largest < 1 ? Math.min(6, 3 - Math.floor(Math.log10(largest))) : decimalsOfSize(largest);
  const decimals = percent ? Math.min(3, Math.max(2, middle ?? 2)) : (middle ?? usual);
  // If a value above its noise would be rounded to zero, the whole column uses powers of ten.
  const vanishes = rows.some(({ std }, index) => sizes[index]! > 0 && sizes[index]! < 10 ** -decimals && sizes[index]! > (std ?? 0));
  return vanishes && !percent ? scientific : (value) => number(value, decimals);
}

/** A value alone, to about five significant digits. */
export function plain(value: number): string {
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-3 || size >= 1e6)) return scientific(value);
  return number(value, decimalsOfSize(size));
}

function scientific(value: number): string {
  return value.toExponential(2).replaceAll("-", "−");
}

/** A large value without decimals, with separated thousands. */
function grouped(value: number): string {
  return count(Math.round(value)).replace("-", "−");
}

/** The decimals that make five significant digits of a value this large; never more than four. */
function decimalsOfSize(size: number): number {
  const whole = size < 1 ? 1 : Math.floor(Math.log10(size)) + 1;
  return Math.max(0, 5 - whole);
}

export function pValue(p: number): string {
  if (p < 0.001) return "p < 0.001";
  return `p = ${p.toFixed(3)}`;
}

export function count(value: number): string {
  return value.toLocaleString("en-US");
}

/**
 * A duration in its two largest units: "41 s", "1 min 20 s", "2 h 05 min", "4 d 15 h". Below ten seconds, tenths are
 * shown unless the seconds are whole, as in an estimate.
 */
export function duration(seconds: number): string {
  const exact = Math.max(0, seconds);
  if (exact < 9.95 && !Number.isInteger(exact)) return `${exact.toFixed(1)} s`;
  const [s, minutes, hours] = [1, 60, 3600].map((size) => Math.round(exact / size)) as [number, number, number];
  if (s < 60) return `${s} s`;
  if (s < 3600) return twoUnits(s, 60, "min", "s");
  if (minutes < 24 * 60) return twoUnits(minutes, 60, "h", "min");
  return twoUnits(hours, 24, "d", "h");
}

/** The second unit always has two digits, so that durations align. */
function twoUnits(small: number, size: number, unit: string, small_unit: string): string {
  return `${count(Math.floor(small / size))} ${unit} ${String(small % size).padStart(2, "0")} ${small_unit}`;
}

/** An estimated duration, in whole seconds, at least one. */
export function roughly(seconds: number): string {
  return duration(Math.max(1, Math.round(seconds)));
}

export function ago(time: string, now_ms: number): string {
  const seconds = (now_ms - Date.parse(time)) / 1000;
  if (seconds < 45) return "just now";
  if (seconds < 3600) return `${Math.max(1, Math.round(seconds / 60))} min ago`;
  if (seconds < 86_400) return `${Math.round(seconds / 3600)} h ago`;
  const days = Math.round(seconds / 86_400);
  if (days < 45) return days === 1 ? "yesterday" : `${days} days ago`;
  return exact(time).slice(0, 10);
}

/** A time to come: "in 5 min". */
export function ahead(time: string, now_ms: number): string {
  const seconds = (Date.parse(time) - now_ms) / 1000;
  if (seconds < 45) return "in a moment";
  if (seconds < 5400) return `in ${Math.max(1, Math.round(seconds / 60))} min`;
  if (seconds < 172_800) return `in ${Math.round(seconds / 3600)} h`;
  return `on ${exact(time).slice(0, 10)}`;
}

/** Local date and time to the second, with the zone. */
export function exact(time: string): string {
  const date = new Date(time);
  const two = (value: number) => String(value).padStart(2, "0");
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  const zone = -date.getTimezoneOffset();
  const shift = `${zone < 0 ? "−" : "+"}${two(Math.floor(Math.abs(zone) / 60))}:${two(Math.abs(zone) % 60)}`;
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())} UTC${shift}`;
}

export function plural(n: number, word: string): string {
  return `${count(n)} ${word}${n === 1 ? "" : "s"}`;
}

/** A name of the API as words. */
export function inWords(name: string): string {
  return name.replaceAll("_", " ");
}

/** A size in decimal units. */
export function bytes(size: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  const power = size < 1000 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(size) / 3));
  const value = size / 1000 ** power;
  return `${power === 0 || value >= 100 ? value.toFixed(0) : value.toFixed(1)} ${units[power]}`;
}

/** A sentence of the server with minus signs before its numbers. */
export function withMinus(sentence: string): string {
  return sentence.replace(/(?<![\w.)\]-])-(?=\d)/g, "−");
}

/** How far an energy is above the least possible one. Neurons that nearly coincide have an energy without meaning. */
export function writeExcess(percent: number): string {
  return percent > 1000 ? "over 1,000%" : `${number(percent, 2)}%`;
}
