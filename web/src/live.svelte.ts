// The server's event stream. Events are hints: they say what to fetch, and a lost one costs nothing,
// because every connection, the first too, starts by fetching everything.

import { eventsAddress } from "./api";
import type { Job, MetricsHint } from "./contract";

export interface Listener {
  job?(job: Job): void;
  metrics?(hint: MetricsHint): void;
  experiment?(id: number): void;
  /** The picture held here may be stale in any part. */
  reset(): void;
}

/** Whether the stream has been down long enough to say so. */
export const connection = $state({ offline: false });

const GRACE_MS = 1500;
const REOPEN_MS = 3000;

/**
 * Listens until the returned function is called. A hidden page holds no stream, since browsers allow
 * six connections to a host and a researcher has more tabs than that.
 */
export function listen(experiment: number | undefined, listener: Listener): () => void {
  let source: EventSource | undefined;
  let grace: ReturnType<typeof setTimeout> | undefined;
  let reopen: ReturnType<typeof setTimeout> | undefined;

  function open() {
    source = new EventSource(eventsAddress(experiment));
    source.onopen = () => {
      settle();
      listener.reset();
    };
    source.onerror = () => {
      grace ??= setTimeout(() => (connection.offline = true), GRACE_MS);
      // A stream that was refused, not cut, is not reopened by the browser.
      if (source?.readyState !== EventSource.CLOSED) return;
      reopen = setTimeout(open, REOPEN_MS);
      // Why, a stream cannot say; the next answer to a question can.
      listener.reset();
    };
    source.addEventListener("job", (event) => listener.job?.(JSON.parse(event.data) as Job));
    source.addEventListener("metrics", (event) => listener.metrics?.(JSON.parse(event.data) as MetricsHint));
    source.addEventListener("experiment", (event) => listener.experiment?.(JSON.parse(event.data).experiment_id));
    source.addEventListener("reset", () => listener.reset());
  }

  function close() {
    source?.close();
    source = undefined;
    clearTimeout(reopen);
  }

  function settle() {
    clearTimeout(grace);
    grace = undefined;
    connection.offline = false;
  }

  function follow_visibility() {
    close();
    if (document.visibilityState === "visible") open();
  }

  document.addEventListener("visibilitychange", follow_visibility);
  follow_visibility();
  return () => {
    document.removeEventListener("visibilitychange", follow_visibility);
    close();
    settle();
  };
}
