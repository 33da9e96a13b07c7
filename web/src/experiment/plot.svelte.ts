// The state of one chart: its series and options from the address, and the resulting figure.

import { lastX, limitsOf, type Line, lineOf, type Range, type RunLine } from "../chart/curves";
import type { CurveRequest } from "./curve_store.svelte";
import { curvesOf, differences, runsOf, sourceOf, within } from "../chart/derived";
import { readValues, writeValues } from "../chart/look";
import type { Figure } from "../chart/paint";
import { levelsOf } from "../chart/levels";
import { including, logRange, reaching, yRange } from "../chart/ranges";
import { address } from "../router.svelte";
import { smooth } from "../chart/smooth";
import { axisTitle, seriesTitle } from "../chart/series";
import { sqlOf } from "./sql";
import type { Stage } from "./stage.svelte";

/** The options of a chart; the address lists the charts for which each is on. */
export type Switch = "log" | "linear" | "runs" | "diff" | "whole";

const RUN_POINTS = 300;
/** Pairing needs single steps, and series that are not of every step have few of them. */
const SPARSE = /^(test|validation|energy|orthogonality_error)\b/;
const PAIR_POINTS = { sparse: 10_000, dense: 1000 };

export class Plot {
  /** `key` names the chart in the address; `usual` is its default series. */
  constructor(
    readonly stage: Stage,
    readonly key: string,
    readonly usual: string,
    readonly points: number,
    readonly slow: boolean,
  ) {}

  readonly series = $derived.by(() => address.get(this.key) ?? this.usual);
  /** A loss and the distance from a rotation span powers of ten, so their axis is logarithmic until the reader chooses a linear one. */
  readonly #usually_log = $derived(/\b(loss|orthogonality_error)\b/.test(this.series));
  readonly log = $derived.by(() => !this.diff && (this.is("log") || (this.#usually_log && !this.is("linear"))));
  readonly runs = $derived.by(() => this.is("runs") && !this.diff);
  readonly diff = $derived.by(() => this.is("diff") && this.stage.baseline !== undefined);
  readonly whole = $derived.by(() => this.is("whole"));

  readonly #source = $derived(sourceOf(this.series));
  readonly #pair_points = $derived(SPARSE.test(this.#source) ? PAIR_POINTS.sparse : PAIR_POINTS.dense);

  /** The whole curve until the zoomed range is loaded, then that range. */
  readonly #mean_requests = $derived.by(() => this.#requests("curves", this.points));
  readonly #pair_requests = $derived.by(() => this.#requests("runs", this.#pair_points));
  readonly #run_requests = $derived.by(() => this.#requests("runs", RUN_POINTS));

  /** The requests of this chart. */
  readonly requests = $derived.by<CurveRequest[]>(() => {
    if (this.diff) return this.#pair_requests;
    return this.runs ? [...this.#mean_requests, ...this.#run_requests] : this.#mean_requests;
  });

  readonly #curves = $derived.by(() => {
    const { view, steps, baseline } = this.stage;
    if (this.diff) {
      const runs = this.#answer(this.#pair_requests, (request) => view.curves.runs(request));
      const { not_comparable } = this.stage;
      const paired = runs && { ...runs, runs: runs.runs.filter((run) => !not_comparable.has(run.arm)) };
      return paired && differences(runsOf(this.series, paired), baseline!.name);
    }
    const [whole, look] = this.#mean_requests.map((request) => view.curves.curves(request));
    const curves = whole && look && steps ? within(whole, look, steps) : (look ?? whole);
    return curves && curvesOf(this.series, curves);
  });

  readonly loaded = $derived(this.#curves !== undefined);
  /** Steps per bucket of the shown data. */
  readonly width = $derived(this.#curves?.width ?? 1);

  readonly #lines = $derived.by<Line[]>(() => {
    const lines = this.stage.visible.flatMap((style) => {
      const curve = this.#curves?.arms.find((candidate) => candidate.arm === style.name);
      return curve?.steps.length ? [lineOf(style, curve, this.stage.x.perStep(style.name))] : [];
    });
    if (this.diff) return this.#smoothed(lines);
    const limits = limitsOf(this.#curves?.unit ?? "", lines.flatMap((line) => line.mean));
    return this.#smoothed(lines.map((line) => ({ ...line, limits })));
  });

  /** The least possible energies of the shown arms. */
  readonly #levels = $derived.by(() => (this.diff ? [] : levelsOf(this.#lines.map(({ style }) => ({ bound: this.#boundOf(style.name) })))));

  /** How far the last energy of each shown arm is above the least possible one, in percent. */
  readonly excesses = $derived.by(() =>
    this.stage.visible.flatMap((style) => {
      const bound = this.#boundOf(style.name);
      return bound && bound.excess != null ? [{ style, excess: bound.excess, reachable: bound.reachable }] : [];
    }),
  );

  readonly #run_lines = $derived.by<RunLine[]>(() => {
    if (!this.runs) return [];
    const { view, visible, x } = this.stage;
    const answer = this.#answer(this.#run_requests, (request) => view.curves.runs(request));
    return (answer ? runsOf(this.series, answer).runs : []).flatMap((run) => {
      const style = visible.find((arm) => arm.name === run.arm);
      if (!style || run.steps.length === 0) return [];
      const { seed, steps, values } = run;
      return [{ style, seed, steps, values, x: steps.map((step) => step * x.perStep(run.arm)) }];
    });
  });

  readonly #x = $derived.by<Range>(() => this.stage.zoom ?? [0, Math.max(this.stage.end, lastX(this.#lines)) || 1]);
  readonly #fitted = $derived.by(() => {
    const runs = this.#run_lines.map(({ style, steps, x, values }) => ({ style, steps, x, mean: values, std: values.map(() => null), n: [] }));
    const lines = [...this.#lines, ...runs];
    if (this.log) return logRange(lines, this.#x, this.whole);
    const fitted = yRange(lines, this.#x, this.whole);
    if (this.diff) return { ...fitted, range: including(fitted.range, 0) };
    return { ...fitted, range: this.#levels.reduce((range, { value }) => reaching(range, value), fitted.range) };
  });

  /** What the y axis leaves out unless the reader chooses to show it: the warm-up, and arms far from the others. */
  readonly left_out = $derived.by(() => ({ warm_up: this.#fitted.cut, arms: this.#fitted.apart, outside: this.#fitted.outside }));

  /** The range of values that the reader has dragged; null for the fitted one. */
  readonly values = $derived.by<Range | null>(() => {
    const range = readValues(address.get(`${this.key}-values`));
    return range && (!this.log || range[0] > 0) ? range : null;
  });

  readonly title = $derived.by(() => {
    const title = seriesTitle(this.series);
    return this.diff ? `${title}: difference from ${this.stage.baseline!.name}` : title;
  });

  readonly figure = $derived.by<Figure>(() => ({
    title: `${this.title} · ${this.stage.view.title}`,
    lines: this.#lines,
    runs: this.#run_lines,
    x_title: this.stage.x.title,
    y_title: this.#yTitle(),
    x: this.#x,
    y: this.values ?? this.#fitted.range,
    log: this.log,
    zero: this.diff,
    levels: this.#levels,
    strong: this.stage.strong,
  }));

  readonly sql = $derived.by(() =>
    sqlOf({
      experiments: this.stage.view.ids,
      series: this.series,
      arms: this.stage.visible.map((arm) => arm.name).filter((name) => !this.diff || !this.stage.not_comparable.has(name)),
      range: this.stage.steps,
      width: this.width,
      baseline: this.diff ? this.stage.baseline!.name : null,
    }),
  );

  setValues(range: Range | null) {
    address.set(`${this.key}-values`, range && writeValues(range));
  }

  show(series: string) {
    this.setValues(null);
    address.set(this.key, series === this.usual ? null : series);
  }

  is(which: Switch): boolean {
    return address.list(which).includes(this.key);
  }

  toggle(which: Exclude<Switch, "linear">) {
    // A dragged range belongs to the axis on which it was dragged.
    this.setValues(null);
    if (which === "log" && this.#usually_log && !this.is("log")) address.toggle("linear", this.key);
    else address.toggle(which, this.key);
  }

  /** The bound of an arm's energy, from its whole curve. */
  #boundOf(arm: string) {
    const whole = this.stage.view.curves.curves(this.#mean_requests[0]!);
    return whole?.arms.find((curve) => curve.arm === arm)?.bound;
  }

  #requests(kind: CurveRequest["kind"], points: number): CurveRequest[] {
    const whole = { kind, series: this.#source, points, range: null, slow: this.slow };
    const { steps } = this.stage;
    return steps ? [whole, { ...whole, range: steps }] : [whole];
  }

  /** The latest answer. */
  #answer<T>(requests: CurveRequest[], get: (request: CurveRequest) => T | undefined): T | undefined {
    return requests.map(get).filter((answer) => answer !== undefined).at(-1);
  }

  #smoothed(lines: Line[]): Line[] {
    const { smoothing } = this.stage;
    return smoothing > 0 ? lines.map((line) => ({ ...line, raw: line.mean, mean: smooth(line.mean, smoothing) })) : lines;
  }

  #yTitle(): string {
    const unit = this.#curves?.unit ?? "";
    if (!this.diff) return axisTitle(this.series, unit);
    const title = `${seriesTitle(this.series)} minus ${this.stage.baseline!.name}`;
    return unit ? `${title} (${unit})` : title;
  }
}
