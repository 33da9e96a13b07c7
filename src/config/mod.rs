//! Settings. A field of a struct here is the one description of a setting: its flag, environment variable, default,
//! range and help. Its key in `optlab.toml` is the flag's name with underscores, and the table in README.md is written
//! from these fields.
//!
//! [`read`] reads all of them once, at the start: flags win over the environment, the environment over the file, and the
//! file over the defaults.

mod service;
mod worker;
mod machine;
mod pool;
mod database;

mod layers;
mod file;
mod argument;

mod base_path;
mod listen;
mod range;

mod error;

pub use base_path::{BasePath, BasePathError};
pub use database::{DatabaseSettings, DatabaseUrl};
pub use error::ConfigError;
pub use file::pools;
pub use layers::read;
pub use machine::{MachineSettings, SlurmJob};
pub use pool::PoolSettings;
pub use service::{ApiSettings, DEFAULT_ADDRESS, QuerySettings, ServiceSettings};
pub use worker::{
    Drain, RequestedDevice, RunnerSettings, Slots, TrainingSettings, WorkerConfig, WorkerSettings,
};

#[cfg(test)]
mod tests;
