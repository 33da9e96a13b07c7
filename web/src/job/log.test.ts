import { beforeEach, expect, test, vi } from "vitest";
import { getLog } from "../api";
import type { Artifact } from "../contract";
import { Log, logsOf } from "./log.svelte";

vi.mock("../api", () => ({ getLog: vi.fn() }));

/** Pending answers in the order of their requests; the test resolves them. */
let answers: ((text: string) => void)[];
let asked: [attempt: number, from: number][];

beforeEach(() => {
  [answers, asked] = [[], []];
  vi.mocked(getLog).mockImplementation((_, attempt, from) => {
    asked.push([attempt, from]);
    return new Promise((resolve) => answers.push((text) => resolve(new TextEncoder().encode(text))));
  });
});

const file = (attempt: number, bytes: number, kind: Artifact["kind"] = "log"): Artifact => ({ name: `log-${attempt}`, kind, attempt, step: 0, bytes, sha256: "" });
const log = () => new Log(1, new AbortController().signal);

async function read(it: Log, files: Artifact[], text: string) {
  const done = it.follow(files);
  answers.at(-1)!(text);
  await done;
}

test("a log is read from the last position", async () => {
  const it = log();
  await read(it, [file(1, 4)], "one\n");
  await read(it, [file(1, 8)], "two\n");
  expect([it.text, it.attempt]).toEqual(["one\ntwo\n", 1]);
  await it.follow([file(1, 8)]);
  expect(asked).toEqual([[1, 0], [1, 4]]);
});

test("a request repeated at once is shown once", async () => {
  const it = log();
  const [first, second] = [it.follow([file(1, 4)]), it.choose(1, [file(1, 4)])];
  answers[1]!("one\n");
  answers[0]!("one\n");
  await Promise.all([first, second]);
  expect(it.text).toBe("one\n");
});

test("an obsolete answer changes nothing", async () => {
  const it = log();
  const files = [file(1, 4), file(2, 4)];
  await read(it, files, "two\n");
  const [first, second] = [it.choose(1, files), it.choose(2, files)];
  answers[1]!("one\n");
  await Promise.all([first, second]);
  // The log of attempt 2 is complete, so nothing more is requested; that of attempt 1 came too late.
  expect([it.text, it.attempt]).toEqual(["two\n", 2]);
});

test("a later attempt's log replaces the shown one only while the reader is at the end", async () => {
  const it = log();
  await read(it, [file(1, 4)], "one\n");
  it.follows = false;
  await it.follow([file(1, 4), file(2, 4)]);
  expect(it.attempt).toBe(1);
  it.follows = true;
  await read(it, [file(1, 4), file(2, 4)], "two\n");
  expect([it.text, it.attempt]).toEqual(["two\n", 2]);
});

test("a text stays until the chosen one has loaded", async () => {
  const it = log();
  const files = [file(1, 4), file(2, 4)];
  await read(it, files, "two\n");
  const chosen = it.choose(1, files);
  expect([it.text, it.attempt]).toEqual(["two\n", 2]);
  answers.at(-1)!("one\n");
  await chosen;
  expect([it.text, it.attempt]).toEqual(["one\n", 1]);
});

test("only the end of a long log is read; an attempt without a log shows the last one", async () => {
  const it = log();
  await it.choose(7, []);
  await read(it, [file(1, 10), file(2, 250_000), file(3, 10, "weights")], "end");
  expect(asked).toEqual([[2, 50_000]]);
  expect([it.skipped, it.attempt]).toEqual([50_000, 2]);
});

test("a character split between two reads is decoded correctly", async () => {
  const it = log();
  const bytes = new TextEncoder().encode("é");
  vi.mocked(getLog).mockResolvedValueOnce(bytes.slice(0, 1)).mockResolvedValueOnce(bytes.slice(1));
  await it.follow([file(1, 1)]);
  await it.follow([file(1, 2)]);
  expect(it.text).toBe("é");
});

test("logs are listed from the last attempt to the first", () => {
  expect(logsOf([file(1, 1), file(2, 1, "spec"), file(3, 1)]).map(({ attempt }) => attempt)).toEqual([3, 1]);
});
