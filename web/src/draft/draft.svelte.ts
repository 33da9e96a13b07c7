// A spec that is being written: one text, the form's view of it, and what the server says of it.

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
  /** The tree of the last text that could be read. */
  spec = $state.raw<Spec>({});
  /** Whether that is the present one. */
  readable = $state(true);
  arms = $state.raw<KnownArm[]>([]);
  /** What the server said last: what a text would make, or why it cannot be. While it is asked again, that is of an older text. */
  latest = $state.raw<DryRun | null>(null);
  problem = $state.raw<Problem | null>(null);
  checking = $state(false);
  /** What the present text would make; null while the server is asked and where it refuses. */
  answer = $derived(this.checking ? null : this.latest);
  /** The last tree that the server completed: what an empty field stands for. */
  resolved = $state.raw<unknown>(null);

  mistakes = $derived<Mistake[]>(this.problem?.errors ?? []);
  #timer: ReturnType<typeof setTimeout> | undefined;
  #asked: AbortController | undefined;
  /** The length in the unit that is not in use, for whoever comes back to it. */
  #lengths: Partial<Record<Length, unknown>> = {};

  /** Begins with another text. */
  begin(text: string) {
    this.arms = [];
    this.#lengths = {};
    this.resolved = this.latest = this.problem = null;
    this.#take(text);
  }

  type(text: string) {
    // An editor also tells what it was told.
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

  /** Counts in epochs or in steps, beginning with what it was before, or with as many steps as the epochs were. */
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

  /** The mistakes in a field, or in anything below it. */
  mistakesAt(path: Path): Mistake[] {
    const pointer = pointerTo(path);
    return this.mistakes.filter((mistake) => mistake.pointer === pointer || mistake.pointer.startsWith(`${pointer}/`));
  }

  /** What the server takes where the spec says nothing. */
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
      if (error.passing) this.#timer = setTimeout(() => this.#ask(), AGAIN_MS);
    }
    this.checking = false;
  }
}
