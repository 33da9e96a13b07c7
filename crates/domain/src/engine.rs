//! Engines that start machines on demand, and the pilots that run there.
//!
//! optlab keeps the queue of jobs and their leases; an engine, such as Slurm, only starts and stops machines. One job of
//! the engine that runs `optlab worker` is a pilot, and a pool is the set of pilots that are requested alike.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::word::words;

words! {
    /// A system that starts and stops machines.
    pub enum Engine {
        /// Slurm, which `optlab slurm` asks for pilots.
        Slurm,
        /// Kubernetes, where KEDA starts pilots: `deploy/kubernetes`.
        Kubernetes,
    }

    /// What a pilot does.
    pub enum PilotState {
        /// It waits in the queue of its engine.
        Pending,
        /// Its machine has been allocated.
        Running,
        /// It was told to end, or its processes are being ended.
        Ending,
    }
}

impl Engine {
    /// Its name in a sentence.
    pub fn title(self) -> &'static str {
        match self {
            Self::Slurm => "Slurm",
            Self::Kubernetes => "Kubernetes",
        }
    }
}

/// A pilot, as its engine last reported it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Pilot {
    /// The engine's id for it.
    pub engine_job: String,
    /// What it does.
    pub state: PilotState,
    /// Why it waits, in the engine's word: `Resources`, `Priority`, ...
    pub reason: Option<String>,
    /// The machine that it runs on.
    pub node: Option<String>,
}

/// Time for which a pool requests no pilots after this number of failures in a row: the first is tried again at once,
/// later ones after 1, 15, 30 and 60 minutes.
pub fn pause_after(failures: i64) -> Duration {
    let minutes = match failures {
        ..=1 => 0,
        2 => 1,
        3 => 15,
        4 => 30,
        5.. => 60,
    };
    Duration::from_secs(60 * minutes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pool_pauses_for_longer_after_each_failure() {
        let minutes = [0, 1, 2, 3, 4, 5, 6, 1000].map(|failures| pause_after(failures).as_secs() / 60);
        assert_eq!(minutes, [0, 0, 1, 15, 30, 60, 60, 60]);
    }
}
