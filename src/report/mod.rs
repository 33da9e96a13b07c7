//! An experiment as one page of HTML that can be mailed: no script, no other file, no address that it loads.
//!
//! The page is a pure function of the answers that the API gives about the experiment. Its figures are written as
//! `optlab compare` writes them, which uses [`headings`], [`cells`] and [`notes`] too.

mod page;
mod tables;
mod tuning;
mod chart;

mod cells;
mod notes;
mod fields;

use optlab_api_types::{Comparison, Curves, Experiment, Job, Tuning, Warning};
use optlab_spec::protocol::Environment;

pub use cells::{baseline, cells, headings, mean_and_std};
pub use notes::notes;
pub use page::page;
pub use tuning::{errors, saved, value};

/// The content of a page.
pub struct Report {
    /// The experiment.
    pub experiment: Experiment,
    /// Its arms, by the metric that decides.
    pub comparison: Comparison,
    /// Its trials and choices, if it is tuned.
    pub tuning: Option<Tuning>,
    /// Its jobs that are not what they seem.
    pub warnings: Vec<Warning>,
    /// The series to draw, each a chart.
    pub curves: Vec<Curves>,
    /// Its jobs.
    pub jobs: Vec<Job>,
    /// The environments of its started jobs: one entry for each job and environment.
    pub environments: Vec<Environment>,
    /// The text that was submitted for it.
    pub submitted: Option<String>,
    /// When the page is made, as RFC 3339.
    pub made_at: String,
}
