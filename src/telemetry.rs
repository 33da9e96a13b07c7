//! The log: one line per event, on standard error.

use std::io::{IsTerminal, Write, stderr};

use tracing_subscriber::EnvFilter;

/// Starts the log; `filter` is in the syntax of `tracing` (`info`, `optlab=debug`, ...).
pub fn start(filter: &str) {
    let filter = EnvFilter::try_new(filter).unwrap_or_else(|error| {
        let _ = writeln!(stderr(), "OPTLAB_LOG={filter}: {error}; using `info`");
        EnvFilter::new("info")
    });
    // Tests start several services in one process: the first log serves them all.
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_target(false)
        // A closed pipe would otherwise make it panic.
        .log_internal_errors(false)
        .try_init();
}
