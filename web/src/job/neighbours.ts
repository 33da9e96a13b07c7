/** The jobs before and after one in the order of their numbers; null at the ends. */
export function neighboursOf(ids: number[], id: number): { previous: number | null; next: number | null } {
  const before = ids.filter((other) => other < id);
  const after = ids.filter((other) => other > id);
  return { previous: before.length ? Math.max(...before) : null, next: after.length ? Math.min(...after) : null };
}
