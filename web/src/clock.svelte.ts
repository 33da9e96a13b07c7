// The present, in steps of twenty seconds, for times written as distances.

export const clock = $state({ now: Date.now() });

setInterval(() => (clock.now = Date.now()), 20_000);
