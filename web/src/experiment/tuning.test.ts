import { expect, test } from "vitest";
import { styleArms } from "../arms";
import type { ArmTuning, RangeSpec, Trial, Tuning } from "../contract";
import { bestCsv, bestLines, dotsOf, fieldsOf, progressOf, sentenceOf, trialsCsv } from "./tuning";

const RATE = "optimizer.learning_rate";
const LOG: RangeSpec = { from: 0.01, to: 1, scale: "log" };

/** A trial with the errors of its seeds; null is a failed run, undefined one that waits. */
function trial(number: number, point: Record<string, unknown>, errors: (number | null | undefined)[], more: Partial<Trial> = {}): Trial {
  const known = errors.filter((error) => typeof error === "number");
  return {
    trial: number,
    point,
    rank: null,
    score: known.length === errors.length ? known.reduce((sum, error) => sum + error, 0) / known.length : null,
    chosen: false,
    runs: errors.map((error, index) => ({
      seed: 1000 + index,
      job_id: 10 * number + index,
      state: error === undefined ? ("queued" as const) : error === null ? ("failed" as const) : ("succeeded" as const),
      end_reason: error === null ? ("diverged" as const) : null,
      validation_error: error ?? null,
      seconds: error === undefined ? null : 2,
    })),
    ...more,
  };
}

function arm(name: string, space: Record<string, RangeSpec>, candidates: Trial[], more: Partial<ArmTuning> = {}): ArmTuning {
  return { arm: name, method: name, phase: "trial", space, chosen: null, frozen_at: null, waits: null, warnings: [], candidates, best_of: [], trial_seconds: null, in_baseline_time: null, stopped_early: null, ...more };
}

const tuningOf = (arms: ArmTuning[]): Tuning => ({ trials: 2, seeds: [1000, 1001], seed: 0, sampler: "sobol", halving: null, baseline: null, baseline_seconds: null, arms });
const styles = (...names: string[]) => styleArms(names.map((name) => ({ name, method: name })));

test("a field has one axis for all arms, with the edges of a range that all share", () => {
  const fields = (...ranges: RangeSpec[]) => fieldsOf(tuningOf(ranges.map((range, index) => arm(`${index}`, { [RATE]: range }, []))));
  expect(fields(LOG, LOG)).toEqual([{ path: RATE, axis: { kind: "log", ends: [0.01, 1], edges: [0.01, 1] } }]);
  expect(fields(LOG, { from: 0.1, to: 10, scale: "log" })[0]!.axis).toEqual({ kind: "log", ends: [0.01, 10], edges: [] });
  expect(fields({ from: 0, to: 1, scale: "linear" })[0]!.axis).toMatchObject({ kind: "linear", ends: [0, 1] });
  expect(fields({ values: [true, "cosine"] }, { values: ["cosine", 3] })[0]!.axis).toEqual({ kind: "words", words: ["true", "cosine", "3"] });
  expect(fields(LOG, { values: [2, 3] })[0]!.axis).toEqual({ kind: "log", ends: [0.01, 3], edges: [] });
});

test("every trial that has a figure or has failed is a dot", () => {
  const tuning = tuningOf([
    arm("a", { [RATE]: LOG }, [
      trial(0, { [RATE]: 0.1 }, [2, 4], { chosen: true }),
      trial(1, { [RATE]: 0.2 }, [5, undefined]),
      trial(2, { [RATE]: 1 }, [9, null]),
      trial(3, { [RATE]: 0.5 }, [undefined, undefined]),
    ]),
    arm("b", {}, [trial(0, {}, [1, 1])]),
  ]);
  const dots = dotsOf(fieldsOf(tuning)[0]!, tuning, styles("a", "b"));
  expect(dots.map(({ key, x, y, spread, ringed, hollow }) => [key, x, y, spread, ringed, hollow])).toEqual([
    ["a 0", 0.1, 3, [2, 4], true, false],
    ["a 1", 0.2, 5, null, false, true],
    ["a 2", 1, null, null, false, true],
  ]);
  expect(dotsOf(fieldsOf(tuning)[0]!, tuning, styles("b"))).toEqual([]);
});

test("the arms of a value are side by side", () => {
  const space = { flip: { values: [true, false] } };
  const tuning = tuningOf(["a", "b", "c"].map((name) => arm(name, space, [trial(0, { flip: false }, [1])])));
  expect(dotsOf(fieldsOf(tuning)[0]!, tuning, styles("a", "b", "c")).map(({ x }) => x)).toEqual([0.7, 1, 1.3]);
  expect(dotsOf(fieldsOf(tuning)[0]!, tuning, styles("b"))[0]!.x).toBe(1);
  const numbers = tuningOf(["a", "b", "c"].map((name) => arm(name, { [RATE]: LOG }, [trial(0, { [RATE]: 0.1 }, [1])])));
  const shifts = (...names: string[]) => dotsOf(fieldsOf(numbers)[0]!, numbers, styles(...names)).map(({ x, shift }) => [x, shift]);
  expect(shifts("a", "b")).toEqual([[0.1, -3], [0.1, 3]]);
  expect(shifts("a", "b", "c")).toEqual([[0.1, -6], [0.1, 0], [0.1, 6]]);
  expect(shifts("b")).toEqual([[0.1, 0]]);
});

test("the best of k trials is drawn against their number or their time", () => {
  const best_of = [{ expected: 6, low: 2, high: 10 }, { expected: 4, low: 2, high: 9 }];
  const tuning = tuningOf([arm("a", {}, [], { best_of, trial_seconds: 1.5 }), arm("b", {}, [])]);
  const [line, ...others] = bestLines(tuning, styles("a", "b"), "trials");
  expect([line!.x, line!.mean, line!.interval, others]).toEqual([[1, 2], [6, 4], [[2, 10], [2, 9]], []]);
  expect(bestLines(tuning, styles("a"), "seconds")[0]!.x).toEqual([1.5, 3]);
  expect(bestCsv([line!])).toBe("arm,trials,x,expected,p10,p90\r\na,1,1,6,2,10\r\na,2,2,4,2,9\r\n");
  const untimed = tuningOf([arm("a", {}, [], { best_of })]);
  expect(bestLines(untimed, styles("a"), "seconds")).toEqual([]);
});

test("the state of the tuning is told in words", () => {
  const open = arm("a", { [RATE]: LOG }, [trial(0, { [RATE]: 0.1 }, [2, 4]), trial(1, { [RATE]: 0.2 }, [null, undefined])]);
  expect(progressOf(open, 2)).toBe("1 of 2 trials ended, 1 failed");
  expect(sentenceOf(tuningOf([open, arm("b", {}, [])]))).toBe("Tuning: 1 of 4 trials have ended; no choice is made yet.");
  const made = (name: string, point: Record<string, unknown>) => arm(name, { [RATE]: LOG }, [trial(0, point, [2, 4], { chosen: true })]);
  expect(sentenceOf(tuningOf([made("a", { [RATE]: 0.1 }), open]))).toBe(
    "Chosen by validation error from 2 trials per arm (optimizer.learning_rate): a 0.1; 1 arm without a choice yet.",
  );
  expect(sentenceOf(tuningOf([made("a", { [RATE]: 0.1, flip: true })]))).toBe(
    "Chosen by validation error from 2 trials per arm: a optimizer.learning_rate 0.1, flip true.",
  );
  const many = Array.from({ length: 9 }, (_, index) => made(`arm-${index}`, { [RATE]: 0.1 }));
  expect(sentenceOf(tuningOf(many))).toBe("Chosen by validation error from 2 trials per arm: 9 of 9 arms.");
});

test("a CSV table has every run of the shown arms", () => {
  const tuning = tuningOf([arm("a", { [RATE]: LOG }, [trial(0, { [RATE]: 0.1 }, [2, null], { chosen: true })]), arm("b", {}, [trial(0, {}, [1])])]);
  expect(trialsCsv(tuning, ["a"])).toBe(
    "arm,trial,seed,optimizer.learning_rate,state,end_reason,validation_error,seconds,chosen\r\na,0,1000,0.1,succeeded,,2,2,1\r\na,0,1001,0.1,failed,diverged,,2,1\r\n",
  );
});
