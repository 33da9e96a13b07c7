// Positions and texts of the numbers of an axis, on the screen and in exported figures.

import { count, number } from "../format";

/** Multiples of 1, 2 or 5 times a power of ten, at most `most` in a range. */
export function linearTicks(low: number, high: number, most: number): number[] {
  const least = (high - low) / Math.max(1, most);
  if (!(least > 0) || !Number.isFinite(least)) return [low];
  const power = 10 ** Math.floor(Math.log10(least));
  const distance = [1, 2, 5, 10].map((factor) => factor * power).find((step) => step >= least * (1 - 1e-9))!;
  const ticks: number[] = [];
  for (let index = Math.ceil(low / distance - 1e-9); index * distance <= high + distance * 1e-9; index++) {
    // Dividing keeps 0.3 from becoming 0.30000000000000004, adding 0 makes 0 of −0.
    ticks.push(distance < 1 ? index / Math.round(1 / distance) + 0 : index * distance + 0);
  }
  return ticks;
}

/**
 * Powers of ten, thinned out if there are many. A range with fewer than two has 1, 2 and 5 times a power or, if that are
 * fewer than three, ordinary ticks.
 */
export function logTicks(low: number, high: number, most: number): number[] {
  const first = Math.ceil(Math.log10(low) - 1e-9);
  const last = Math.floor(Math.log10(high) + 1e-9);
  if (last - first < 1) {
    const finer = Array.from({ length: 3 }, (_, index) => 10 ** (first - 1 + index)).flatMap((power) => [1, 2, 5].map((factor) => Number((factor * power).toPrecision(1))));
    const inside = finer.filter((tick) => tick >= low && tick <= high);
    return inside.length > 2 ? inside : linearTicks(low, high, most).filter((tick) => tick > 0);
  }
  const stride = Math.ceil((last - first + 1) / Math.max(2, most));
  const powers: number[] = [];
  for (let power = first; power <= last; power += stride) powers.push(10 ** power);
  return powers;
}

/** The numbers of an axis: with equal decimals if they are evenly spaced, as powers otherwise. */
export function tickLabels(ticks: number[]): string[] {
  const [first, second] = ticks;
  if (first === undefined) return [];
  if (second === undefined) return [short(first)];
  const distance = second - first;
  const even = ticks.every((tick, index) => index === 0 || Math.abs(tick - ticks[index - 1]! - distance) < 1e-6 * distance);
  if (!even || Math.abs(second / first - 10) < 1e-9) return ticks.map(short);
  const largest = Math.max(...ticks.map(Math.abs));
  if (distance < 1e-5 || largest >= 1e7) return ticks.map((tick) => (tick === 0 ? "0" : exponent(tick)));
  const whole = (decimals: number) => Math.abs(distance * 10 ** decimals - Math.round(distance * 10 ** decimals)) < 1e-6;
  let decimals = 0;
  while (!whole(decimals)) decimals++;
  return ticks.map((tick) => (decimals === 0 ? count(Math.round(tick)).replace("-", "−") : number(tick, decimals)));
}

function short(tick: number): string {
  const size = Math.abs(tick);
  if (tick !== 0 && (size < 1e-3 || size >= 1e6)) return exponent(tick);
  return String(Number(tick.toPrecision(6))).replace("-", "−");
}

function exponent(tick: number): string {
  return tick.toExponential(Number(tick.toExponential(1).split("e")[0]) % 1 === 0 ? 0 : 1).replace("e+", "e").replaceAll("-", "−");
}
