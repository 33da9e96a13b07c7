import { expect, test } from "vitest";
import { newest } from "./newest";

test("an answer that was overtaken is no news, one that comes in between is", () => {
  const ask = newest();
  const [first, second, third] = [ask(), ask(), ask()];
  expect([second(), first(), third()]).toEqual([true, false, true]);
});
