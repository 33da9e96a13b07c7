// The state shared by all charts of a page: arms and their styles, the x axis, the zoom. It is kept in the
// address.

import { styleArms } from "../arms";
import type { Range } from "../chart/curves";
import { clipLook, readLook, writeLook } from "../chart/look";
import { costs } from "./cost";
import { address } from "../router.svelte";
import type { ExperimentView } from "./view.svelte";
import { readWeight } from "../chart/smooth";
import { secondsPerStep, stepsPerEpoch, xAxis } from "../chart/xaxis";

/** Margin beyond the edges of the zoomed range, so that lines run through them; a fraction of the range. */
const MARGIN = 0.05;

export class Stage {
  constructor(readonly view: ExperimentView) {}

  readonly arms = $derived.by(() => styleArms(this.view.arms, this.view.baseline));
  readonly hidden = $derived(address.list("hide"));
  readonly visible = $derived(this.arms.filter((arm) => !this.hidden.includes(arm.name)));
  /** The arms under the cursor, in a chart, the legend or the table. */
  pointed = $state.raw<string[]>([]);
  /** The arms that the reader has clicked. */
  readonly chosen = $derived(address.list("arm"));
  /** The arms that stand out in all charts. */
  readonly strong = $derived.by(() => {
    const names = [...new Set([...this.chosen, ...this.pointed])];
    return this.visible.map((arm) => arm.name).filter((name) => names.includes(name));
  });
  readonly baseline = $derived(this.arms.find((arm) => arm.name === this.view.baseline));
  /** The arms whose seeds are no pairs with those of the baseline. */
  readonly not_comparable = $derived.by(
    () => new Set(this.view.comparison?.arms.filter((arm) => arm.standing === "not_comparable").map((arm) => arm.arm)),
  );

  readonly costs = $derived.by(() => costs(this.arms, this.view.comparison, this.view.confirming));
  readonly steps_per_epoch = $derived.by(() => stepsPerEpoch(this.view.trains, this.view.confirming));
  readonly seconds_per_step = $derived.by(() => secondsPerStep(this.view.comparison, this.view.confirming));
  readonly x = $derived(xAxis(address.get("x"), this.steps_per_epoch, this.seconds_per_step));
  readonly kinds = $derived(["step", ...(this.steps_per_epoch ? ["epoch"] : []), ...(this.seconds_per_step.size ? ["seconds"] : [])]);

  /** The end of the longest run, in the unit of the x axis. */
  readonly end = $derived.by(() => Math.max(0, ...this.view.confirming.map((job) => job.steps * this.x.perStep(job.arm))));

  /** The zoomed range of the x axis; null for all. It is kept in steps, or in seconds on an axis of seconds. */
  readonly zoom = $derived.by<Range | null>(() => {
    const look = readLook(address.get(this.#parameter));
    return look && [look[0] * this.#unit, look[1] * this.#unit];
  });

  /** The steps of the zoomed range over all arms, with a margin; requested from the server. */
  readonly steps = $derived.by<Range | null>(() => {
    if (!this.zoom) return null;
    const margin = MARGIN * (this.zoom[1] - this.zoom[0]);
    const paces = this.arms.map((arm) => this.x.perStep(arm.name));
    const first = Math.floor((this.zoom[0] - margin) / Math.max(...paces));
    return [Math.max(0, first), Math.ceil((this.zoom[1] + margin) / Math.min(...paces))];
  });

  get #parameter() {
    return this.x.kind === "seconds" ? "seconds" : "steps";
  }

  get #unit() {
    return this.x.kind === "epoch" ? this.x.perStep("") : 1;
  }

  setZoom(range: Range | null) {
    const look = range && clipLook(range, this.end || Infinity);
    const text = look && writeLook([look[0] / this.#unit, look[1] / this.#unit], this.x.kind === "seconds" ? 3 : 0);
    // A range within one step is not stored.
    if (text === null || readLook(text)) address.set(this.#parameter, text);
  }

  /** Changes the x axis and keeps the range of steps; an axis of seconds starts with all of them. */
  setX(kind: string) {
    address.set("x", kind === "step" ? null : kind);
    if (kind !== "seconds") address.set("seconds", null);
  }

  /** The weight of the past in smoothed lines. */
  readonly smoothing = $derived(readWeight(address.get("smooth")));

  setSmoothing(weight: number) {
    address.set("smooth", weight > 0 ? String(weight) : null);
  }

  /** Hides arms, or shows them if all of them are hidden. */
  toggleArms(names: string[]) {
    const others = this.hidden.filter((name) => !names.includes(name));
    address.setList("hide", names.every((name) => this.hidden.includes(name)) ? others : [...others, ...names]);
  }

  point(names: string[]) {
    if (names.join() !== this.pointed.join()) this.pointed = names;
  }

  choose(name: string) {
    address.toggle("arm", name);
  }
}
