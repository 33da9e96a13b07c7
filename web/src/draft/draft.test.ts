import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { checkSpec, Problem } from "../api";
import type { DryRun } from "../contract";
import { armsOf, placeOf, remember, toggled } from "./arms";
import { Draft } from "./draft.svelte";
import { fieldsOf, lengthOf } from "./fields";
import { numberFrom, numbersFrom, setAt, type Spec, textOf, valueAt, withoutNulls } from "./spec";
import { copyOf, read, rewrite, write } from "./text";

vi.mock("../api", async (original) => ({ ...(await original<typeof import("../api")>()), checkSpec: vi.fn() }));

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

test("a field of the form changes only its place in the text", () => {
  const text = edited(TOML, (spec) => setAt(spec, ["train", "optimizer", "learning_rate"], 0.05));
  expect(text).toBe(TOML.replace("learning_rate = 0.1", "learning_rate = 0.05"));
});

test("a field creates its missing table, and an emptied field is removed", () => {
  const text = edited(TOML, (spec) => setAt(spec, ["resources", "device"], "cpu"));
  expect(valueAt(read(text), ["resources", "device"])).toBe("cpu");
  expect(text).toContain("# enough");
  expect(valueAt(read(edited(text, (spec) => setAt(spec, ["train", "epochs"], undefined))), ["train", "epochs"])).toBeUndefined();
});

test("an arm that is disabled and enabled again is unchanged", () => {
  const known = armsOf(read(TOML));
  const without = edited(TOML, (spec) => (spec.arms = toggled(spec, known, "baseline")));
  expect(armsOf(read(without)).map((arm) => arm.name)).toEqual(["opt"]);
  expect(without).toContain("# enough");
  const again = edited(without, (spec) => (spec.arms = toggled(spec, known, "baseline")));
  expect(read(again)).toEqual(read(TOML));
});

test("enabled arms keep their method, however they are written", () => {
  const nested = 'name = "a"\n[[arms]]\nname = "b"\n[arms.method]\nkind = "baseline"\n[[arms]]\nname = "c"\n[arms.method]\nkind = "opt"\n';
  const dotted = 'name = "a"\n[[arms]]\nname = "b"\nmethod.kind = "baseline"\n[[arms]]\nname = "c"\nmethod.kind = "opt"\nmethod.transform = "cayley"\n';
  for (const text of [nested, dotted]) {
    const known = armsOf(read(text));
    const without = edited(text, (spec) => (spec.arms = toggled(spec, known, "b")));
    expect(armsOf(read(without))).toEqual([known[1]]);
    expect(read(edited(without, (spec) => (spec.arms = toggled(spec, known, "b"))))).toEqual(read(text));
  }
});

test("an arm without a name stays in the text and is counted", () => {
  const spec = read(`${TOML}\n[[arms]]\nmethod = { kind = "opt" }\n`)!;
  const arms = toggled(spec, armsOf(spec), "baseline");
  expect(arms.map((arm) => (arm as Spec).name)).toEqual(["opt", undefined]);
  expect(placeOf({ arms: [{}, { name: "b" }] }, "b")).toBe(1);
  expect([placeOf(spec, "none"), placeOf({}, "b")]).toEqual([-1, -1]);
});

test("typed arms appear in the form in their order and keep their changes", () => {
  const arm = (name: string, mark = 0) => ({ name, table: { name, mark } });
  const known = remember([arm("a"), arm("b"), arm("c")], [arm("a", 1), arm("new"), arm("c")]);
  expect(known.map(({ name, table }) => [name, table.mark])).toEqual([["a", 1], ["new", 0], ["b", 0], ["c", 0]]);
});

test("JSON is edited as JSON", () => {
  const text = edited('{"name": "small", "seeds": [0]}', (spec) => setAt(spec, ["seeds"], numbersFrom("0-2")));
  expect(JSON.parse(text)).toEqual({ name: "small", seeds: [0, 1, 2] });
});

test("a text that is not a document is not a spec", () => {
  expect(["name = ", "{", "[1", "x"].map(read)).toEqual([null, null, null, null]);
});

test("a stored spec becomes an equivalent text", () => {
  const stored = { name: "a", train: { steps: null, epochs: 2, data: { name: "digits", augment: [] } }, arms: [{ name: "b", train: null, method: { kind: "baseline" } }] };
  expect(read(write(stored))).toEqual(withoutNulls(stored));
});

test("a feature that an arm switches off stays off in a new text", () => {
  const spec = { name: "a", train: { clip_norm: 0.5 }, arms: [{ name: "b", train: { clip_norm: null } }] };
  expect(read(write(spec))).toEqual(spec);
});

test("a copy inherits what its original inherited: raising its rate raises the rate of every arm", () => {
  const text = copyOf({ text: TOML, draft: read(TOML)! });
  expect(text).toBe(TOML);
  const raised = edited(text, (spec) => setAt(spec, ["train", "optimizer", "learning_rate"], 0.5));
  expect(armsOf(read(raised)).map((arm) => arm.table.method)).toEqual([{ kind: "baseline" }, { kind: "opt", transform: "cayley" }]);
  expect(valueAt(read(raised), ["train", "optimizer", "learning_rate"])).toBe(0.5);
});

test("a copy starts with the submitted text, as far as that is still valid", () => {
  const draft = { ...read(TOML)!, seeds: [0, 1, 2] };
  expect(copyOf({ text: TOML, draft })).toBe(TOML.replace("seeds = [0, 1]", "seeds = [0, 1, 2]"));
  const recipe = '{"recipe": "digits-mlp"}';
  expect(read(copyOf({ text: recipe, draft }))).toEqual(draft);
  expect(read(copyOf({ text: null, draft }))).toEqual(draft);
  const compact = '{"name":"a","arms":[]}';
  expect(copyOf({ text: compact, draft: { arms: [], name: "a" } })).toBe(compact);
});

test("lists of whole numbers are read and shown as ranges", () => {
  expect(numbersFrom("0-3, 7 9")).toEqual([0, 1, 2, 3, 7, 9]);
  expect(numbersFrom("4-1, x")).toEqual(["4-1", "x"]);
  expect(numbersFrom(" ")).toBeUndefined();
  expect([textOf([0, 1, 2, 3, 7, 9, 10]), textOf([128, 128]), textOf([0, 1]), textOf(undefined)]).toEqual(["0-3, 7, 9, 10", "128, 128", "0, 1", ""]);
});

test("a text that is not a number is left for the server to reject", () => {
  expect(["1e-4", " 3 ", "fast", "", "Infinity"].map(numberFrom)).toEqual([1e-4, 3, "fast", undefined, "Infinity"]);
});

test("the form uses the model's field for the width and the spec's unit of length", () => {
  const width = (model: Spec) => fieldsOf({ train: { model } }).how.at(-1)!.path.at(-1);
  expect([{ kind: "mlp" }, { kind: "cnn6", widths: [16] }, { kind: "resnet20" }].map(width)).toEqual(["hidden", "widths", "width"]);
  expect([lengthOf({ train: { steps: 5 } }), lengthOf({})]).toEqual(["steps", "epochs"]);
});

/** Pending checks in the order of their requests; the test answers them. */
let checks: { text: string; signal: AbortSignal; answer: (made: DryRun) => void; refuse: (problem: Problem) => void }[];
const made = (steps: number): DryRun => ({
  spec: read(TOML) as unknown as DryRun["spec"],
  jobs: [{ arm: "baseline", phase: "confirm", trial: null, seed: 0, steps }],
  estimate: { seconds: null, jobs_measured: 0 },
  slots: 0,
  why_queued: null,
});
const soon = (ms = 0) => vi.advanceTimersByTimeAsync(ms);

beforeEach(() => {
  vi.useFakeTimers();
  checks = [];
  vi.mocked(checkSpec).mockImplementation((text, signal) => {
    return new Promise((answer, refuse) => {
      signal!.addEventListener("abort", () => refuse(new DOMException("aborted", "AbortError") as never));
      checks.push({ text, signal: signal!, answer, refuse });
    });
  });
});
afterEach(() => void vi.useRealTimers());

async function draftOf(text: string): Promise<Draft> {
  const draft = new Draft();
  draft.begin(text);
  await soon(1000);
  checks.at(-1)!.answer(made(90));
  await soon();
  return draft;
}

test("only an answer to the present text counts; the previous one is shown until then", async () => {
  const draft = await draftOf(TOML);
  expect([draft.answer, draft.checking]).toEqual([made(90), false]);
  draft.type(`${TOML}# a`);
  expect([draft.answer, draft.latest, draft.checking]).toEqual([null, made(90), true]);
  await soon(1000);
  draft.type(`${TOML}# b`);
  expect(checks[1]!.signal.aborted).toBe(true);
  await soon(1000);
  expect(draft.answer).toBeNull();
  checks[2]!.answer(made(7));
  await soon();
  expect([draft.answer, checks[2]!.text]).toEqual([made(7), `${TOML}# b`]);
});

test("requests are retried without an answer, but not after a rejection", async () => {
  const draft = new Draft();
  draft.begin(TOML);
  await soon(1000);
  checks[0]!.refuse(new Problem(0, "The server does not answer", ""));
  await soon();
  expect([draft.problem?.status, draft.answer, draft.checking]).toEqual([0, null, false]);
  await soon(5000);
  checks[1]!.refuse(new Problem(422, "wrong", "", [{ pointer: "/train/epochs", detail: "is too large" }]));
  await soon(10_000);
  expect([draft.mistakesAt(["train"]).length, draft.mistakesAt(["arms"]).length, checks.length]).toEqual([1, 0, 2]);
});

test("a text can be restarted, and an editor that repeats it changes nothing", async () => {
  const draft = await draftOf(TOML);
  draft.type(TOML);
  await soon(1000);
  expect(checks.length).toBe(1);
  draft.begin(TOML);
  expect(draft.arms.map((arm) => arm.name)).toEqual(["baseline", "opt"]);
});

test("switching the unit of length back restores the earlier value", async () => {
  const draft = await draftOf(TOML);
  const train = () => draft.spec.train as Spec;
  draft.measure("steps");
  expect([train().epochs, train().steps]).toEqual([undefined, 90]);
  draft.measure("epochs");
  expect([train().epochs, train().steps]).toEqual([3, undefined]);
});

test("an unreadable text keeps the form unchanged, and the form does not overwrite it", async () => {
  const draft = await draftOf(TOML);
  draft.type("name =");
  draft.toggle("opt");
  expect([draft.text, draft.readable, draft.spec.name]).toEqual(["name =", false, "small"]);
});
