// Pools of pilots, in words.

import type { Pool } from "../contract";

/** "2 waiting (Resources, Priority)"; empty if no pilot waits. */
export function waiting(pool: Pool): string {
  const pilots = pool.pilots.filter((pilot) => pilot.state === "pending");
  const reasons = [...new Set(pilots.flatMap((pilot) => pilot.reason ?? []))];
  if (pilots.length === 0) return "";
  return `${pilots.length} waiting${reasons.length ? ` (${reasons.join(", ")})` : ""}`;
}
