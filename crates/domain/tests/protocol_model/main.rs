//! Model check of the protocol between workers and database, in every order of events: claims, fenced writes, leases
//! that expire under a sleeping worker, crashes, lost answers, late reports that an engine took a machine, checkpoints that
//! cannot be read for a while, and people who cancel, pause, resume and retry jobs, delete their experiment and submit
//! another one.
//!
//! Each rule of the protocol is needed: without it, the checker finds an order of events that breaks an invariant. The
//! model uses `optlab_domain::lifecycle` itself for actions, transitions and the fence. `tests/store` tests that the real store
//! follows the rules.

mod job;
mod worker;
mod world;

use job::{Checkpoint, Job};
use optlab_domain::{JobState, Request};
use stateright::{Checker, Model, Property};
use worker::STEPS;
use world::{Action, Limits, World};

/// The rules of the protocol. Tests leave one out to show that it is needed.
#[derive(Clone, Copy)]
pub struct Rules {
    /// A write is rejected unless its attempt is the job's last.
    attempt_is_checked: bool,
    /// A write is rejected unless the job is running.
    state_is_checked: bool,
    /// The first write of an attempt deletes the points after the checkpoint from which it resumes.
    start_deletes_later_points: bool,
    /// The first write of an attempt deletes the checkpoints after the one from which it resumes.
    start_forgets_later_checkpoints: bool,
    /// A job with missing points does not succeed; it starts again from the beginning.
    end_checks_points: bool,
    /// A worker sends a checkpoint after the points up to it are acknowledged.
    checkpoint_follows_points: bool,
    /// The pending request takes part in the decision where a job goes at the end of an attempt.
    requests_decide: bool,
    /// An experiment with a running job cannot be deleted.
    deletion_waits: bool,
    /// All jobs of an experiment are deleted at once.
    deletion_is_one_transaction: bool,
    /// A write is rejected if its job is deleted.
    row_is_checked: bool,
    /// No job has the id of a deleted one.
    ids_are_new: bool,
}

const RULES: Rules = Rules {
    attempt_is_checked: true,
    state_is_checked: true,
    start_deletes_later_points: true,
    start_forgets_later_checkpoints: true,
    end_checks_points: true,
    checkpoint_follows_points: true,
    requests_decide: true,
    deletion_waits: true,
    deletion_is_one_transaction: true,
    row_is_checked: true,
    ids_are_new: true,
};

/// Everything that can go wrong with machines.
const FAULTS: Limits = Limits { faults: 2, outages: 1, acts: 0, refunds: 0 };
/// People at work, and one fault at the worst moment.
const PEOPLE: Limits = Limits { faults: 1, outages: 0, acts: 2, refunds: 0 };
/// An engine that takes machines away and says so later.
const ENGINE: Limits = Limits { faults: 2, outages: 0, acts: 0, refunds: 1 };

/// The worlds that are explored.
struct Worlds {
    rules: Rules,
    limits: Limits,
}

const ONE_WRITER: &str = "no write of an attempt is accepted once a newer one has begun";
const ONE_END: &str = "a job ends once";
const ONE_RUN: &str = "the points of a job belong to one run";
const KEPT: &str = "the points up to every checkpoint exist and led to it";
const OBEYED: &str = "no attempt begins at a job that people have stopped";
const COMPLETE: &str = "a job that succeeded has every point";
const LEASED: &str = "no write of an attempt is rejected before the attempt has ended";
const WHOLE: &str = "an experiment has all of its jobs or is deleted";
const GONE: &str = "no row of a deleted job appears again";
const OWN: &str = "no write for a deleted job changes a later one";

impl Model for Worlds {
    type State = World;
    type Action = Action;

    fn init_states(&self) -> Vec<World> {
        vec![World::new(self.limits)]
    }

    fn actions(&self, world: &World, actions: &mut Vec<Action>) {
        actions.extend(world.actions(self.rules));
    }

    fn next_state(&self, world: &World, action: Action) -> Option<World> {
        Some(world.after(&action, self.rules))
    }

    fn properties(&self) -> Vec<Property<Self>> {
        let situations = match self.limits {
            Limits { acts: 1.., .. } => people_are_heard(),
            Limits { refunds: 1.., .. } => refunds_happen(),
            _ => faults_happen(),
        };
        [promises(), situations].concat()
    }
}

fn promises() -> Vec<Property<Worlds>> {
    vec![
        Property::always(ONE_WRITER, |_, world: &World| world.jobs.iter().all(|job| !job.overtaken)),
        Property::always(ONE_END, |_, world: &World| world.jobs.iter().all(|job| job.ends <= 1)),
        Property::always(ONE_RUN, |_, world: &World| world.jobs.iter().all(has_one_run)),
        Property::always(KEPT, |_, world: &World| world.jobs.iter().all(has_points_of_checkpoints)),
        Property::always(OBEYED, |_, world: &World| world.jobs.iter().all(|job| !job.disobeyed)),
        Property::always(COMPLETE, |_, world: &World| {
            world.jobs.iter().all(|job| !job.is_in(JobState::Succeeded) || job.is_complete())
        }),
        Property::always(LEASED, |_, world: &World| !world.dispossessed),
        Property::always(WHOLE, |_, world: &World| {
            world.jobs.iter().all(|job| job.is_deleted == world.jobs[0].is_deleted)
        }),
        Property::always(GONE, |_, world: &World| !world.jobs.iter().any(Job::has_reappeared)),
        Property::always(OWN, |_, world: &World| !world.jobs.iter().any(|job| job.mistaken)),
        Property::always(
            "every job ends, is paused or is deleted if it is left alone",
            |worlds: &Worlds, world: &World| world.settles_if_left_alone(worlds.rules),
        ),
    ]
}

/// Situations that occur in the explored states.
fn faults_happen() -> Vec<Property<Worlds>> {
    vec![
        Property::sometimes("an attempt completes what another has begun", |_, world: &World| {
            let mut last_points = world.jobs.iter().filter_map(|job| job.points.get(&STEPS));
            last_points.any(|history| history[0] < history[STEPS - 1])
        }),
        Property::sometimes("an attempt skips a checkpoint that cannot be read", |_, world: &World| {
            world.jobs.iter().any(|job| {
                let last = job.checkpoints.keys().last();
                last.is_some_and(|last| *last > job.last_readable_checkpoint().len())
            })
        }),
        Property::sometimes("a job fails after its attempts", |_, world: &World| {
            world.jobs.iter().any(|job| job.state == JobState::Failed)
        }),
        Property::sometimes("a write arrives too late", |worlds: &Worlds, world: &World| {
            world.under_way.iter().any(|packet| !world.jobs[packet.job].accepts(packet, worlds.rules))
        }),
    ]
}

/// Situations that occur in the explored states.
fn refunds_happen() -> Vec<Property<Worlds>> {
    vec![Property::sometimes("a failed job is requeued by a refund and succeeds", |_, world: &World| {
        world.jobs.iter().any(|job| job.was_refunded && job.state == JobState::Succeeded)
    })]
}

/// Situations that occur in the explored states.
fn people_are_heard() -> Vec<Property<Worlds>> {
    vec![
        Property::sometimes("a running job is asked to pause", |_, world: &World| {
            world.jobs.iter().any(|job| job.request == Some(Request::Pause))
        }),
        Property::sometimes("a job is paused after its first attempt", |_, world: &World| {
            world.jobs.iter().any(|job| job.state == JobState::Paused && job.attempt == 1)
        }),
        Property::sometimes("a cancelled job is tried again and succeeds", |_, world: &World| {
            world.jobs.iter().any(|job| job.state == JobState::Succeeded && job.attempt > 1)
        }),
        Property::sometimes("a worker hears of a cancellation too late", |_, world: &World| {
            world.jobs.iter().any(|job| job.state == JobState::Succeeded && job.is_stopped)
        }),
        Property::sometimes("a write arrives after its job was deleted", |_, world: &World| {
            world.under_way.iter().any(|packet| world.jobs[packet.job].is_deleted)
        }),
        Property::sometimes(
            "a write for a deleted job arrives while a later one runs",
            |_, world: &World| {
                world.under_way.iter().any(|packet| {
                    let job = &world.jobs[packet.job];
                    job.state == JobState::Running && packet.experiment < job.experiment
                })
            },
        ),
    ]
}

fn has_one_run(job: &Job) -> bool {
    let mut before: &[u8] = &[];
    job.points.values().all(|history| {
        let continues = history.split_last().is_some_and(|(_, earlier)| earlier == before);
        before = history;
        continues
    })
}

fn has_points_of_checkpoints(job: &Job) -> bool {
    job.checkpoints.values().all(|Checkpoint { history, .. }| {
        (1..=history.len()).all(|step| job.points.get(&step).map(Vec::as_slice) == history.get(..step))
    })
}

fn keeps_its_promises(limits: Limits) {
    let checker = Worlds { rules: RULES, limits }.checker().threads(2).spawn_bfs().join();
    println!("{} states", checker.unique_state_count());
    checker.assert_properties();
}

#[test]
fn the_protocol_keeps_its_promises_under_faults() {
    keeps_its_promises(FAULTS);
}

#[test]
fn the_protocol_keeps_its_promises_while_people_act() {
    keeps_its_promises(PEOPLE);
}

#[test]
fn the_protocol_keeps_its_promises_while_an_engine_takes_machines_away() {
    keeps_its_promises(ENGINE);
}

/// Checks that the invariant breaks without the rule.
fn breaks(rules: Rules, promise: &'static str) {
    breaks_within(FAULTS, rules, promise);
}

fn breaks_within(limits: Limits, rules: Rules, promise: &'static str) {
    let found = stateright::HasDiscoveries::AnyOf([promise].into());
    let checker = Worlds { rules, limits }.checker().threads(2).finish_when(found).spawn_bfs().join();
    checker.assert_any_discovery(promise);
}

#[test]
fn without_the_fence_old_attempts_write_after_new_ones_begin() {
    let unfenced = Rules { attempt_is_checked: false, state_is_checked: false, ..RULES };
    for promise in [ONE_WRITER, ONE_END, ONE_RUN, KEPT, COMPLETE] {
        breaks(unfenced, promise);
    }
}

#[test]
fn checking_only_the_state_lets_an_old_attempt_write() {
    breaks(Rules { attempt_is_checked: false, ..RULES }, ONE_WRITER);
}

#[test]
fn checking_only_the_number_lets_a_failed_job_end_again() {
    breaks(Rules { state_is_checked: false, ..RULES }, ONE_END);
}

#[test]
fn without_deleting_later_points_two_runs_are_mixed() {
    breaks(Rules { start_deletes_later_points: false, ..RULES }, ONE_RUN);
}

#[test]
fn a_checkpoint_stored_before_its_points_loses_them() {
    breaks(Rules { checkpoint_follows_points: false, ..RULES }, KEPT);
}

#[test]
fn without_deleting_later_checkpoints_a_curve_has_a_hole() {
    let keeping = Rules { start_forgets_later_checkpoints: false, end_checks_points: false, ..RULES };
    for promise in [ONE_RUN, KEPT, COMPLETE] {
        breaks(keeping, promise);
    }
}

/// The final check is a second line of defence against violations of the other rules.
#[test]
fn only_the_final_check_keeps_a_job_with_a_hole_from_succeeding() {
    let checking = Rules { start_forgets_later_checkpoints: false, ..RULES };
    let checker = Worlds { rules: checking, limits: FAULTS }.checker().threads(2).spawn_bfs().join();
    checker.assert_no_discovery(COMPLETE);
}

#[test]
fn without_requests_at_the_end_of_an_attempt_a_stopped_job_goes_on() {
    breaks_within(PEOPLE, Rules { requests_decide: false, ..RULES }, OBEYED);
}

#[test]
fn an_experiment_deleted_while_a_job_runs_takes_its_lease_away() {
    breaks_within(PEOPLE, Rules { deletion_waits: false, ..RULES }, LEASED);
}

#[test]
fn a_deletion_in_several_transactions_leaves_half_and_meets_a_running_job() {
    let stepwise = Rules { deletion_is_one_transaction: false, ..RULES };
    for promise in [WHOLE, LEASED] {
        breaks_within(PEOPLE, stepwise, promise);
    }
}

#[test]
fn a_fence_blind_to_deletion_lets_rows_reappear() {
    breaks_within(PEOPLE, Rules { row_is_checked: false, ..RULES }, GONE);
}

#[test]
fn an_id_used_again_lets_an_old_lease_write_to_a_later_job() {
    breaks_within(PEOPLE, Rules { ids_are_new: false, ..RULES }, OWN);
}
