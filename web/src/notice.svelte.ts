// One line at the bottom of the page about an action that the server rejected.

import { Problem } from "./api";

export const notice = $state({ text: "" });

let timer: ReturnType<typeof setTimeout> | undefined;

export function tell(text: string) {
  clearTimeout(timer);
  notice.text = text;
  timer = setTimeout(() => (notice.text = ""), 6000);
}

/** Runs an action; a rejection is shown, not thrown. */
export async function attempt<T>(action: Promise<T>): Promise<T | undefined> {
  try {
    return await action;
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    tell(error.detail ? `${error.title}: ${error.detail}` : error.title);
    return undefined;
  }
}
