// The fields of the form. Other fields are changed in the text beside it.

import { isTable, numberFrom, numbersFrom, type Path, type Spec, valueAt } from "./spec";

export interface Field {
  label: string;
  path: Path;
  /** Parses a typed text. */
  read: (text: string) => unknown;
  /** The possible values, if they are limited. */
  choices?: readonly string[];
  hint?: string;
}

const word = (text: string) => text.trim() || undefined;

const NAME: Field = { label: "Name", path: ["name"], read: word };
const SEEDS: Field = { label: "Seeds", path: ["seeds"], read: numbersFrom, hint: "0-4 or 0, 1, 7" };
const BATCH: Field = { label: "Batch size", path: ["train", "batch_size"], read: numberFrom };
const IMAGES: Field = { label: "Training images", path: ["train", "data", "train_samples"], read: numberFrom, hint: "all" };
const RATE: Field = { label: "Learning rate", path: ["train", "optimizer", "learning_rate"], read: numberFrom };
const DEVICE: Field = { label: "Device", path: ["resources", "device"], read: word, choices: ["any", "cpu", "cuda"] };
const PRIORITY: Field = { label: "Priority", path: ["priority"], read: numberFrom, hint: "higher is claimed first" };

export const LENGTHS = ["epochs", "steps"] as const;
export type Length = (typeof LENGTHS)[number];

/** The units of the length of a run. */
export function lengthOf(spec: Spec): Length {
  return valueAt(spec, ["train", "steps"]) === undefined ? "epochs" : "steps";
}

/** The field for the width of a model, which depends on its kind. */
function widthOf(spec: Spec): Field {
  const model = valueAt(spec, ["train", "model"]);
  const has = (key: string) => isTable(model) && model[key] !== undefined;
  const field = (key: string, label: string, read: Field["read"]) => ({ label, path: ["train", "model", key], read });
  if (has("hidden") || valueAt(model, ["kind"]) === "mlp") return field("hidden", "Hidden layers", numbersFrom);
  return has("widths") ? field("widths", "Model widths", numbersFrom) : field("width", "Model width", numberFrom);
}

export function fieldsOf(spec: Spec): { who: Field[]; how: Field[]; where: Field[] } {
  const length = lengthOf(spec);
  const long: Field = { label: length === "epochs" ? "Epochs" : "Steps", path: ["train", length], read: numberFrom };
  return { who: [NAME, SEEDS], how: [long, BATCH, IMAGES, RATE, widthOf(spec)], where: [DEVICE, PRIORITY] };
}
