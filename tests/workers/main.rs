//! Workers in their own processes, on both databases: after any fault of a worker, its jobs resume elsewhere, bit for
//! bit.

#![expect(clippy::disallowed_methods, reason = "waits for other processes")]

#[path = "../support/mod.rs"]
mod support;

mod fixture;
mod orderly;
mod lost;
mod files;
mod machines;
mod overlap;
mod leaving;

use support::Database;
use support::waiting::turn;

/// Runs each test on both databases.
macro_rules! on_both {
    ($($module:ident { $($test:ident,)+ })+) => {
        mod sqlite {
            $($(
                #[test]
                fn $test() {
                    let _turn = super::turn();
                    super::$module::$test(super::Database::Sqlite)
                }
            )+)+
        }

        mod postgres {
            $($(
                #[test]
                fn $test() {
                    let _turn = super::turn();
                    super::$module::$test(super::Database::Postgres)
                }
            )+)+
        }
    };
}

on_both! {
    orderly {
        a_worker_trains_what_a_server_queues,
        a_paused_job_resumes_with_the_same_bits,
        a_stopping_worker_hands_its_job_back,
    }
    lost {
        the_job_of_a_killed_worker_resumes_from_its_checkpoint,
        a_frozen_worker_that_wakes_up_writes_nothing,
        a_hung_runner_is_killed_and_its_job_resumes,
    }
    files {
        a_damaged_checkpoint_is_skipped,
        checkpoints_that_reappear_leave_no_hole_in_the_curve,
        a_job_waits_for_a_checkpoint_that_cannot_be_fetched,
        weights_that_cannot_be_stored_are_retried,
        a_success_without_weights_is_reported,
    }
    machines {
        a_worker_with_crashing_runners_pauses_and_fails_no_job,
        a_machine_that_cannot_run_a_job_reports_why_and_leaves_it_to_another,
        a_machine_without_the_data_set_names_the_damaged_file_and_trains_others,
        a_worker_whose_runner_does_not_start_drains_and_ends_when_idle,
        a_worker_ends_if_no_server_sets_up_its_database,
    }
    overlap {
        the_next_job_trains_while_the_last_one_is_written_down,
        a_stopping_worker_hands_both_jobs_back,
        a_killed_worker_loses_neither_job,
        a_worker_leaves_after_the_last_file_is_stored,
    }
    leaving {
        a_signal_to_all_processes_leaves_time_for_a_checkpoint,
        a_worker_leaves_before_its_machine_goes_away,
    }
}
