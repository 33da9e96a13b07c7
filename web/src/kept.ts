// What a reader has written and not sent yet. It is kept for as long as the tab is open, also over a reload.

const PREFIX = "optlab: ";

export function kept(key: string): string | null {
  try {
    return sessionStorage.getItem(PREFIX + key);
  } catch {
    return null;
  }
}

/** Null forgets it. A browser that has no room, or may keep nothing, does not. */
export function keep(key: string, text: string | null) {
  try {
    if (text === null) sessionStorage.removeItem(PREFIX + key);
    else sessionStorage.setItem(PREFIX + key, text);
  } catch {
    // The page works without.
  }
}
