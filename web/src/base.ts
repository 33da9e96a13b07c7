// The folder of the host that optlab is in: `/`, or the folder where a proxy shows it. The server writes it into `<base>`.

export const BASE = new URL(globalThis.document?.baseURI ?? "http://localhost/").pathname;
