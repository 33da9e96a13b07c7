//! The data sets that this machine cannot get at present. Their jobs are left to other workers for a while, and the slots
//! train the other jobs of the queue.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard};

use tokio::time::Instant;

use super::health::rest_after;

/// Missing data sets by name, shared by the slots of a worker.
#[derive(Debug, Default)]
pub(super) struct Missing(Mutex<BTreeMap<String, Absence>>);

#[derive(Debug)]
struct Absence {
    why: String,
    /// How often it was looked for in vain.
    times: u32,
    /// When the next job may look for it.
    until: Instant,
}

impl Missing {
    /// A job has not found the data set. Those that look for it at the same time count as one.
    pub(super) fn note(&self, name: &str, why: &str, now: Instant) {
        let mut missing = self.lock();
        let times = match missing.get(name) {
            Some(absence) if now < absence.until => return,
            earlier => earlier.map_or(0, |absence| absence.times),
        };
        let pause = rest_after(times);
        let why = format!("no job with the data set {name} is claimed for {} s: {why}", pause.as_secs());
        tracing::warn!("{why}");
        missing.insert(name.to_owned(), Absence { why, times: times + 1, until: now + pause });
    }

    /// A job has had the data set.
    pub(super) fn found(&self, name: &str) {
        self.lock().remove(name);
    }

    /// The names of the data sets whose jobs are not to be claimed now.
    pub(super) fn names(&self, now: Instant) -> Vec<String> {
        let missing = self.lock();
        missing.iter().filter(|(_, absence)| now < absence.until).map(|(name, _)| name.clone()).collect()
    }

    /// Why no job is claimed with one of them.
    pub(super) fn reasons(&self, now: Instant) -> Option<String> {
        let missing = self.lock();
        let absent = missing.values().filter(|absence| now < absence.until);
        let reasons: Vec<&str> = absent.map(|absence| absence.why.as_str()).collect();
        (!reasons.is_empty()).then(|| reasons.join("; "))
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Absence>> {
        self.0.lock().expect("no holder panics")
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_missing_data_set_is_looked_for_less_often_until_it_is_found() {
        let (missing, mut now) = (Missing::default(), Instant::now());
        for pause in [15, 30, 60] {
            missing.note("mnist", "no network", now);
            // Another slot, a little later.
            missing.note("mnist", "no network", now + Duration::from_secs(1));
            assert_eq!(missing.names(now), ["mnist"]);
            let why = format!("no job with the data set mnist is claimed for {pause} s: no network");
            assert_eq!(missing.reasons(now), Some(why));
            now += Duration::from_secs(pause);
            assert_eq!((missing.names(now).len(), missing.reasons(now)), (0, None));
        }
        missing.found("mnist");
        missing.note("mnist", "no network", now);
        assert!(missing.reasons(now).unwrap().contains("for 15 s"));
    }
}
