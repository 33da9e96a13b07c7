// A draft of a spec: one text, the form's view of it, and the server's answer to it.

import { checkSpec, Problem } from "../api";
import type { DryRun, Mistake } from "../contract";
import { armsOf, type KnownArm, remember, toggled } from "./arms";
import type { Field, Length } from "./fields";
import { LENGTHS, lengthOf } from "./fields";
import { type Path, pointerTo, setAt, type Spec, valueAt } from "./spec";
import { read, rewrite } from "./text";

const PAUSE_MS = 300;
const AGAIN_MS = 3000;

export class Draft {
  text = $state("");
  /** The tree of the last readable text. */
  spec = $state.raw<Spec>({});
  /** Whether the present text is readable. */
  readable = $state(true);
  arms = $state.raw<KnownArm[]>([]);
  /** The server's last answer: a dry run, or its mistakes. While a request is pending, it belongs to an older text. */
  latest = $state.raw<DryRun | null>(null);
  problem = $state.raw<Problem | null>(null);
  checking = $state(false);
  /** The dry run of the present text; null while it is pending and if it is rejected. */
  answer = $derived(this.checking ? null : this.latest);
  /** The last resolved tree, which has the defaults of empty fields. */
  resolved = $state.raw<unknown>(null);

  mistakes = $derived<Mistake[]>(this.problem?.errors ?? []);
  #timer: ReturnType<typeof setTimeout> | undefined;
  #asked: AbortController | undefined;
  /** The length in the other unit, restored when the reader switches back. */
  #lengths: Partial<Record<Length, unknown>> = {};

  /** Starts with another text. */
  begin(text: string) {
    this.arms = [];
    this.#lengths = {};
    this.resolved = this.latest = this.problem = null;
    this.#take(text);
  }

  type(text: string) {
    // An editor also reports the texts that it was given.
    if (text !== this.text) this.#take(text);
  }

  #take(text: string) {
    this.text = text;
    const spec = read(text);
    this.readable = spec !== null;
    if (spec) {
      this.spec = spec;
      this.arms = remember(this.arms, armsOf(spec));
    }
    this.#check(PAUSE_MS);
  }

  fill(field: Field, typed: string) {
    this.#edit((spec) => setAt(spec, field.path, field.read(typed)));
  }

  /** Switches the length to epochs or steps, with its earlier value, or with the steps of the epochs. */
  measure(length: Length) {
    const usual = length === "steps" ? (this.latest?.jobs[0]?.steps ?? 1000) : 10;
    this.#edit((spec) => {
      const now = lengthOf(spec);
      if (now === length) return;
      this.#lengths[now] = valueAt(spec, ["train", now]);
      for (const unit of LENGTHS) setAt(spec, ["train", unit], undefined);
      setAt(spec, ["train", length], this.#lengths[length] ?? usual);
    });
  }

  toggle(arm: string) {
    this.#edit((spec) => (spec.arms = toggled(spec, this.arms, arm)));
  }

  /** The mistakes in a field or below it. */
  mistakesAt(path: Path): Mistake[] {
    const pointer = pointerTo(path);
    return this.mistakes.filter((mistake) => mistake.pointer === pointer || mistake.pointer.startsWith(`${pointer}/`));
  }

  /** The default of the server. */
  fallback(path: Path): unknown {
    return valueAt(this.resolved, path);
  }

  stop() {
    clearTimeout(this.#timer);
    this.#asked?.abort();
  }

  #edit(change: (spec: Spec) => void) {
    if (!this.readable) return;
    const spec = structuredClone(this.spec);
    change(spec);
    this.type(rewrite(this.text, spec));
  }

  #check(after_ms: number) {
    this.stop();
    this.checking = true;
    this.#timer = setTimeout(() => this.#ask(), after_ms);
  }

  async #ask() {
    const mine = new AbortController();
    this.#asked = mine;
    try {
      this.latest = await checkSpec(this.text, mine.signal);
      this.resolved = this.latest.spec;
      this.problem = null;
    } catch (error) {
      if (mine.signal.aborted) return;
      if (!(error instanceof Problem)) throw error;
      this.problem = error;
      this.latest = null;
      if (error.retryable) this.#timer = setTimeout(() => this.#ask(), AGAIN_MS);
    }
    this.checking = false;
  }
}
