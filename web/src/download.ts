// Hands the reader a file that the page has made.

export function download(name: string, content: string | Blob, type = "text/plain") {
  const blob = typeof content === "string" ? new Blob([content], { type }) : content;
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

/** A name for a file: what is no letter, digit, dot or dash becomes a dash. */
export function fileName(...parts: (string | number)[]): string {
  return parts.join("-").replaceAll(/[^A-Za-z0-9.-]+/g, "-");
}
