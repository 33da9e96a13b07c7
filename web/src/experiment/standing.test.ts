import { expect, test } from "vitest";
import type { ArmResult, Standing } from "../contract";
import { overallStanding, withoutBadge } from "./standing";

const overall = (...standings: (Standing | null)[]) => overallStanding({ arms: standings.map((standing) => ({ standing }) as ArmResult) });

test("an experiment stands as its best arm does", () => {
  expect(overall(null, "worse", "better", "too_few_seeds")).toBe("better");
  expect(overall(null, "worse", "no_clear_difference")).toBe("no_clear_difference");
  expect(overall(null, "worse", "worse")).toBe("worse");
  expect(overall(null, "too_few_seeds")).toBe("too_few_seeds");
  expect(overall(null, null)).toBeNull();
  expect(overallStanding(null)).toBeNull();
});

test("the sentence beside a badge does not repeat it", () => {
  expect(withoutBadge("No clear difference: a differs from b by −0.3 points.", "no_clear_difference")).toBe("a differs from b by −0.3 points.");
  expect(withoutBadge("Too few seeds to tell: a conclusion needs 5.", "too_few_seeds")).toBe("a conclusion needs 5.");
  expect(withoutBadge("Too early to tell: a conclusion needs 5.", "too_few_seeds")).toBe("Too early to tell: a conclusion needs 5.");
  expect(withoutBadge("a leads b by 1 point.", "better")).toBe("a leads b by 1 point.");
  expect(withoutBadge("No clear difference", "no_clear_difference")).toBe("No clear difference");
  expect(withoutBadge("b is the only arm.", null)).toBe("b is the only arm.");
});
