//! The words that every part of optlab shares, and the life of a job. Nothing here reads a clock, a file or a database.
//!
//! - [`job`]: the states of a job, the reasons why attempts end, and what people can do to a job.
//! - [`lifecycle`]: which of these lead where.

pub mod job;
pub mod lifecycle;

#[cfg(feature = "sqlx")]
pub mod database;

pub use job::{Action, EndReason, JobState, Request};
