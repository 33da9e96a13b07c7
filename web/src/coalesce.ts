// Coalesces hints into few fetches: at most one run of a task at a time, and one start per interval. A longer run is
// followed by a pause of the same length, so that a busy server gets fewer requests.

/** The longest pause, in intervals. */
const MOST_REST = 5;

export interface Coalesced {
  /** Requests a run; requests during a run or too soon after one lead to exactly one more. */
  ask(): void;
  stop(): void;
}

export function coalesce(task: () => Promise<unknown>, interval_ms: number): Coalesced {
  let wanted = false;
  let running = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let next_start = 0;
  let stopped = false;

  function plan() {
    if (!wanted || running || stopped || timer !== undefined) return;
    timer = setTimeout(run, Math.max(0, next_start - Date.now()));
  }

  async function run() {
    timer = undefined;
    wanted = false;
    running = true;
    const start = Date.now();
    try {
      await task();
    } finally {
      const took = Date.now() - start;
      next_start = Math.max(start + interval_ms, Date.now() + Math.min(took, MOST_REST * interval_ms));
      running = false;
      plan();
    }
  }

  return {
    ask() {
      wanted = true;
      plan();
    },
    stop() {
      stopped = true;
      clearTimeout(timer);
    },
  };
}
