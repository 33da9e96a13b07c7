// The address holds the view: the path below the base path names the page, the query its options.

import { BASE } from "./base";

export type Route =
  | { page: "experiments" | "runs" | "compare" | "new" | "workers" | "sql" | "unknown" }
  | { page: "experiment" | "job"; id: number };

const PAGES: Record<string, Route> = {
  "/": { page: "experiments" },
  "/runs": { page: "runs" },
  "/compare": { page: "compare" },
  "/new": { page: "new" },
  "/workers": { page: "workers" },
  "/sql": { page: "sql" },
};

export function parse(path: string): Route {
  const page = PAGES[path === "/" ? path : path.replace(/\/$/, "")];
  if (page) return page;
  const match = /^\/(experiment|job)s\/(\d{1,15})\/?$/.exec(path);
  return match ? { page: match[1] as "experiment" | "job", id: Number(match[2]) } : { page: "unknown" };
}

/** Converts between paths on the host and paths below the base path. */
const within = (path: string) => (path.startsWith(BASE) ? path.slice(BASE.length - 1) : path);
const onHost = (path: string) => BASE + path.slice(1);

class Address {
  path = $state(within(location.pathname));
  query = $state(location.search);
  route = $derived(parse(this.path));
  #parameters = $derived(new URLSearchParams(this.query));

  get(key: string): string | null {
    return this.#parameters.get(key);
  }

  /** A list in one parameter; names of arms and series contain no commas. */
  list(key: string): string[] {
    return this.get(key)?.split(",").filter(Boolean) ?? [];
  }

  /** Changes an option of the current view without a new entry in the history. */
  set(key: string, value: string | null) {
    const next = new URLSearchParams(this.query);
    if (value) next.set(key, value);
    else next.delete(key);
    const text = next.toString().replaceAll("%2F", "/").replaceAll("%2C", ",");
    this.query = text ? `?${text}` : "";
    history.replaceState(null, "", onHost(this.path) + this.query);
  }

  setList(key: string, values: string[]) {
    this.set(key, values.join(","));
  }

  /** Adds a value to a list, or removes it. */
  toggle(key: string, value: string) {
    const now = this.list(key);
    this.setList(key, now.includes(value) ? now.filter((other) => other !== value) : [...now, value]);
  }

  /** Shows another page; the target is a path below the base path. */
  go(target: string) {
    history.pushState(null, "", onHost(target));
    this.read();
    scrollTo(0, 0);
  }

  read() {
    this.path = within(location.pathname);
    this.query = location.search;
  }
}

export const address = new Address();

/** Handles clicks on links to pages of the dashboard; the browser handles the others. */
export function takeLinks(event: MouseEvent) {
  if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  const link = event.target instanceof Element ? event.target.closest("a") : null;
  if (!link || link.target || link.origin !== location.origin) return;
  const path = within(link.pathname);
  if (!link.pathname.startsWith(BASE) || parse(path).page === "unknown") return;
  event.preventDefault();
  address.go(path + link.search);
}
