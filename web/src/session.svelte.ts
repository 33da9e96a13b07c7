// Whether the server wants a token before it answers, and whether the reader has brought one.

export const session = $state({ wanted: false, signed_in: false });
