// Exponential smoothing without the bias towards zero at the beginning.

/** `weight` is that of the past, from 0 for none to below 1. */
export function smooth(values: number[], weight: number): number[] {
  if (weight <= 0) return values;
  let [sum, total] = [0, 0];
  return values.map((value) => {
    sum = weight * sum + (1 - weight) * value;
    total = weight * total + (1 - weight);
    return sum / total;
  });
}

/** The weight in an address: 0 for no text, and for any that is no weight. */
export function readWeight(text: string | null): number {
  const weight = /^0?\.\d{1,3}$/.test(text ?? "") ? Number(text) : 0;
  return Math.min(0.99, weight);
}
