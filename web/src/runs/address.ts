// The view of the page Runs, as the address holds it.

import type { JobField } from "../contract";
import type { Value } from "./cells";

/** The jobs that are shown, their order, columns and groups. */
export interface View {
  /** A condition of the server's language; empty for all jobs. */
  where: string;
  /** A field; a leading minus means that the highest comes first. */
  sort: string;
  columns: string[];
  /** At most two fields. */
  group: string[];
  /** The figure whose mean and best value groups show. */
  figure: string;
  /** Whether jobs of archived experiments are shown, too. */
  archived: boolean;
}

export const USUAL_COLUMNS = ["experiment", "arm", "seed", "state", "test_error", "train.optimizer.learning_rate", "train.batch_size", "seconds"];
/** The newest job first. */
const USUAL_SORT = "-id";
const USUAL_FIGURE = "test_error";

interface Source {
  get(key: string): string | null;
  list(key: string): string[];
}

export function viewOf(address: Source): View {
  const columns = address.list("columns");
  return {
    where: address.get("where") ?? "",
    sort: address.get("sort") ?? USUAL_SORT,
    columns: columns.length ? columns : USUAL_COLUMNS,
    group: address.list("group").slice(0, 2),
    figure: address.get("figure") ?? USUAL_FIGURE,
    archived: address.get("archived") === "1",
  };
}

/** The parameter `columns` after a column is added or removed; null for the usual columns. */
export function toggled(columns: string[], name: string): string | null {
  const now = columns.includes(name) ? columns.filter((other) => other !== name) : [...columns, name];
  return now.length === 0 || now.join() === USUAL_COLUMNS.join() ? null : now.join(",");
}

/** The order after a click on a heading: the best or newest first, then the opposite. */
export function nextSort(sort: string, name: string): string {
  const [first, then] = /accuracy$|_at$|^id$/.test(name) ? [`-${name}`, name] : [name, `-${name}`];
  return sort === first ? then : first;
}

const selection = ({ where, archived }: View) => ({ where: where.trim(), archived: archived ? null : "false" });

const order = ({ sort }: View) => (sort.startsWith("-") ? { sort: sort.slice(1), order: "desc" } : { sort });

/** The parameters of the requests for a page of the jobs, for their groups, and for their file. */
export const pageQuery = (view: View, limit: number, cursor: string | null) => ({ ...selection(view), ...order(view), fields: view.columns.join(","), limit, cursor });

export const groupsQuery = (view: View) => ({ ...selection(view), by: view.group.join(","), figure: view.figure });

export const fileQuery = (view: View) => ({ format: "csv", ...selection(view), ...order(view), fields: ["id", ...view.columns].join(",") });

/** A condition with one more comparison. A null value means that the job lacks the field. */
export function withComparison(where: string, field: string, operator: string, value: string | null): string {
  const comparison = `${field} ${operator} ${value === null ? "null" : written(value)}`;
  return where.trim() ? `${where.trim()} and ${comparison}` : comparison;
}

/** A value of a condition, in quotes where a word would read differently. */
function written(value: string): string {
  if (value !== "null" && /^[^\s"'=]+$/.test(value)) return value;
  return `"${value.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
}

/** The address of the jobs of a group: the best ones first, with a column of the figure. */
export function members(view: View, values: Value[]): string {
  let where = view.where;
  values.forEach((value, index) => {
    where = withComparison(where, view.group[index]!, "=", value === null ? null : String(value));
  });
  const query = new URLSearchParams({ where, sort: nextSort("", view.figure) });
  const columns = view.columns.includes(view.figure) ? view.columns : [...view.columns, view.figure];
  if (columns.join() !== USUAL_COLUMNS.join()) query.set("columns", columns.join(","));
  if (view.archived) query.set("archived", "1");
  return `runs?${query}`;
}

/** Short names of fields: the end of a path, as long as it takes to tell them apart. */
export function headings(names: string[]): string[] {
  const end = (name: string, parts: number) => name.split(".").slice(-parts).join(" ").replaceAll("_", " ");
  return names.map((name) => {
    const others = names.filter((other) => other !== name);
    let parts = 1;
    while (parts < name.split(".").length && others.some((other) => end(other, parts) === end(name, parts))) parts++;
    return end(name, parts);
  });
}

/** The fields for a menu: columns, then settings. */
export function byKind(fields: JobField[]): [string, JobField[]][] {
  const isSetting = ({ name }: JobField) => name.includes(".");
  return [
    ["columns", fields.filter((field) => !isSetting(field))],
    ["settings", fields.filter(isSetting)],
  ];
}

/** The numbers that a job ends with. */
export const figuresOf = (fields: JobField[]) => fields.filter((field) => field.is_figure).map(({ name }) => name);

/** The view without the parts of the address that the server rejects; null if the mistake is in the condition. */
export const withoutMistake = ({ where }: View, mistake: string | null) => {
  if (!mistake || mistake.startsWith("`where`")) return null;
  return where ? `runs?${new URLSearchParams({ where })}` : "runs";
};
