import { expect, test } from "vitest";
import { armsOf, remember, toggled } from "./arms";
import { fieldsOf, lengthOf } from "./fields";
import { numberFrom, numbersFrom, setAt, type Spec, textOf, valueAt, withoutNulls } from "./spec";
import { read, rewrite, write } from "./text";

const TOML = `# Why this experiment.
name = "small"
seeds = [0, 1]

[train]
epochs = 3            # enough
model = { kind = "mlp", hidden = [64] }
optimizer = { kind = "sgd", learning_rate = 0.1, weight_decay = 1e-4 }

[[arms]]
name = "baseline"
method = { kind = "baseline" }

[[arms]]
name = "opt"
method = { kind = "opt", transform = "cayley" }
`;

function edited(text: string, change: (spec: Spec) => void): string {
  const spec = structuredClone(read(text)!);
  change(spec);
  return rewrite(text, spec);
}

test("a field of the form changes its place in the text and nothing else", () => {
  const text = edited(TOML, (spec) => setAt(spec, ["train", "optimizer", "learning_rate"], 0.05));
  expect(text).toBe(TOML.replace("learning_rate = 0.1", "learning_rate = 0.05"));
});

test("a field whose table is missing brings it along, and one that is emptied goes", () => {
  const text = edited(TOML, (spec) => setAt(spec, ["resources", "device"], "cpu"));
  expect(valueAt(read(text), ["resources", "device"])).toBe("cpu");
  expect(text).toContain("# enough");
  expect(valueAt(read(edited(text, (spec) => setAt(spec, ["train", "epochs"], undefined))), ["train", "epochs"])).toBeUndefined();
});

test("an arm that is switched off and on again is as it was", () => {
  const known = armsOf(read(TOML));
  const without = edited(TOML, (spec) => (spec.arms = toggled(spec, known, "baseline")));
  expect(armsOf(read(without)).map((arm) => arm.name)).toEqual(["opt"]);
  expect(without).toContain("# enough");
  const again = edited(without, (spec) => (spec.arms = toggled(spec, known, "baseline")));
  expect(read(again)).toEqual(read(TOML));
});

test("however arms are written, what stays on keeps its method", () => {
  const nested = 'name = "a"\n[[arms]]\nname = "b"\n[arms.method]\nkind = "baseline"\n[[arms]]\nname = "c"\n[arms.method]\nkind = "opt"\n';
  const dotted = 'name = "a"\n[[arms]]\nname = "b"\nmethod.kind = "baseline"\n[[arms]]\nname = "c"\nmethod.kind = "opt"\nmethod.transform = "cayley"\n';
  for (const text of [nested, dotted]) {
    const known = armsOf(read(text));
    const without = edited(text, (spec) => (spec.arms = toggled(spec, known, "b")));
    expect(armsOf(read(without))).toEqual([known[1]]);
    expect(read(edited(without, (spec) => (spec.arms = toggled(spec, known, "b"))))).toEqual(read(text));
  }
});

test("arms that are typed are known, in their place, and keep what was changed in them", () => {
  const arm = (name: string, mark = 0) => ({ name, table: { name, mark } });
  const known = remember([arm("a"), arm("b"), arm("c")], [arm("a", 1), arm("new"), arm("c")]);
  expect(known.map(({ name, table }) => [name, table.mark])).toEqual([["a", 1], ["new", 0], ["b", 0], ["c", 0]]);
});

test("JSON is edited as JSON", () => {
  const text = edited('{"name": "small", "seeds": [0]}', (spec) => setAt(spec, ["seeds"], numbersFrom("0-2")));
  expect(JSON.parse(text)).toEqual({ name: "small", seeds: [0, 1, 2] });
});

test("what is no document is no spec", () => {
  expect(["name = ", "{", "[1", "x"].map(read)).toEqual([null, null, null, null]);
});

test("a stored spec becomes a text that says the same", () => {
  const stored = { name: "a", train: { steps: null, epochs: 2, data: { name: "digits", augment: [] } }, arms: [{ name: "b", train: null, method: { kind: "baseline" } }] };
  expect(read(write(stored))).toEqual(withoutNulls(stored));
});

test("lists of whole numbers are read and shown as ranges", () => {
  expect(numbersFrom("0-3, 7 9")).toEqual([0, 1, 2, 3, 7, 9]);
  expect(numbersFrom("4-1, x")).toEqual(["4-1", "x"]);
  expect(numbersFrom(" ")).toBeUndefined();
  expect([textOf([0, 1, 2, 3, 7, 9, 10]), textOf([128, 128]), textOf([0, 1]), textOf(undefined)]).toEqual(["0-3, 7, 9, 10", "128, 128", "0, 1", ""]);
});

test("what is no number is left for the server to refuse", () => {
  expect(["1e-4", " 3 ", "fast", "", "Infinity"].map(numberFrom)).toEqual([1e-4, 3, "fast", undefined, "Infinity"]);
});

test("the form asks for the width by the model's own name, and for the length in the spec's own unit", () => {
  const width = (model: Spec) => fieldsOf({ train: { model } }).how.at(-1)!.path.at(-1);
  expect([{ kind: "mlp" }, { kind: "cnn6", widths: [16] }, { kind: "resnet20" }].map(width)).toEqual(["hidden", "widths", "width"]);
  expect([lengthOf({ train: { steps: 5 } }), lengthOf({})]).toEqual(["steps", "epochs"]);
});
