//! `gpu-check`: compares a device with the CPU, part by part, and measures what training costs on it.
//!
//! Every part is a process of its own with a time limit, so that a crash or a hang of one leaves the others. A part
//! writes each of its rows to a file at once; what it has written when its time is over counts. docs/gpu.md describes
//! the parts and how to read the report.
//!
//! The benchmark of a training step, `benches/step_cost`, uses [`cost`] too.

// In reading order: the command line, the process of all parts, what a part is given and writes, the parts.
pub mod options;
pub mod part;
pub mod check;
pub mod limits;

pub mod parts;
pub mod setting;
pub mod runner_process;
pub mod server_process;
pub mod cost;
pub mod cupti;

pub mod report;
pub mod markdown;
pub mod record;
pub mod programs;
pub mod error;
