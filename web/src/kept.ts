// Unsent text of the reader, kept while the tab is open, also across reloads.

const PREFIX = "optlab: ";

export function kept(key: string): string | null {
  try {
    return sessionStorage.getItem(PREFIX + key);
  } catch {
    return null;
  }
}

/** Stores a text; null removes it. Does nothing if the browser cannot store it. */
export function keep(key: string, text: string | null) {
  try {
    if (text === null) sessionStorage.removeItem(PREFIX + key);
    else sessionStorage.setItem(PREFIX + key, text);
  } catch {
    // The page works without storage.
  }
}
