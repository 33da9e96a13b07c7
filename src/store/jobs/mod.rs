//! Jobs as people see them.

mod columns;
mod read;
mod listing;
mod column;
mod field;
mod condition;
mod selection;
mod groups;
mod values;
mod actions;
mod attempts;

use std::fmt;

use optlab_domain::lifecycle::LONGEST_WAIT_MS;
use optlab_domain::{EndReason, ExperimentId, JobId, JobRecord, JobState};
use optlab_spec::JobSpec;
use sqlx_macros::FromRow;

pub(super) use self::actions::lock;
pub use self::attempts::Attempt;
pub(super) use self::attempts::attempts_of_experiment;
pub use self::column::Column;
pub(super) use self::columns::select_jobs;
pub use self::condition::{Condition, ConditionError, LONGEST_CONDITION};
pub use self::field::{Field, Takes};
pub use self::groups::{JobGroup, MOST_GROUPS};
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
    /// Only jobs of experiments that are archived, or of those that are not.
    pub archived: Option<bool>,
    /// Only jobs that satisfy it.
    pub condition: Condition,
}

impl JobFilter {
    /// Whether columns of the table `jobs` alone decide.
    fn is_simple(&self) -> bool {
        self.archived.is_none() && self.condition == Condition::default()
    }
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

/// The order of a list of jobs. Jobs without the field come last, and equal ones are ordered by id.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct JobOrder {
    /// The field.
    pub by: Field,
    /// Whether the highest value comes first.
    pub descending: bool,
}

/// The place of the last job of a page in its order, from which the next page continues. The job itself may have moved or
/// left the list by then. As text, `ID` in the order of ids and `PLACE:ID` in others.
#[derive(Clone, Debug, PartialEq)]
pub struct JobCursor {
    /// The value by which the list is ordered; `None` in the order of ids.
    pub place: Option<Place>,
    /// Id of the job.
    pub id: JobId,
}

/// The value of a job by which a list is ordered. As text, a number, `none`, or `x` and the bytes of a text in
/// hexadecimal.
#[derive(Clone, Debug, PartialEq)]
pub enum Place {
    /// A number, negated if the highest comes first.
    Number(f64),
    /// The beginning of a text.
    Text(String),
    /// The job lacks the field.
    Absent,
}

impl Place {
    /// The place of a job in the order of ids.
    fn of(id: JobId) -> Self {
        Self::Number(i64::from(id) as f64)
    }

    fn parse(text: &str) -> Option<Self> {
        if text == "none" {
            return Some(Self::Absent);
        }
        match text.strip_prefix('x') {
            Some(bytes) => Some(Self::Text(String::from_utf8(hex::decode(bytes).ok()?).ok()?)),
            None => Some(Self::Number(text.parse().ok().filter(|number: &f64| number.is_finite())?)),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{number:e}"),
            Self::Text(text) => write!(f, "x{}", hex::encode(text)),
            Self::Absent => f.write_str("none"),
        }
    }
}

impl fmt::Display for JobCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Some(place) => write!(f, "{place}:{}", self.id),
            None => self.id.fmt(f),
        }
    }
}

impl JobCursor {
    /// Reads the text of a cursor; `None` for any other text.
    pub fn parse(text: &str) -> Option<Self> {
        let (place, id) = match text.split_once(':') {
            Some((place, id)) => (Some(Place::parse(place)?), id),
            None => (None, text),
        };
        let id: JobId = id.parse().ok()?;
        (i64::from(id) > 0).then_some(Self { place, id })
    }
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
        let numbers = [0.0, -1.0 / 3.0, 1e300, 1_700_000_000_007.0].map(Place::Number);
        let texts = ["", "none", "x:7", "\u{fffd}ä"].map(|text| Place::Text(text.to_owned()));
        for place in numbers.into_iter().chain(texts).chain([Place::Absent]).map(Some).chain([None]) {
            let cursor = JobCursor { place, id: JobId::from(7) };
            assert_eq!(JobCursor::parse(&cursor.to_string()), Some(cursor));
        }
        for text in ["", "0", "-7", "x", "inf:7", "NaN:7", ":7", "1:", "1:2:3", "x0:7", "xff:7"] {
            assert_eq!(JobCursor::parse(text), None, "{text}");
        }
    }
}
