//! The ids and words shared by all parts of optlab, and the life of a job. Nothing here reads a clock, a file or a database.
//!
//! - [`id`]: the ids of experiments, jobs, workers and tokens, and the numbers of attempts.
//! - [`job`]: the states of a job, the reasons why attempts end, and what people can do to a job.
//! - [`record`]: the facts of a job that its row, the API and exports have in common.
//! - [`lifecycle`]: the transitions between these.
//! - [`device`]: the devices of machines, and the devices on which a job may run.
//! - [`engine`]: the systems that start machines on demand, and the pilots that run there.
//! - [`artifact`]: the kinds of files of a job.
//! - [`metric`]: the figures by which arms are compared.
//! - [`standing`]: what a comparison concludes of an arm.
//! - [`warning`]: what can be wrong with a job that looks healthy.
//! - [`provenance`]: where a submission came from.
//! - [`series`]: the curves of a job: their names, units and directions.
//! - [`token`]: the scopes of access tokens.
//! - [`time`]: times in the database and in JSON.
//! - [`word`]: the text forms of all of these.

pub mod artifact;
pub mod device;
pub mod engine;
pub mod id;
pub mod job;
pub mod lifecycle;
pub mod metric;
pub mod provenance;
pub mod record;
pub mod series;
pub mod standing;
pub mod time;
pub mod token;
pub mod warning;
pub mod word;

#[cfg(feature = "sqlx")]
pub mod database;

pub use artifact::ArtifactKind;
pub use device::{Device, DeviceKind, UnknownDevice, WantedDevice};
pub use engine::{Engine, Pilot, PilotState};
pub use id::{AttemptNumber, ExperimentId, JobId, TokenId, WorkerId};
pub use job::{Action, Counts, EndReason, Hold, JobState, Lease, Phase, Request};
pub use metric::{Evaluated, Evaluations, HeldOut, Metric};
pub use provenance::Provenance;
pub use record::JobRecord;
pub use standing::Standing;
pub use token::Scope;
pub use warning::WarningKind;
pub use word::{counted, parse_word};
