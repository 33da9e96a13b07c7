import { beforeEach, expect, test, vi } from "vitest";
import { getExperiment, getLog, Problem, runQuery, signOut, submitSpec } from "./api";
import { session } from "./session.svelte";

const fetched = vi.fn<typeof fetch>();

beforeEach(() => {
  vi.stubGlobal("fetch", fetched.mockReset());
  session.wanted = false;
});

const answer = (body: BodyInit | null, init: ResponseInit = {}) => fetched.mockResolvedValueOnce(new Response(body, init));
const refused = async (call: Promise<unknown>): Promise<Problem> => {
  const problem = await call.then(() => null, (error: unknown) => error);
  expect(problem).toBeInstanceOf(Problem);
  return problem as Problem;
};

test("an error contains the server's problem and every mistake", async () => {
  const errors = [{ pointer: "/seeds", detail: "is missing" }];
  answer(JSON.stringify({ title: "The spec is not valid", detail: "1 mistake", errors }), { status: 422 });
  const problem = await refused(submitSpec("name = 1", "key"));
  expect(problem).toMatchObject({ status: 422, title: "The spec is not valid", detail: "1 mistake", message: "1 mistake", errors, retryable: false });
});

test("an error without a problem document names the status", async () => {
  for (const body of ["<html>", "null", "[]", ""]) {
    answer(body, { status: 500 });
    expect(await refused(getExperiment(1))).toMatchObject({ status: 500, message: "The server answered 500", errors: [], retryable: false });
  }
});

test("only unavailability and overload are temporary", async () => {
  for (const [status, retryable] of [[400, false], [404, false], [429, true], [500, false], [502, true], [503, true]] as const) {
    answer("{}", { status });
    expect([status, (await refused(getExperiment(1))).retryable]).toEqual([status, retryable]);
  }
});

test("a lost connection, before or during the answer, counts as no answer", async () => {
  fetched.mockRejectedValueOnce(new TypeError("Failed to fetch"));
  const silent = { status: 0, message: "The server does not answer", retryable: true };
  expect(await refused(getExperiment(1))).toMatchObject(silent);
  const start = (stream: ReadableStreamDefaultController) => {
    stream.enqueue(new TextEncoder().encode('{"id"'));
    stream.error(new TypeError("cut"));
  };
  const cut = () => new ReadableStream({ start });
  answer(cut());
  expect(await refused(getExperiment(1))).toMatchObject(silent);
  answer(cut());
  expect(await refused(getLog(1, 1, 0))).toMatchObject(silent);
});

test("a successful answer that is not JSON counts as a proxy's page", async () => {
  for (const call of [() => getExperiment(1), () => submitSpec("", "key"), () => runQuery("SELECT 1", 1)]) {
    answer("<html>Please log in</html>");
    expect(await refused(call())).toMatchObject({ status: 502, title: "The answer is not from optlab", retryable: true });
  }
});

test("an aborted request is not reported as an error", async () => {
  const gone = new AbortController();
  gone.abort();
  const reason = new DOMException("aborted", "AbortError");
  fetched.mockRejectedValueOnce(reason);
  await expect(getExperiment(1, gone.signal)).rejects.toBe(reason);
});

test("any request without a valid token makes the page ask for one", async () => {
  answer(JSON.stringify({ title: "Sign in" }), { status: 401 });
  expect(await refused(getExperiment(1))).toMatchObject({ status: 401, retryable: false });
  expect(session.wanted).toBe(true);
});

test("an answer may have no body", async () => {
  answer(null, { status: 204 });
  await expect(signOut()).resolves.toBeUndefined();
});
