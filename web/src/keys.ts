// Keyboard shortcuts. Selectable rows have `data-row`; buttons with a key have `data-key`.

import { address } from "./router.svelte";

export const KEYS: [key: string, does: string][] = [
  ["/", "search the experiments"],
  ["j", "next row"],
  ["k", "previous row"],
  ["Enter", "open the row"],
  ["x", "choose the experiment of the row for a comparison"],
  ["1 … 9", "show or hide an arm"],
  ["← →", "move the cursor of a focused chart"],
  ["+ −", "zoom in or out at the cursor of a focused chart"],
  ["0", "reset the zoom of a focused chart"],
  ["Ctrl Enter", "run the query, or submit the spec"],
  ["?", "this list"],
];

export function takeKey(event: KeyboardEvent, showKeys: () => void) {
  if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
  if (document.querySelector("dialog[open]")) return;
  if (event.key === "/") search();
  else if (event.key === "?") showKeys();
  else if (event.key === "j") move(1);
  else if (event.key === "k") move(-1);
  else if (event.key === "x") tick();
  else if (/^[1-9]$/.test(event.key)) document.querySelector<HTMLElement>(`[data-key="${event.key}"]`)?.click();
  else return;
  event.preventDefault();
}

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.matches("input, textarea, select") || target.isContentEditable);
}

function search() {
  if (address.route.page !== "experiments") address.go("/");
  // The list may not be in the page yet.
  requestAnimationFrame(() => document.querySelector<HTMLInputElement>("input[type=search]")?.focus());
}

/** Clicks the box beside the focused row. */
function tick() {
  const id = document.activeElement?.getAttribute("data-id");
  document.querySelector<HTMLElement>(`[data-tick="${id}"]`)?.click();
}

function move(by: number) {
  const rows = [...document.querySelectorAll<HTMLElement>("[data-row]")];
  const here = rows.findIndex((row) => row.contains(document.activeElement));
  const next = here < 0 ? (by > 0 ? 0 : rows.length - 1) : here + by;
  rows[next]?.focus();
}
