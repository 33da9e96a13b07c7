// One line at the foot of the page for an action that the server refused.

import { Problem } from "./api";

export const notice = $state({ text: "" });

let timer: ReturnType<typeof setTimeout> | undefined;

export function tell(text: string) {
  clearTimeout(timer);
  notice.text = text;
  timer = setTimeout(() => (notice.text = ""), 6000);
}

/** Runs an action of the reader; a refusal is told, not thrown. */
export async function attempt<T>(action: Promise<T>): Promise<T | undefined> {
  try {
    return await action;
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    tell(error.detail ? `${error.title}: ${error.detail}` : error.title);
    return undefined;
  }
}
