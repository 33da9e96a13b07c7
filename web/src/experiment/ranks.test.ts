import { expect, test } from "vitest";
import { rankShares } from "./ranks";

test("ranks are evenly apart whatever the values, and equal values share one", () => {
  expect(rankShares([2, 1, 90, 3, 4])).toEqual([0.75, 1, 0, 0.5, 0.25]);
  expect(rankShares([1, 1, 2])).toEqual([0.75, 0.75, 0]);
  expect(rankShares([7])).toEqual([1]);
  expect(rankShares([])).toEqual([]);
});
