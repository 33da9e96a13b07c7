// Downloads a file that the page has created.

export function download(name: string, content: string | Blob, type = "text/plain") {
  const blob = typeof content === "string" ? new Blob([content], { type }) : content;
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

/** A file name: characters other than letters, digits, dots and dashes become dashes. */
export function fileName(...parts: (string | number)[]): string {
  return parts.join("-").replaceAll(/[^A-Za-z0-9.-]+/g, "-");
}
