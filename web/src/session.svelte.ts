// Whether the server wants a token before it answers, whether the reader has brought one, and whether it may change anything.

export const session = $state({ wanted: false, signed_in: false, writes: true });
