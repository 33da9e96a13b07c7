import { expect, test } from "vitest";
import type { ArmResult, Standing } from "../contract";
import { overallStanding } from "./standing";

const overall = (...standings: (Standing | null)[]) => overallStanding({ arms: standings.map((standing) => ({ standing }) as ArmResult) });

test("an experiment stands as its best arm does", () => {
  expect(overall(null, "worse", "better", "too_few_seeds")).toBe("better");
  expect(overall(null, "worse", "no_clear_difference")).toBe("no_clear_difference");
  expect(overall(null, "worse", "worse")).toBe("worse");
  expect(overall(null, "too_few_seeds")).toBe("too_few_seeds");
  expect(overall(null, null)).toBeNull();
  expect(overallStanding(null)).toBeNull();
});
