import { expect, test } from "vitest";
import { cssOf, resolve, shadeOf } from "./shade";

const THEME: Record<string, string> = { "--arm-0": "#0072b2", "--ink": "#000000", "--panel": "#ffffff" };

test("a shade is the same colour as CSS and as a number", () => {
  expect(cssOf(shadeOf("--arm-0", 0))).toBe("var(--arm-0)");
  expect(cssOf(shadeOf("--arm-0", 1))).toBe("color-mix(in srgb, var(--arm-0) 60%, var(--ink))");
  const colours = [0, 1, 2, 3].map((shade) => resolve(shadeOf("--arm-0", shade), (property) => THEME[property]!));
  expect(colours).toEqual(["#0072b2", "#00446b", "#66aad1", "#0072b2"]);
});
