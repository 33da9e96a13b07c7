//! The choices that the server makes for tuned arms: the trials that go on from a rung, and the one that is confirmed.
//!
//! Any process may try at any time. Each choice is one transaction that finds out under locks whether it is due, so only
//! one process makes it, and a process that is killed leaves it to the next round of a reaper.

use optlab_domain::{ExperimentId, JobId};

use super::freeze::{self, Made, freeze};
use super::halve::{self, halve};
use crate::store::database::sql;
use crate::store::{Store, StoreError};

#[derive(Clone, Copy)]
enum Stage {
    /// Trials wait at a rung.
    Rung,
    /// All trials of an arm have ended.
    End,
}

impl Store {
    /// Makes every choice that is due.
    ///
    /// # Errors
    /// The first error; the other choices are made nevertheless.
    pub async fn make_choices(&self) -> Result<(), StoreError> {
        self.choose(None).await
    }

    /// As [`make_choices`](Self::make_choices), for the arm of `trial` if that is given. A choice that cannot be made now
    /// is made in a later round of a reaper.
    pub(in crate::store) async fn try_to_choose(&self, trial: Option<JobId>) {
        if let Err(error) = self.choose(trial).await {
            tracing::warn!(%error, "cannot make the choice of a tuned arm yet");
        }
    }

    async fn choose(&self, trial: Option<JobId>) -> Result<(), StoreError> {
        let mut result = Ok(());
        // The rungs first, because the choice there may end the last trials.
        for (stage, due) in [(Stage::Rung, halve::DUE), (Stage::End, freeze::DUE)] {
            let due: Vec<(ExperimentId, String)> =
                sql(due).bind(trial).fetch_all(&mut self.read().await?).await?;
            for (experiment, arm) in due {
                let made = self.choose_in(stage, experiment, &arm).await;
                result = result.and(made);
            }
        }
        result
    }

    async fn choose_in(&self, stage: Stage, experiment: ExperimentId, arm: &str) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        let now = self.now(&mut tx).await?;
        let made = match stage {
            Stage::Rung => halve(&mut tx, experiment, arm, now).await,
            Stage::End => freeze(&mut tx, experiment, arm, now).await,
        };
        match made {
            Ok(Some(Made::Frozen { trial })) => {
                self.commit_queued(tx).await?;
                tracing::info!(experiment.id = %experiment, arm, trial, "froze the choice of a tuned arm");
                Ok(())
            }
            Ok(Some(Made::Halved { go_on, stop })) => {
                self.commit_queued(tx).await?;
                tracing::info!(experiment.id = %experiment, arm, go_on, stop, "chose the runs that go on from a rung");
                Ok(())
            }
            Ok(Some(Made::Held)) => self.commit(tx).await,
            Ok(None) | Err(StoreError::NotFound(_)) => tx.rollback().await,
            Err(error) => {
                tx.rollback().await?;
                Err(error)
            }
        }
    }
}
