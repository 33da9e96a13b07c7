import { expect, test } from "vitest";
import { armName, mentions, styleArms } from "./arms";

const arm = (name: string) => ({ name, method: name === "baseline" ? "baseline" : "opt:cayley" });

test("the experiment's baseline is grey at any position, the others take colours in order", () => {
  const tokens = (baseline: string | null) => styleArms([arm("opt-a"), arm("baseline"), arm("opt-b")], baseline).map((style) => style.token);
  expect(tokens("baseline")).toEqual(["--arm-0", "--arm-baseline", "--arm-1"]);
  expect(tokens("opt-b")).toEqual(["--arm-0", "--arm-1", "--arm-baseline"]);
  expect(tokens(null)).toEqual(["--arm-0", "--arm-1", "--arm-2"]);
});

test("of many arms, the method has the hue and the mark, the setting the shade and the line style", () => {
  const methods = ["baseline", "opt:cayley", "opt:lowdin", "mhe"];
  const arms = methods.flatMap((method) => [1, 2, 3].map((rate) => ({ name: `${method}-${rate}`, method })));
  const styles = styleArms(arms, "baseline-1");
  expect(new Set(styles.map(({ token, dash }) => `${token} ${dash}`)).size).toBe(12);
  expect(styles.filter(({ token }) => token === "--arm-baseline").map(({ name }) => name)).toEqual(["baseline-1"]);
  for (const method of methods.slice(1)) {
    const own = styles.filter((style) => style.method === method);
    expect(new Set(own.map(({ token }) => token.split("+")[0])).size).toBe(1);
    expect(new Set(own.map(({ marker }) => marker)).size).toBe(1);
    expect(new Set(own.map(({ token }) => token)).size).toBe(3);
    expect(new Set(own.map(({ dash }) => dash.join())).size).toBe(3);
  }
  expect(new Set(styles.slice(3).map(({ marker }) => marker)).size).toBe(3);
});

test("ten methods have ten hues, and up to eight arms have no marks", () => {
  const many = styleArms(Array.from({ length: 10 }, (_, index) => ({ name: `${index}`, method: `opt:${index}` })));
  expect(new Set(many.map(({ token }) => token)).size).toBe(10);
  const few = styleArms(Array.from({ length: 8 }, (_, index) => arm(`opt-${index}`)));
  expect(few.every(({ marker }) => marker === null)).toBe(true);
  expect(new Set(few.map(({ token, dash }) => `${token} ${dash}`)).size).toBe(8);
});

test("names of arms are found in a sentence, longer ones first", () => {
  const styles = styleArms([arm("baseline"), arm("opt"), arm("opt-cayley")]);
  const parts = mentions("opt-cayley leads baseline by 0.84 points", styles);
  expect(parts.map((part) => [part.text, part.arm?.name])).toEqual([
    ["opt-cayley", "opt-cayley"],
    [" leads ", undefined],
    ["baseline", "baseline"],
    [" by 0.84 points", undefined],
  ]);
});

test("of several experiments, the method has the hue, the experiment the line style and the mark", () => {
  const arms = [1, 4].flatMap((experiment) => ["baseline", "opt-a", "opt-b"].map((name) => ({ ...arm(name), name: `${experiment}/${name}`, experiment })));
  const styles = styleArms(arms, "1/baseline");
  const [baseline, a, b, other_baseline, other_a, other_b] = styles;
  expect(styles.filter(({ token }) => token === "--arm-baseline")).toEqual([baseline]);
  expect(other_baseline!.token.split("+")[0]).toBe("--arm-baseline");
  expect([a!.token, b!.token]).toEqual([other_a!.token, other_b!.token]);
  expect(a!.token).not.toBe(b!.token);
  for (const own of [styles.slice(0, 3), styles.slice(3)]) expect(new Set(own.map(({ dash, marker }) => `${dash} ${marker}`)).size).toBe(1);
  expect([a!.dash.join(), a!.marker]).not.toEqual([other_a!.dash.join(), other_a!.marker]);
  expect(new Set(styles.map(({ token, dash }) => `${token} ${dash}`)).size).toBe(6);
});

test("an arm is named after its experiment if there are several", () => {
  expect([armName([4], 4, "opt"), armName([1, 4], 4, "opt")]).toEqual(["opt", "4/opt"]);
  const [one, eleven] = styleArms([{ ...arm("1/opt"), experiment: 1 }, { ...arm("11/opt"), experiment: 11 }]);
  expect(mentions("11/opt leads 1/opt", [one!, eleven!]).map((part) => part.arm?.name)).toEqual(["11/opt", undefined, "1/opt"]);
});
