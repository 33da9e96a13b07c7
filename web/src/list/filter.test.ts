import { expect, test } from "vitest";
import type { ExperimentSummary } from "../contract";
import { type Filter, matches } from "./filter";

const item: ExperimentSummary = {
  id: 12, name: "digits-mlp", notes: "first look", tags: ["ablation"], archived: false, created_at: "", step: 0, steps: 1, eta_seconds: null, tuning: null, seeds: [0], baseline: null,
  arms: [{ name: "opt-cayley", method: "opt:cayley" }],
  counts: { queued: 1, running: 1, paused: 0, succeeded: 0, failed: 0, cancelled: 0 },
};
const all: Filter = { query: "", state: null, tag: null, archived: false };

test("every word of a search must occur", () => {
  expect(matches(item, { ...all, query: " cayley  DIGITS #12" })).toBe(true);
  expect(matches(item, { ...all, query: "cayley cifar" })).toBe(false);
});

test("the filter matches state and tag, and hides archived experiments", () => {
  expect(matches(item, { ...all, state: "running", tag: "ablation" })).toBe(true);
  expect(matches(item, { ...all, state: "queued" })).toBe(false);
  expect(matches(item, { ...all, tag: "abl" })).toBe(false);
  expect(matches({ ...item, archived: true }, all)).toBe(false);
  expect(matches({ ...item, archived: true }, { ...all, archived: true })).toBe(true);
});
