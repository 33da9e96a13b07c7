//! Every request and answer of the REST API. The server's handlers write these types, clients read them, and the
//! OpenAPI document and the dashboard's `contract.ts` are generated from them.
//!
//! Times are RFC 3339 in UTC with milliseconds. A request with an unknown field is rejected. A field of an answer is
//! null if it has no value.

mod list;

mod experiment;
mod submission;

mod job;
mod runs;
mod artifact;
mod worker;

mod curve;
mod comparison;
mod tuning;
mod warning;

mod recipe;
mod query;

mod event;
mod session;
mod health;
mod problem;

pub use artifact::Artifact;
pub use comparison::{
    ArmResult, Bootstrap, ComparedExperiment, Comparison, Difference, EnvironmentDifference, MissingCell,
    SeedValue, SignFlip, SpecDifference, Wins,
};
pub use curve::{ArmCurve, Band, Columns, Curves, EnergyBound, JobCurve, JobMetrics, Run, Runs, SeriesInfo};
pub use event::{Event, ExperimentHint, MetricsHint};
pub use experiment::{ActionResult, ArmSummary, Arms, Edit, Experiment, ExperimentSummary, Seeds};
pub use health::Health;
pub use job::{Attempt, Job};
pub use list::List;
pub use problem::ProblemDetails;
pub use query::{Question, Table};
pub use recipe::{Recipe, RecipeDetail};
pub use runs::{FieldKind, JobField, JobGroup, JobGroups, ListedJob};
pub use session::{Session, SignIn};
pub use submission::{
    DryRun, Estimate, PlannedJob, RecipeSubmission, StoredSubmission, Submission, Submitted,
};
pub use tuning::{Afforded, ArmTuning, BestOf, StoppedEarly, Trial, TrialRun, Tuning, TuningProgress};
pub use warning::Warning;
pub use worker::{OfferedDevice, Pool, Worker, WorkerState};
