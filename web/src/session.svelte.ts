// Whether the server requires a token, whether the reader has one, and whether it may change anything.

export const session = $state({ wanted: false, signed_in: false, writes: true });
