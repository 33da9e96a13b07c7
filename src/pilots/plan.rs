//! The number of pilots that a pool needs.

use optlab_domain::{Pilot, PilotState};

use crate::store::Demand;

/// The limits of a pool.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// Maximum number of pilots, those that wait included.
    pub(super) max_workers: i64,
    /// Maximum number of pilots that wait.
    pub(super) backlog: i64,
    /// Slots of a pilot, as far as the settings tell.
    pub(super) slots: i64,
    /// Whether the last request or pilot failed. A single pilot then shows whether the fault has gone.
    pub(super) has_failed: bool,
}

/// What to do.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Plan {
    /// Number of pilots to request.
    pub(super) request: i64,
    /// The engine's ids of waiting pilots to cancel.
    pub(super) cancel: Vec<String>,
}

/// The pilots to request or to cancel, so that there are as many as the jobs of the pool need. Waiting pilots are
/// cancelled only above the maximum or once no job is queued, because they would lose their place in Slurm's queue.
pub(super) fn plan(demand: &Demand, pilots: &[Pilot], limits: Limits) -> Plan {
    let slots = demand.slots.unwrap_or(limits.slots).max(1);
    let jobs = demand.queued + demand.running;
    let wanted = ((jobs + slots - 1) / slots).min(limits.max_workers);
    let of = |state| pilots.iter().filter(move |pilot| pilot.state == state);
    let pending = of(PilotState::Pending).count() as i64;
    let present = pending + of(PilotState::Running).count() as i64;
    // The newest have waited the shortest.
    let newest = of(PilotState::Pending).map(|pilot| pilot.engine_job.clone()).rev();
    if wanted >= present {
        let backlog = if limits.has_failed { 1 } else { limits.backlog };
        return Plan { request: (wanted - present).min(backlog - pending).max(0), cancel: Vec::new() };
    }
    let allowed = if demand.queued == 0 { wanted } else { limits.max_workers };
    let surplus = (present - allowed).max(0);
    Plan { request: 0, cancel: newest.take(surplus as usize).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits { max_workers: 5, backlog: 2, slots: 1, has_failed: false };

    /// Pilots with ids from 0, first those that run.
    fn pilots(running: usize, pending: usize) -> Vec<Pilot> {
        let pilot = |(number, state): (usize, _)| Pilot {
            engine_job: number.to_string(),
            state,
            reason: None,
            node: None,
        };
        let states = [vec![PilotState::Running; running], vec![PilotState::Pending; pending]].concat();
        states.into_iter().enumerate().map(pilot).collect()
    }

    fn requests(queued: i64, running: i64, slots: Option<i64>, present: &[Pilot], limits: Limits) -> i64 {
        plan(&Demand { queued, running, slots }, present, limits).request
    }

    #[test]
    fn there_are_as_many_pilots_as_jobs_need_up_to_the_maximum() {
        let limits = Limits { backlog: 100, ..LIMITS };
        let cases = [
            (0, 0, None, pilots(0, 0), 0),
            (1, 0, None, pilots(0, 0), 1),
            (9, 0, None, pilots(0, 0), 5),
            (9, 0, Some(4), pilots(0, 0), 3),
            (1, 8, Some(4), pilots(2, 0), 1),
            (0, 8, Some(4), pilots(2, 0), 0),
            (9, 2, None, pilots(2, 1), 2),
            (9, 0, None, pilots(5, 0), 0),
            (9, 0, Some(0), pilots(4, 0), 1),
        ];
        for (queued, running, slots, present, expected) in cases {
            let requested = requests(queued, running, slots, &present, limits);
            assert_eq!(requested, expected, "{queued} queued, {running} running, {slots:?}, {present:?}");
        }
    }

    #[test]
    fn few_pilots_wait_at_a_time() {
        assert_eq!(requests(9, 0, None, &pilots(0, 0), LIMITS), 2);
        assert_eq!(requests(9, 0, None, &pilots(1, 1), LIMITS), 1);
        assert_eq!(requests(9, 0, None, &pilots(0, 3), LIMITS), 0, "more wait than may");
    }

    #[test]
    fn after_a_failure_a_single_pilot_waits() {
        let limits = Limits { has_failed: true, ..LIMITS };
        assert_eq!(requests(9, 0, None, &pilots(0, 0), limits), 1);
        assert_eq!(requests(9, 0, None, &pilots(0, 1), limits), 0);
    }

    #[test]
    fn a_pilot_that_ends_is_replaced() {
        let mut present = pilots(5, 0);
        present[0].state = PilotState::Ending;
        assert_eq!(requests(9, 4, None, &present, LIMITS), 1);
    }

    #[test]
    fn waiting_pilots_are_cancelled_only_when_nothing_is_queued() {
        let cancelled =
            |queued, running| plan(&Demand { queued, running, slots: None }, &pilots(2, 3), LIMITS).cancel;
        assert_eq!(cancelled(1, 1), [""; 0]);
        assert_eq!(cancelled(0, 0), ["4", "3", "2"], "the newest first, and none that runs");
        assert_eq!(cancelled(0, 4), ["4"]);
        let fewer = Limits { max_workers: 3, ..LIMITS };
        let demand = Demand { queued: 9, running: 2, slots: None };
        assert_eq!(plan(&demand, &pilots(2, 3), fewer).cancel, ["4", "3"], "the maximum was lowered");
    }
}
