//! Specs of experiments and jobs, and their validation.
//!
//! A submission (JSON, TOML or a recipe with overrides) becomes an [`ExperimentSpec`] in which every default is spelled
//! out, for each arm. An experiment makes one [`JobSpec`] per arm and seed, which a runner gets by the [`protocol`].
//! Nothing here uses libtorch, a database or HTTP.

pub mod submission;

mod seeds;

mod arm;
mod parts;
pub mod arms;
mod as_toml;
mod differences;
mod pairing;
mod draft;
mod more_arms;
mod experiment;
mod job;
pub mod recipes;
mod resources;

mod method;
mod train;

mod tune;

mod checkpoint;

mod data;
mod energy;

mod optimizer;
mod precision;
mod schedule;

pub mod architecture;
pub mod models;

pub mod protocol;

#[cfg(feature = "openapi")]
pub mod schema;
#[cfg(feature = "openapi")]
pub mod settings;
#[cfg(feature = "openapi")]
pub mod written;
#[cfg(feature = "openapi")]
mod resolved;

mod document;
mod fields;
mod merge;
mod problem;
mod nul;
mod shorten;

pub use arm::Arm;
pub use checkpoint::{CheckpointSpec, KEPT_CHECKPOINTS};
pub use data::{Augment, DataSpec, Sizes, Synthetic};
pub use differences::{ComparedArm, FieldDifference, differences};
pub use energy::{EnergySpec, LeastEnergy};
pub use experiment::ExperimentSpec;
pub use fields::{Fields, IDENTIFIER_PATTERN, is_identifier};
pub use job::JobSpec;
pub use merge::{lay_over, merge, parse_assignment};
pub use method::{
    DescentForm, LayerChoice, LowdinForm, MethodSpec, NeuronInit, Neurons, OptSpec, RotationInit, SoftForm,
    StochasticSpec, TransformSpec,
};
pub use models::ModelSpec;
pub use nul::{NO_NUL, refuse_nul};
pub use optimizer::{AdamSpec, OptimizerSpec};
pub use pairing::{Mismatch, mismatch};
pub use precision::Precision;
pub use problem::{Problem, Problems, nearest};
pub use resources::Resources;
pub use schedule::{CurveSpec, ScheduleSpec};
pub use seeds::MOST_JOBS;
pub use shorten::shorten;
pub use train::{EvaluateEvery, TrainSpec};
pub use tune::{ArmSource, Halving, Point, RangeSpec, Sampler, Scale, Space, TuneSpec};
