import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { coalesce } from "./coalesce";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test("many requests cause one run now and one after the interval", async () => {
  const task = vi.fn(async () => {});
  const coalesced = coalesce(task, 1000);
  coalesced.ask();
  await vi.advanceTimersByTimeAsync(1);
  for (let i = 0; i < 50; i++) coalesced.ask();
  await vi.advanceTimersByTimeAsync(900);
  expect(task).toHaveBeenCalledTimes(1);
  await vi.advanceTimersByTimeAsync(5000);
  expect(task).toHaveBeenCalledTimes(2);
});

test("a slow run is not overlapped, and a request during it is not lost", async () => {
  let finish = () => {};
  const task = vi.fn(() => new Promise<void>((resolve) => (finish = resolve)));
  const coalesced = coalesce(task, 1000);
  coalesced.ask();
  await vi.advanceTimersByTimeAsync(1);
  coalesced.ask();
  await vi.advanceTimersByTimeAsync(10_000);
  expect(task).toHaveBeenCalledTimes(1);
  finish();
  await vi.advanceTimersByTimeAsync(5000);
  expect(task).toHaveBeenCalledTimes(2);
});

test("a long run is followed by a pause of the same length", async () => {
  const task = vi.fn(() => new Promise<void>((resolve) => setTimeout(resolve, 1500)));
  const coalesced = coalesce(task, 1000);
  coalesced.ask();
  await vi.advanceTimersByTimeAsync(1);
  coalesced.ask();
  await vi.advanceTimersByTimeAsync(2990);
  expect(task).toHaveBeenCalledTimes(1);
  await vi.advanceTimersByTimeAsync(20);
  expect(task).toHaveBeenCalledTimes(2);
});
