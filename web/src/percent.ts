/** The error of an accuracy, and the accuracy of an error, in percent. */
export function complement(percent: number): number {
  return 100 - percent;
}
