//! Derives the health of a slot's machine from the ends of its attempts, and how long the slot rests. Otherwise a
//! broken machine would claim and fail every job in the queue.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use optlab_domain::{Device, EndReason};

use crate::store::AttemptEnd;

/// Consecutive crashes after which a slot rests.
const CRASHES: u32 = 3;
/// The first rest; each further one is twice as long, up to [`LONGEST_REST`].
const FIRST_REST: Duration = Duration::from_secs(15);
const LONGEST_REST: Duration = Duration::from_secs(300);

/// The health of one slot.
#[derive(Debug, Default)]
pub(super) struct Health {
    /// Crashes since the last attempt that showed a healthy machine.
    crashes: u32,
    rests: u32,
}

/// A rest with its reason.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Rest {
    pub(super) time: Duration,
    pub(super) why: String,
}

impl Health {
    /// The rest after an attempt; `None` if the slot continues at once.
    pub(super) fn after(&mut self, end: &AttemptEnd) -> Option<Rest> {
        match end {
            AttemptEnd::HandedBack => None,
            AttemptEnd::Finished(_) | AttemptEnd::AtRung { .. } => self.is_well(),
            // Jobs with other data can run.
            AttemptEnd::Failed(failure) if failure.of_data => None,
            AttemptEnd::Failed(failure) => match failure.reason {
                EndReason::MachineFault => self.rest(failure.error.clone()),
                EndReason::RunnerCrashed => {
                    self.crashes += 1;
                    if self.crashes < CRASHES {
                        return None;
                    }
                    let crashes = self.crashes;
                    self.rest(format!("the last {crashes} attempts crashed; the last one: {}", failure.error))
                }
                // A job that is too large fails on a healthy machine too.
                EndReason::OutOfMemory
                | EndReason::WorkerLost
                | EndReason::Cancelled
                | EndReason::HandedBack
                | EndReason::AtRung
                | EndReason::Preempted => None,
                EndReason::Completed
                | EndReason::StoppedEarly
                | EndReason::UserError
                | EndReason::Diverged
                | EndReason::TimedOut => self.is_well(),
            },
        }
    }

    fn is_well(&mut self) -> Option<Rest> {
        *self = Self::default();
        None
    }

    fn rest(&mut self, why: String) -> Option<Rest> {
        let time = rest_after(self.rests);
        self.rests += 1;
        Some(Rest { time, why })
    }
}

/// The length of a rest after this many earlier ones.
pub(super) fn rest_after(earlier: u32) -> Duration {
    (FIRST_REST * 2_u32.pow(earlier.min(8))).min(LONGEST_REST)
}

/// The resting slots of a worker, by number.
#[derive(Debug, Default)]
pub(super) struct Troubles(Mutex<BTreeMap<usize, Trouble>>);

#[derive(Debug)]
struct Trouble {
    device: Device,
    why: String,
}

impl Troubles {
    /// The slot on `device` rests.
    pub(super) fn set(&self, slot: usize, device: Device, why: String) {
        self.lock().insert(slot, Trouble { device, why });
    }

    /// The slot claims jobs again.
    pub(super) fn clear(&self, slot: usize) {
        self.lock().remove(&slot);
    }

    /// The number of resting slots on `device`.
    pub(super) fn resting(&self, device: Device) -> usize {
        self.lock().values().filter(|trouble| trouble.device == device).count()
    }

    /// All reasons, without duplicates.
    pub(super) fn reasons(&self) -> Option<String> {
        let troubles = self.lock();
        let mut reasons: Vec<&str> = troubles.values().map(|trouble| trouble.why.as_str()).collect();
        reasons.sort_unstable();
        reasons.dedup();
        (!reasons.is_empty()).then(|| reasons.join("; "))
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<usize, Trouble>> {
        self.0.lock().expect("no holder panics")
    }
}

#[cfg(test)]
mod tests {
    use optlab_spec::protocol::Failure;

    use super::*;

    fn failed(reason: EndReason) -> AttemptEnd {
        AttemptEnd::Failed(Failure::of(reason, "dead"))
    }

    fn seconds(rest: Option<Rest>) -> Option<u64> {
        rest.map(|rest| rest.time.as_secs())
    }

    #[test]
    fn missing_data_are_no_fault_of_the_slot() {
        let mut health = Health::default();
        let of_data = Failure { of_data: true, ..Failure::of(EndReason::MachineFault, "no network") };
        assert_eq!(health.after(&AttemptEnd::Failed(of_data)), None);
        assert_eq!(seconds(health.after(&failed(EndReason::MachineFault))), Some(15));
    }

    #[test]
    fn crashes_in_a_row_make_a_slot_rest_longer_each_time() {
        let mut health = Health::default();
        let rests: Vec<_> =
            (0..9).map(|_| seconds(health.after(&failed(EndReason::RunnerCrashed)))).collect();
        let expected = [None, None, Some(15), Some(30), Some(60), Some(120), Some(240), Some(300), Some(300)];
        assert_eq!(rests, expected);
    }

    #[test]
    fn a_success_ends_a_row_of_crashes_and_a_hand_back_does_not() {
        let mut health = Health::default();
        let mut after = |reason| seconds(health.after(&failed(reason)));
        use EndReason::{Cancelled, Diverged, OutOfMemory, RunnerCrashed};
        assert_eq!(
            [RunnerCrashed, RunnerCrashed, Diverged, RunnerCrashed, RunnerCrashed].map(&mut after),
            [None; 5]
        );
        assert_eq!([Cancelled, OutOfMemory].map(&mut after), [None; 2]);
        assert_eq!(after(RunnerCrashed), Some(15));
    }

    #[test]
    fn a_trial_that_reaches_its_rung_ends_a_row_of_crashes() {
        let mut health = Health::default();
        let at_rung = AttemptEnd::AtRung { step: 10, points: Vec::new() };
        let crash = failed(EndReason::RunnerCrashed);
        for end in [&crash, &crash, &at_rung, &crash, &crash] {
            assert_eq!(health.after(end), None);
        }
    }

    #[test]
    fn a_machine_fault_makes_a_slot_rest_at_once() {
        let rest = Health::default().after(&AttemptEnd::machine_fault("no room")).unwrap();
        assert_eq!(rest, Rest { time: FIRST_REST, why: "no room".to_owned() });
    }

    #[test]
    fn equal_troubles_of_slots_are_reported_once() {
        let troubles = Troubles::default();
        for slot in 0..3 {
            troubles.set(
                slot,
                [Device::Cpu, Device::Cuda(0)][slot / 2],
                ["no room", "no network"][slot / 2].to_owned(),
            );
        }
        assert_eq!(troubles.reasons().as_deref(), Some("no network; no room"));
        assert_eq!(
            [Device::Cpu, Device::Cuda(0), Device::Cuda(1)].map(|device| troubles.resting(device)),
            [2, 1, 0]
        );
        (0..3).for_each(|slot| troubles.clear(slot));
        assert_eq!((troubles.reasons(), troubles.resting(Device::Cpu)), (None, 0));
    }
}
