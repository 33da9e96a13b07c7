// The server's event stream. Events are hints to fetch something. A lost event costs nothing,
// because every connection, the first too, starts by fetching everything.

import { eventsAddress } from "./api";
import type { Job, MetricsHint } from "./contract";

export interface Listener {
  job?(job: Job): void;
  metrics?(hint: MetricsHint): void;
  experiment?(id: number): void;
  /** All data of the page may be stale. */
  reset(): void;
}

/** Whether the stream has been down long enough to report it. */
export const connection = $state({ offline: false });

const GRACE_MS = 1500;
const REOPEN_MS = 3000;
/** Time limit for the first event of a new stream, which the server sends at once. */
const FIRST_EVENT_MS = 3000;
/** Time limit for the next event of a working stream: the server sends one at least every 10 seconds. */
const SILENCE_MS = 25_000;
/** Polling interval while no stream works. */
const POLL_MS = 5000;

/**
 * Listens until the returned function is called. A hidden page holds no stream, since browsers allow
 * six connections to a host and a researcher has more tabs than that.
 */
export function listen(experiment: number | undefined, listener: Listener): () => void {
  let source: EventSource | undefined;
  let works = false;
  let silence: ReturnType<typeof setTimeout> | undefined;
  let grace: ReturnType<typeof setTimeout> | undefined;
  let reopen: ReturnType<typeof setTimeout> | undefined;

  function open() {
    source = new EventSource(eventsAddress(experiment));
    works = false;
    expectEvent(FIRST_EVENT_MS);
    source.onopen = () => {
      settle();
      listener.reset();
    };
    source.onerror = () => {
      grace ??= setTimeout(() => (connection.offline = true), GRACE_MS);
      // The browser reopens a broken stream, but not a rejected one.
      if (source?.readyState !== EventSource.CLOSED) return;
      reopen = setTimeout(open, REOPEN_MS);
      // A stream does not report the reason; the next request does.
      listener.reset();
    };
    on("job", (data) => listener.job?.(data as Job));
    on("metrics", (data) => listener.metrics?.(data as MetricsHint));
    on("experiment", (data) => listener.experiment?.((data as { experiment_id: number }).experiment_id));
    on("reset", () => listener.reset());
    on("alive", () => {});
  }

  function on(name: string, take: (data: unknown) => void) {
    source?.addEventListener(name, (event: MessageEvent<string>) => {
      works = true;
      expectEvent(SILENCE_MS);
      take(JSON.parse(event.data));
    });
  }

  function expectEvent(within_ms: number) {
    clearTimeout(silence);
    silence = setTimeout(reconnectOrPoll, within_ms);
  }

  /** Reopens a stream that has worked, because it may have died unnoticed. Polls if it never worked: a proxy buffers it. */
  function reconnectOrPoll() {
    listener.reset();
    if (!works) return expectEvent(POLL_MS);
    close();
    open();
  }

  function close() {
    source?.close();
    source = undefined;
    clearTimeout(reopen);
    clearTimeout(silence);
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
