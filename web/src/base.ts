// The base path of optlab: `/`, or the path under which a proxy serves it. The server writes it into `<base>`.

export const BASE = new URL(globalThis.document?.baseURI ?? "http://localhost/").pathname;
