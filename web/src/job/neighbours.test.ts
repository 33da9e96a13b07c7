import { expect, test } from "vitest";
import { neighboursOf } from "./neighbours";

test("the previous and the next job are the nearest numbers, whatever the order of the list", () => {
  expect(neighboursOf([9, 1, 4, 7], 4)).toEqual({ previous: 1, next: 7 });
  expect(neighboursOf([9, 1, 4, 7], 1)).toEqual({ previous: null, next: 4 });
  expect(neighboursOf([9], 9)).toEqual({ previous: null, next: null });
});
