//! The protocol between workers and database, tried in every order of events: claims, fenced writes, leases that end
//! under a sleeping worker, crashes, lost answers, checkpoints that cannot be read for a while.
//!
//! Each rule of the protocol is needed: without it there is a story in which a promise is broken, and the checker finds
//! one. Where a job goes and who may write is decided by `optlab_domain::lifecycle` itself. That the real store keeps the
//! rules is tested in `tests/store`.

mod job;
mod worker;
mod world;

use job::{Checkpoint, Job};
use optlab_domain::JobState;
use stateright::{Checker, Model, Property};
use worker::STEPS;
use world::{Action, World};

/// What the protocol asks of its parts. A test leaves one out to see what it is for.
#[derive(Clone, Copy)]
pub struct Rules {
    /// A write is refused unless its attempt is the job's last.
    attempt_is_checked: bool,
    /// A write is refused unless the job is running.
    state_is_checked: bool,
    /// The first write of an attempt deletes the points after the checkpoint that it goes on from.
    start_deletes_later_points: bool,
    /// The first write of an attempt forgets the checkpoints after the one that it goes on from.
    start_forgets_later_checkpoints: bool,
    /// A job whose curve lacks points does not succeed: it starts again from its beginning.
    end_checks_points: bool,
    /// A worker sends a checkpoint when the points up to it are acknowledged.
    checkpoint_follows_points: bool,
}

const RULES: Rules = Rules {
    attempt_is_checked: true,
    state_is_checked: true,
    start_deletes_later_points: true,
    start_forgets_later_checkpoints: true,
    end_checks_points: true,
    checkpoint_follows_points: true,
};

const ONE_WRITER: &str = "no write of an attempt is accepted once a newer one has begun";
const ONE_END: &str = "a job ends once";
const ONE_RUN: &str = "the points of a job are those of one run, from its beginning on";
const KEPT: &str = "the points up to every checkpoint are there, and those that led to it";
const COMPLETE: &str = "a job that succeeded has every point";

impl Model for Rules {
    type State = World;
    type Action = Action;

    fn init_states(&self) -> Vec<World> {
        vec![World::new()]
    }

    fn actions(&self, world: &World, actions: &mut Vec<Action>) {
        actions.extend(world.actions(*self));
    }

    fn next_state(&self, world: &World, action: Action) -> Option<World> {
        Some(world.after(&action, *self))
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always(ONE_WRITER, |_, world: &World| world.jobs.iter().all(|job| !job.overtaken)),
            Property::always(ONE_END, |_, world: &World| world.jobs.iter().all(|job| job.ends <= 1)),
            Property::always(ONE_RUN, |_, world: &World| world.jobs.iter().all(has_one_run)),
            Property::always(KEPT, |_, world: &World| world.jobs.iter().all(has_points_of_checkpoints)),
            Property::always(COMPLETE, |_, world: &World| {
                world.jobs.iter().all(|job| job.state != JobState::Succeeded || job.is_complete())
            }),
            Property::always("every job ends if nothing more goes wrong", |rules: &Self, world: &World| {
                world.ends_if_left_alone(*rules)
            }),
            // The stories above are told at all.
            Property::sometimes("an attempt completes what another has begun", |_, world: &World| {
                let mut last_points = world.jobs.iter().filter_map(|job| job.points.get(&STEPS));
                last_points.any(|history| history[0] < history[STEPS - 1])
            }),
            Property::sometimes(
                "an attempt passes over a checkpoint that cannot be read",
                |_, world: &World| {
                    world.jobs.iter().any(|job| {
                        job.checkpoints
                            .keys()
                            .last()
                            .is_some_and(|last| *last > job.last_readable_checkpoint().len())
                    })
                },
            ),
            Property::sometimes("a job is given up", |_, world: &World| {
                world.jobs.iter().any(|job| job.state == JobState::Failed)
            }),
            Property::sometimes("a write arrives too late", |rules: &Self, world: &World| {
                world.under_way.iter().any(|packet| !world.jobs[packet.job].accepts(packet, *rules))
            }),
        ]
    }
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

#[test]
fn the_protocol_keeps_its_promises() {
    let checker = RULES.checker().threads(2).spawn_bfs().join();
    println!("{} states", checker.unique_state_count());
    checker.assert_properties();
}

/// Without a rule, the promise is broken.
fn breaks(rules: Rules, promise: &'static str) {
    let found = stateright::HasDiscoveries::AnyOf([promise].into());
    let checker = rules.checker().threads(2).finish_when(found).spawn_bfs().join();
    checker.assert_any_discovery(promise);
}

#[test]
fn without_the_fence_old_attempts_write_between_new_ones() {
    let unfenced = Rules { attempt_is_checked: false, state_is_checked: false, ..RULES };
    for promise in [ONE_WRITER, ONE_END, ONE_RUN, KEPT, COMPLETE] {
        breaks(unfenced, promise);
    }
}

#[test]
fn a_fence_of_states_lets_an_old_attempt_write_while_a_new_one_runs() {
    breaks(Rules { attempt_is_checked: false, ..RULES }, ONE_WRITER);
}

#[test]
fn a_fence_of_numbers_lets_a_job_end_that_was_given_up() {
    breaks(Rules { state_is_checked: false, ..RULES }, ONE_END);
}

#[test]
fn an_attempt_that_deletes_nothing_mixes_two_runs() {
    breaks(Rules { start_deletes_later_points: false, ..RULES }, ONE_RUN);
}

#[test]
fn a_checkpoint_before_its_points_loses_them() {
    breaks(Rules { checkpoint_follows_points: false, ..RULES }, KEPT);
}

#[test]
fn an_attempt_that_forgets_no_checkpoint_leaves_a_hole_in_the_curve() {
    let keeping = Rules { start_forgets_later_checkpoints: false, end_checks_points: false, ..RULES };
    for promise in [ONE_RUN, KEPT, COMPLETE] {
        breaks(keeping, promise);
    }
}

/// The check at the end is a second line of defence: it repairs what a fault in the rules before it would do.
#[test]
fn the_check_at_the_end_alone_keeps_a_job_with_a_hole_from_succeeding() {
    let checking = Rules { start_forgets_later_checkpoints: false, ..RULES };
    let checker = checking.checker().threads(2).spawn_bfs().join();
    checker.assert_no_discovery(COMPLETE);
}
