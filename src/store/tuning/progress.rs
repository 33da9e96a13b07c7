//! How far the arms of an experiment are tuned.

use optlab_domain::{Counts, ExperimentId, Hold, JobState};
use optlab_spec::ExperimentSpec;
use sqlx_macros::FromRow;

use crate::store::StoreError;
use crate::store::database::{Connect, sql};

/// How far the arms of an experiment are tuned.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct TuningProgress {
    /// Its trials by state.
    pub trials: Counts,
    /// Number of tuned arms.
    pub arms: usize,
    /// Number of arms whose choice is frozen.
    pub frozen: usize,
    /// Number of choices that will be made soon, because all trials have ended, or once the experiment is resumed.
    pub due: usize,
    /// Number of confirming jobs that are queued once the choices are made.
    pub to_come: usize,
}

/// A tuned arm.
pub(in crate::store) struct ArmInTuning {
    pub(in crate::store) arm: String,
    pub(in crate::store) is_frozen: bool,
    held: Option<Hold>,
    trials: Counts,
}

#[derive(FromRow)]
struct Row {
    arm: String,
    held: Option<Hold>,
    frozen_ms: Option<i64>,
    state: Option<JobState>,
    jobs: i64,
}

/// The tuned arms of an experiment.
pub(in crate::store) async fn arms_in_tuning(
    on: &mut impl Connect,
    experiment: ExperimentId,
) -> Result<Vec<ArmInTuning>, StoreError> {
    let rows: Vec<Row> = sql("SELECT t.arm, t.held, t.frozen_ms, j.state, count(j.id) AS jobs
         FROM tunings t
         LEFT JOIN jobs j ON j.experiment_id = t.experiment_id AND j.arm = t.arm AND j.phase = 'trial'
         WHERE t.experiment_id = $1
         GROUP BY t.arm, t.held, t.frozen_ms, j.state ORDER BY t.arm")
    .bind(experiment)
    .fetch_all(on)
    .await?;
    let arm = |rows: &[Row]| {
        let mut trials = Counts::default();
        for row in rows {
            if let Some(state) = row.state {
                *trials.get_mut(state) += row.jobs;
            }
        }
        let Row { arm, held, frozen_ms, .. } = &rows[0];
        ArmInTuning { arm: arm.clone(), is_frozen: frozen_ms.is_some(), held: *held, trials }
    };
    Ok(rows.chunk_by(|one, other| one.arm == other.arm).map(arm).collect())
}

impl ArmInTuning {
    fn is_due(&self) -> bool {
        let goes_on = matches!(self.held, None | Some(Hold::Paused));
        !self.is_frozen && goes_on && self.trials.unfinished() + self.trials.cancelled == 0
    }
}

impl TuningProgress {
    pub(in crate::store) fn of(arms: &[ArmInTuning], spec: &ExperimentSpec) -> Self {
        let mut trials = Counts::default();
        for arm in arms {
            for (state, count) in arm.trials.by_state() {
                *trials.get_mut(state) += count;
            }
        }
        let frozen = arms.iter().filter(|arm| arm.is_frozen).count();
        Self {
            trials,
            arms: arms.len(),
            frozen,
            due: arms.iter().filter(|arm| arm.is_due()).count(),
            to_come: (arms.len() - frozen) * spec.seeds.len(),
        }
    }
}
