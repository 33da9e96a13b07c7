//! Jobs as people see them.

mod columns;
mod read;
mod listing;
mod actions;
mod attempts;

use std::fmt;

use optlab_domain::lifecycle::LONGEST_WAIT_MS;
use optlab_domain::{EndReason, ExperimentId, JobId, JobRecord, JobState};
use optlab_spec::JobSpec;
use sqlx_macros::FromRow;
use strum::{Display, EnumString, IntoStaticStr, VariantArray};

pub(super) use self::actions::lock;
pub use self::attempts::Attempt;
pub(super) use self::attempts::attempts_of_experiment;
pub(super) use self::columns::select_jobs;
pub(super) use self::read::begun;

/// The last queue position that is reported. Positions beyond it are not counted, because the cost grows with the
/// length of the queue.
pub const LAST_PLACE: i64 = 1000;

/// One training run, with the present of its attempt.
#[derive(Clone, Debug, FromRow)]
pub struct Job {
    /// Its row.
    #[sqlx(flatten)]
    pub record: JobRecord,
    /// `any`, `cpu` or `cuda`.
    pub device_wanted: String,
    /// The earliest time of a retry, milliseconds since the epoch; 0 without a delay.
    pub not_before_ms: i64,
    /// Queue position, from 1 to [`LAST_PLACE`]; `None` if the job is further back or is not queued.
    #[sqlx(skip)]
    pub queue_position: Option<i64>,
    /// Device of its last attempt.
    pub device: Option<String>,
    /// Completed updates when its last attempt began.
    pub start_step: i64,
    /// Why its last attempt ended.
    pub attempt_end: Option<EndReason>,
    /// Error of its last attempt, or a warning about the running one.
    pub attempt_error: Option<String>,
    /// Grows with every write.
    pub version: i64,
    /// Last test error in percent, once it has succeeded.
    pub test_error: Option<f64>,
    /// Last mean energy, once it has succeeded.
    pub energy: Option<f64>,
    /// Wall time of the whole run, once it has succeeded.
    pub seconds: Option<f64>,
    /// How fast it runs.
    #[sqlx(flatten)]
    pub pace: Pace,
}

/// The recent pace of a running job, by the times of two of its training points. What lies between them, evaluations
/// included, counts; the start of an attempt does not.
#[derive(Clone, Copy, Debug, Default, FromRow)]
pub struct Pace {
    from_step: Option<i64>,
    to_step: Option<i64>,
    from_ms: Option<i64>,
    to_ms: Option<i64>,
}

/// The shortest time, or the smallest share of a run, by which a pace is measured.
const SHORTEST_PACE_MS: i64 = 2000;
const SMALLEST_SHARE: i64 = 50;

impl Job {
    /// How much longer a retry waits; `None` without a delay. A longer time than the longest delay was written by a
    /// wrong clock and is ignored.
    pub fn delay_ms(&self, now_ms: i64) -> Option<i64> {
        let delay = self.not_before_ms - now_ms;
        (1..=LONGEST_WAIT_MS).contains(&delay).then_some(delay)
    }

    /// Seconds per update at the recent pace; `None` while the job does not run, or has not run for long enough.
    pub fn seconds_per_step(&self) -> Option<f64> {
        let Pace { from_step, to_step, from_ms, to_ms } = self.pace;
        let (steps, elapsed_ms) = (to_step? - from_step?, to_ms? - from_ms?);
        let is_enough = elapsed_ms >= SHORTEST_PACE_MS || steps * SMALLEST_SHARE >= self.record.steps;
        (steps > 0 && elapsed_ms > 0 && is_enough).then(|| elapsed_ms as f64 / 1000.0 / steps as f64)
    }

    /// Seconds until its end at the recent pace.
    pub fn seconds_left(&self) -> Option<f64> {
        Some(self.seconds_per_step()? * (self.record.steps - self.record.step) as f64)
    }
}

/// The filter of a list of jobs; `None` for all.
#[derive(Clone, Debug, Default)]
pub struct JobFilter {
    /// Only jobs of this experiment.
    pub experiment: Option<ExperimentId>,
    /// Only jobs of this arm.
    pub arm: Option<String>,
    /// Only jobs in this state.
    pub state: Option<JobState>,
}

/// The arm and seed of a job.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct Cell {
    /// Its id.
    pub job: JobId,
    /// The arm's name.
    pub arm: String,
    /// The seed.
    pub seed: i64,
}

/// The order of a list of jobs. Jobs without the figure come last, and equal ones are ordered by id.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct JobOrder {
    /// The figure.
    pub by: JobKey,
    /// Whether the highest figure comes first.
    pub descending: bool,
}

/// The place of the last job of a page in its order, from which the next page continues. The job itself may have moved or
/// left the list by then. As text, `ID` in the order of ids and `PLACE:ID` in others.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct JobCursor {
    /// The figure by which the list is ordered; `None` in the order of ids.
    pub place: Option<f64>,
    /// Id of the job.
    pub id: JobId,
}

impl fmt::Display for JobCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.place {
            Some(place) => write!(f, "{place:e}:{}", self.id),
            None => self.id.fmt(f),
        }
    }
}

impl JobCursor {
    /// Reads the text of a cursor; `None` for any other text.
    pub fn parse(text: &str) -> Option<Self> {
        let (place, id) = match text.split_once(':') {
            Some((place, id)) => (Some(place.parse().ok().filter(|place: &f64| place.is_finite())?), id),
            None => (None, text),
        };
        let id: JobId = id.parse().ok()?;
        (i64::from(id) > 0).then_some(Self { place, id })
    }
}

/// A figure of a job. Its word in the API is in snake case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Display, EnumString, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "snake_case")]
pub enum JobKey {
    /// Oldest first.
    #[default]
    Id,
    /// In the order of the spec.
    Arm,
    /// The seed.
    Seed,
    /// In the order of [`JobState`].
    State,
    /// Share of its updates that are completed.
    Progress,
    /// Number of its last attempt.
    Attempt,
    /// Its priority.
    Priority,
    /// When it was submitted.
    CreatedAt,
    /// When its last attempt started.
    StartedAt,
    /// When it ended.
    EndedAt,
    /// Last test error.
    TestError,
    /// Last mean energy.
    Energy,
    /// Wall time.
    Seconds,
}

/// A complete run, for estimates of similar ones.
#[derive(Clone, Debug)]
pub struct PastRun {
    /// Its job.
    pub job: JobId,
    /// The spec of the run.
    pub spec: JobSpec,
    /// Wall time per update, including evaluation.
    pub seconds_per_step: f64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_reads_back_exactly() {
        for place in [None, Some(0.0), Some(-1.0 / 3.0), Some(1e300), Some(1_700_000_000_007.0)] {
            let cursor = JobCursor { place, id: JobId::from(7) };
            assert_eq!(JobCursor::parse(&cursor.to_string()), Some(cursor));
        }
        for text in ["", "0", "-7", "x", "inf:7", "NaN:7", ":7", "1:", "1:2:3"] {
            assert_eq!(JobCursor::parse(text), None, "{text}");
        }
    }
}
