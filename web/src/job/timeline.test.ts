import { expect, test } from "vitest";
import type { Attempt } from "../contract";
import { ATTEMPT } from "../fixtures";
import { barsOf } from "./timeline";

const attempt = (number: number, from: number, to: number | null): Attempt => ({
  ...ATTEMPT,
  number,
  started_at: new Date(from * 1000).toISOString(),
  ended_at: to === null ? null : new Date(to * 1000).toISOString(),
});

test("the time line spans the first start to the last end, or to now", () => {
  const bars = barsOf([attempt(1, 100, 150), attempt(2, 175, null)], 200_000);
  expect(bars.map(({ left, width, seconds }) => [left, width, seconds])).toEqual([[0, 0.5, 50], [0.75, 0.25, 25]]);
});

test("a clock that is behind the server's gives no negative length", () => {
  expect(barsOf([attempt(1, 100, null)], 90_000)[0]!.seconds).toBe(0);
});
