/**
 * For each value its rank from 1 for the lowest to 0 for the highest; equal values share the mean of theirs. Unlike a
 * share of the range, one extreme value does not make all others look alike.
 */
export function rankShares(values: number[]): number[] {
  const sorted = [...values].sort((a, b) => a - b);
  const last = sorted.length - 1;
  return values.map((value) => {
    if (last < 1) return 1;
    const middle = (sorted.indexOf(value) + sorted.lastIndexOf(value)) / 2;
    return 1 - middle / last;
  });
}
