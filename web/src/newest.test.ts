import { expect, test } from "vitest";
import { newest } from "./newest";

test("only answers newer than the last one count", () => {
  const ask = newest();
  const [first, second, third] = [ask(), ask(), ask()];
  expect([second(), first(), third()]).toEqual([true, false, true]);
});
