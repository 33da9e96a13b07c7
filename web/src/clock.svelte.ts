// The current time, updated every twenty seconds, for relative times.

export const clock = $state({ now: Date.now() });

setInterval(() => (clock.now = Date.now()), 20_000);
