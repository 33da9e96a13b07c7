import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { getCurves } from "../api";
import type { Curves } from "../contract";
import { CurveStore, type CurveRequest } from "./curve_store.svelte";

vi.mock("../api", () => ({ getCurves: vi.fn(), getRuns: vi.fn(), Problem: class extends Error {} }));

/** Pending requests in their order; the test answers them. */
let answers: ((width: number) => Promise<void>)[];

beforeEach(() => {
  vi.useFakeTimers();
  answers = [];
  vi.mocked(getCurves).mockImplementation(
    () =>
      new Promise((resolve) =>
        answers.push(async (width) => {
          resolve({ series: "a", unit: "", higher_is_better: null, width, arms: [] } satisfies Curves);
          await vi.advanceTimersByTimeAsync(0);
        }),
      ),
  );
});
afterEach(() => void vi.useRealTimers());

const WHOLE: CurveRequest = { kind: "curves", series: "a", points: 10, range: null };

test("a slow answer does not replace a newer one", async () => {
  const store = new CurveStore([1], () => {});
  store.subscribe(WHOLE);
  store.ask();
  await vi.advanceTimersByTimeAsync(10);
  await answers[1]!(2);
  await answers[0]!(1);
  expect(store.curves(WHOLE)?.width).toBe(2);
  store.stop();
});

test("an obsolete zoomed range is dropped, even if its answer is late", async () => {
  const store = new CurveStore([1], () => {});
  const look: CurveRequest = { ...WHOLE, range: [10, 20] };
  store.subscribe(look)();
  await answers[0]!(1);
  expect(store.curves(look)).toBeUndefined();
  store.stop();
});
