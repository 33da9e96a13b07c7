// The tuning of an experiment as charts and words: a dot per trial, the best of k trials, the choices.

import type { ArmStyle } from "../arms";
import type { Line, Range } from "../chart/curves";
import type { Axis, Dot } from "../chart/scatter";
import type { ArmTuning, Trial, TrialRun, Tuning } from "../contract";
import { toCsv } from "../csv";
import { plural } from "../format";
import { armsOf } from "./sql";

/** A tuned field, and the axis on which all arms have their values of it. */
export interface Field {
  path: string;
  axis: Axis;
}

/** The tuned fields, in the order of the arms that have them. */
export function fieldsOf(tuning: Tuning): Field[] {
  const paths = [...new Set(tuning.arms.flatMap((arm) => Object.keys(arm.space)))];
  return paths.map((path) => ({ path, axis: axisOf(tuning.arms, path) }));
}

function axisOf(arms: ArmTuning[], path: string): Axis {
  const ranges = arms.flatMap((arm) => arm.space[path] ?? []);
  const intervals = ranges.flatMap((range) => ("from" in range ? [range] : []));
  const values = ranges.flatMap((range) => ("values" in range ? range.values : []));
  if (intervals.length === 0) return { kind: "words", words: [...new Set(values.map(shown))] };
  const numbers = [...intervals.flatMap(({ from, to }) => [from, to]), ...values.filter((value) => typeof value === "number")];
  const ends: Range = [Math.min(...numbers), Math.max(...numbers)];
  // The edges of a range are drawn if it is that of every arm.
  const same = intervals.length === ranges.length && intervals.every(({ from, to }) => from === ends[0] && to === ends[1]);
  const log = ends[0] > 0 && intervals.some(({ scale }) => scale === "log");
  return { kind: log ? "log" : "linear", ends, edges: same ? ends : [] };
}

/** A value of a field as in a spec, words without quotes. */
export function shown(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

export const keyOf = (arm: string, trial: Trial) => `${arm} ${trial.trial}`;

const isOver = ({ state }: TrialRun) => state === "succeeded" || state === "failed" || state === "cancelled";

/** Whether every run of a trial has ended. */
export const hasEnded = (trial: Trial) => trial.runs.every(isOver);

export const hasFailed = (trial: Trial) => trial.runs.some(({ state }) => state === "failed");

export const isStoppedEarly = (trial: Trial) => trial.runs.some(({ end_reason }) => end_reason === "stopped_early");

export function errorsOf(trial: Trial): number[] {
  return trial.runs.flatMap(({ validation_error }) => validation_error ?? []);
}

/** Half of the width in which the dots of one category are. */
const HALF = 0.3;
/** Pixels between the dots of two arms with the same value, and from the first to the middle. */
const BESIDE = 6;
const MOST_BESIDE = 8;

/** The trials of the shown arms that have a figure or have failed. */
export function dotsOf({ path, axis }: Field, tuning: Tuning, styles: ArmStyle[]): Dot[] {
  const arms = styles.flatMap((style) => {
    const arm = tuning.arms.find(({ arm, space }) => arm === style.name && path in space);
    return arm ? [{ style, arm }] : [];
  });
  return arms.flatMap(({ style, arm }, place) => {
    // Arms share values, so they are side by side.
    const side = arms.length > 1 ? (2 * place) / (arms.length - 1) - 1 : 0;
    const words = axis.kind === "words";
    const shift = words ? 0 : side * Math.min(MOST_BESIDE, ((arms.length - 1) * BESIDE) / 2);
    return arm.candidates.flatMap((trial) => {
      const value = trial.point[path];
      const x = words ? axis.words.indexOf(shown(value)) + HALF * side : Number(value);
      const errors = errorsOf(trial);
      const failed = hasFailed(trial);
      if (!failed && errors.length === 0) return [];
      return [{
        key: keyOf(style.name, trial),
        style,
        x,
        shift,
        y: failed ? null : mean(errors),
        spread: !failed && errors.length > 1 ? ([Math.min(...errors), Math.max(...errors)] as Range) : null,
        ringed: trial.chosen,
        hollow: trial.score === null,
      }];
    });
  });
}

function mean(values: number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** What the best of k trials is drawn against. */
export type Budget = "trials" | "seconds";

/** The expected best of k trials of each shown arm, with its interval. */
export function bestLines(tuning: Tuning, styles: ArmStyle[], budget: Budget): Line[] {
  return styles.flatMap((style) => {
    const arm = tuning.arms.find(({ arm }) => arm === style.name);
    const per_trial = budget === "trials" ? 1 : arm?.trial_seconds;
    if (!arm?.best_of.length || !per_trial) return [];
    const trials = arm.best_of.map((_, index) => index + 1);
    return [{
      style,
      steps: trials,
      x: trials.map((number) => number * per_trial),
      mean: arm.best_of.map(({ expected }) => expected),
      std: trials.map(() => null),
      interval: arm.best_of.map(({ low, high }): Range => [low, high]),
      n: trials.map(() => tuning.seeds.length),
    }];
  });
}

/** "3 of 4 trials ended, 2 stopped early (40% of updates saved), 1 failed". */
export function progressOf({ candidates, stopped_early: stopped }: ArmTuning, trials: number): string {
  const parts = [`${candidates.filter(hasEnded).length} of ${plural(trials, "trial")} ended`];
  const failed = candidates.filter(hasFailed).length;
  const cancelled = candidates.filter(({ runs }) => runs.some(({ state }) => state === "cancelled")).length;
  if (stopped?.trials) parts.push(`${stopped.trials} stopped early (${Math.round((100 * stopped.steps_saved) / stopped.steps)}% of updates saved)`);
  if (failed) parts.push(`${failed} failed`);
  if (cancelled) parts.push(`${cancelled} cancelled`);
  return parts.join(", ");
}

/** More choices than this are counted rather than listed. */
const MOST_LISTED = 8;

/** The state of the tuning in one sentence. */
export function sentenceOf(tuning: Tuning): string {
  const { arms, trials } = tuning;
  const chosen = arms.flatMap(({ arm, candidates }) => candidates.filter((trial) => trial.chosen).map(({ point }) => ({ arm, point })));
  if (chosen.length === 0) {
    const ended = arms.reduce((sum, { candidates }) => sum + candidates.filter(hasEnded).length, 0);
    return `Tuning: ${ended} of ${arms.length * trials} trials have ended; no choice is made yet.`;
  }
  const of = `Chosen by validation error from ${plural(trials, "trial")} per arm`;
  if (chosen.length > MOST_LISTED) return `${of}: ${chosen.length} of ${arms.length} arms.`;
  const paths = new Set(chosen.flatMap(({ point }) => Object.keys(point)));
  const words = chosen.map(({ arm, point }) => {
    const values = Object.entries(point).map(([path, value]) => (paths.size === 1 ? shown(value) : `${path} ${shown(value)}`));
    return `${arm} ${values.join(", ")}`;
  });
  const one = paths.size === 1 ? ` (${[...paths][0]})` : "";
  const open = arms.length - chosen.length;
  return `${of}${one}: ${words.join("; ")}${open ? `; ${plural(open, "arm")} without a choice yet` : ""}.`;
}

/** Every run of a trial, for the shown arms. */
export function trialsCsv(tuning: Tuning, names: string[]): string {
  const paths = fieldsOf(tuning).map(({ path }) => path);
  const rows = tuning.arms
    .filter(({ arm }) => names.includes(arm))
    .flatMap(({ arm, candidates }) =>
      candidates.flatMap(({ trial, point, chosen, runs }) =>
        runs.map(({ seed, state, end_reason, validation_error, seconds }) => [
          arm, trial, seed, ...paths.map((path) => (path in point ? shown(point[path]) : "")), state, end_reason ?? "", validation_error ?? "", seconds ?? "", Number(chosen),
        ]),
      ),
    );
  return toCsv(["arm", "trial", "seed", ...paths, "state", "end_reason", "validation_error", "seconds", "chosen"], rows);
}

/** The best of k trials, for the shown arms. */
export function bestCsv(lines: Line[]): string {
  const rows = lines.flatMap(({ style, steps, x, mean, interval }) =>
    steps.map((trials, index) => [style.name, trials, x[index]!, mean[index]!, ...interval![index]!]),
  );
  return toCsv(["arm", "trials", "x", "expected", "p10", "p90"], rows);
}

/** The query for the trials of an experiment. */
export function trialsSql(experiment: number): string {
  return `-- Trials of experiment ${experiment} with their validation errors
SELECT arm, trial, seed, point, state, end_reason, step, steps, validation_error, seconds, chosen FROM trial_summary
WHERE ${armsOf([experiment]).condition}
ORDER BY arm, trial, seed`;
}
