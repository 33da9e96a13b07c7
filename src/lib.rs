//! optlab: controlled experiments on Orthogonal Over-Parameterized Training.
//!
//! This crate is the service. It never loads libtorch: training runs in `optlab-runner`, a process of its own that
//! the [`worker`] feeds. `ARCHITECTURE.md` has the map, `docs/glossary.md` the words.

// Only `cli/output.rs` prints, because it handles write errors.
#![warn(clippy::print_stdout, clippy::print_stderr)]

pub mod cli;

pub mod api;
pub mod worker;
pub mod pilots;

pub mod artifacts;
pub mod exchange;
pub mod report;
pub mod store;

pub mod stats;

pub mod clock;
pub mod config;
pub mod telemetry;
