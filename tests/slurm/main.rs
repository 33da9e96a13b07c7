//! Workers on demand on a real Slurm cluster on this machine.

#[path = "../workers/fixture.rs"]
#[allow(dead_code, reason = "another suite has more tests")]
mod fixture;
#[path = "../support/mod.rs"]
mod support;

mod cluster;

mod fleet;
mod pilots;
mod refused;
mod taken;

use support::Database;
use support::waiting::turn;

/// Runs each test on one database. What the store does is tested on both in `tests/store/pools.rs`.
macro_rules! on {
    ($($database:ident { $($module:ident :: $test:ident,)+ })+) => {
        $($(
            #[test]
            fn $test() {
                let _turn = turn();
                $module::$test(Database::$database)
            }
        )+)+
    };
}

on! {
    Sqlite {
        pilots::pilots_that_wait_in_vain_are_cancelled,
        taken::a_worker_that_dies_by_itself_costs_an_attempt,
        refused::a_limit_on_jobs_leaves_the_work_to_fewer_pilots,
        refused::pilots_that_fail_are_not_repeated_for_ever,
    }
    Postgres {
        pilots::pilots_come_with_the_queue_and_leave_when_it_is_empty,
        pilots::a_keeper_that_is_killed_is_replaced_and_finds_its_pilots,
        pilots::a_controller_that_is_killed_and_comes_back_loses_no_job,
        taken::a_machine_that_is_taken_away_costs_no_attempt,
        taken::a_machine_that_dies_costs_no_attempt,
        taken::jobs_are_handed_back_before_the_time_limit,
        refused::a_rejected_request_pauses_the_pool,
        refused::a_request_that_can_never_be_met_is_given_up,
    }
}
