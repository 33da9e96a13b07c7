//! One suite for every database: the promises of the store, with a clock that the test sets.
//!
//! Each test takes a [`Fixture`], a new database; the list below runs it once on SQLite and once on Postgres. What only
//! a server has is in [`only_postgres`]; [`random`] compares both databases with a [`model`] of the store.

mod actions;
mod fixture;
#[path = "../support/mod.rs"]
mod support;

mod experiments;
mod listing;
mod queue;
mod waiting;

mod checkpoints;
mod clocks;
mod curves;
mod ends;
mod places;
mod abandoned;
mod points;
mod results;

mod changes;
mod schema;
mod tokens;
mod workers;

mod monitor;
mod thinning;
mod transfer;

mod only_postgres;
mod only_sqlite;

mod client;
mod model;
mod random;

use fixture::Fixture;

/// Makes two tests of each function.
macro_rules! on_both_databases {
    ($($module:ident { $($test:ident,)+ })+) => {
        mod sqlite {
            $($(
                #[tokio::test]
                async fn $test() {
                    super::$module::$test(super::Fixture::sqlite().await).await;
                }
            )+)+
        }

        mod postgres {
            $($(
                #[tokio::test]
                async fn $test() {
                    super::$module::$test(super::Fixture::postgres().await).await;
                }
            )+)+
        }
    };
}

on_both_databases! {
    experiments {
        one_key_makes_one_experiment_however_often_it_is_sent,
        new_seeds_go_to_every_arm_once,
        the_priority_of_what_is_queued_can_be_changed,
    }
    listing {
        every_job_has_one_place_in_any_order,
    }
    waiting {
        places_are_right_as_far_as_they_are_counted,
        a_list_by_id_lets_through_what_its_filter_does,
        an_experiment_counts_its_jobs_and_their_updates,
    }
    queue {
        a_job_goes_from_the_queue_to_its_figures,
        a_lost_worker_can_write_nothing_more,
        a_reaper_that_could_not_write_gives_everybody_one_more_lease,
        a_job_that_nobody_can_read_ends_and_says_why,
        the_queue_goes_by_priority_then_age_and_minds_the_device,
        slots_of_many_processes_never_share_a_job,
    }
    ends {
        attempts_are_counted_and_a_retry_by_hand_gives_new_ones,
        a_job_handed_back_has_lost_no_attempt,
        a_fault_of_the_machine_costs_no_attempt_and_says_what_it_was,
        a_job_that_ends_by_itself_waits_longer_each_time,
        a_job_that_lost_its_worker_or_was_handed_back_need_not_wait,
        a_lost_worker_costs_an_attempt,
        a_fault_that_would_come_again_ends_the_job_at_once,
        a_complete_run_whose_curve_lacks_points_starts_again,
        a_job_that_succeeds_without_a_file_names_it,
    }
    places {
        a_job_that_failed_on_one_worker_goes_to_another_first,
        a_job_waits_only_for_a_worker_that_could_take_it,
        a_job_does_not_wait_for_a_device_that_it_cannot_use,
        a_gpu_that_failed_a_job_leaves_it_to_the_others_of_its_machine,
        crashes_on_one_worker_alone_cost_one_attempt,
        a_job_that_crashed_on_every_worker_may_be_tried_on_any,
        a_slot_whose_job_another_slot_took_first_does_not_take_one_that_it_has_failed,
    }
    clocks {
        a_lease_that_a_wrong_clock_wrote_is_over,
        a_wait_that_a_wrong_clock_wrote_is_over,
        a_job_that_starts_after_the_time_of_a_look_has_no_speed_yet,
        a_reaper_whose_clock_was_put_back_is_patient_for_one_lease,
        a_job_that_is_cancelled_ends_when_its_worker_is_gone,
        a_remark_on_a_running_attempt_goes_with_its_end,
    }
    actions {
        a_request_to_cancel_reaches_the_worker_and_impossible_ones_are_refused,
        a_cancelled_job_whose_runner_dies_is_not_tried_again,
        a_queued_job_is_paused_and_resumed_at_once,
        a_running_job_is_paused_by_its_worker,
        a_running_job_that_crashes_is_paused_as_requested,
        resuming_takes_back_the_request_to_pause,
        a_job_can_be_claimed_as_soon_as_a_call_is_refused,
        who_cancels_has_the_last_word,
        a_whole_experiment_is_paused_and_resumed,
    }
    abandoned {
        a_write_that_nobody_waits_for_any_more_holds_up_no_other,
    }
    points {
        recording_prolongs_the_lease_and_repeats_harmlessly,
        a_batch_of_points_is_stored_whole_or_not_at_all,
        a_point_that_is_sent_twice_is_the_last_one_sent,
        an_attempt_that_goes_on_deletes_only_later_points,
    }
    curves {
        long_curves_say_in_few_points_what_their_points_say,
        short_curves_keep_their_ends_too,
        an_attempt_that_goes_back_takes_the_detail_with_it,
        curves_of_several_jobs_have_the_same_stretches,
        thinned_curves_count_what_is_left,
    }
    results {
        a_job_that_succeeds_leaves_its_figures,
        only_pairs_of_which_both_jobs_succeeded_are_differences,
        the_last_evaluations_are_those_that_are_stored,
        a_curve_s_environments_are_those_of_the_attempts_it_comes_from,
    }
    checkpoints {
        a_claim_brings_the_checkpoints_latest_first,
        a_lost_worker_can_add_no_file,
        a_job_in_the_queue_is_where_its_last_checkpoint_is,
        the_last_two_checkpoints_are_kept_until_the_job_succeeds,
        an_attempt_forgets_the_checkpoints_after_its_start,
        a_file_is_forgotten_only_as_it_was_seen,
    }
    changes {
        every_write_to_a_job_can_be_found_by_its_version,
        whoever_writes_wakes_those_who_wait,
    }
    schema {
        the_schema_of_a_newer_program_is_refused,
    }
    tokens {
        a_token_is_good_until_it_is_revoked,
    }
    monitor {
        the_census_counts_jobs_and_how_attempts_ended,
        a_claim_tells_how_long_the_job_could_have_been_claimed,
    }
    thinning {
        ended_jobs_keep_some_steps_and_their_extremes,
        a_thinned_job_starts_again_at_its_beginning,
    }
    transfer {
        an_import_is_there_whole_or_not_at_all,
        what_had_not_ended_comes_as_cancelled,
        points_are_of_a_job_as_it_was_read,
    }
    workers {
        a_worker_is_told_to_drain_and_says_goodbye,
        a_worker_tells_how_full_its_devices_are,
        a_worker_says_why_it_claims_nothing_and_is_gone_by_a_wrong_clock_too,
    }
}
