//! One suite for both databases: the guarantees of the store, with a fake clock.
//!
//! Each test takes a [`Fixture`], a new database; the list below runs it once on SQLite and once on Postgres.
//! [`only_postgres`] and [`only_sqlite`] have the rest; [`random`] compares both databases with a [`model`] of the
//! store.

mod actions;
mod fixture;
#[path = "../support/mod.rs"]
mod support;

mod experiments;
mod deletion;
mod listing;
mod conditions;
mod queue;
mod waiting;
mod fleet;

mod checkpoints;
mod clocks;
mod curves;
mod ends;
mod places;
mod abandoned;
mod points;
mod results;
mod time_left;

mod pools;

mod changes;
mod schema;
mod tokens;
mod workers;

mod halving;
mod tuning;

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
        an_idempotency_key_makes_one_experiment,
        the_submitted_text_is_stored_and_exported,
        the_provenance_is_stored_and_exported_and_does_not_distinguish_submissions,
        arms_of_older_experiments_are_completed,
        new_seeds_are_added_to_every_arm_once,
        the_priority_of_queued_jobs_can_be_changed,
    }
    deletion {
        a_deleted_experiment_leaves_no_row_and_others_keep_theirs,
        an_experiment_is_deleted_only_by_its_name_and_when_no_job_runs,
        a_lost_worker_writes_nothing_to_a_deleted_job,
        versions_keep_growing_after_the_newest_job_is_deleted,
        an_export_detects_that_its_experiment_was_deleted,
    }
    listing {
        pages_of_a_list_contain_every_job_once_in_any_order,
        the_next_page_follows_a_job_that_has_left_the_list,
    }
    conditions {
        conditions_select_jobs_by_every_operator_and_type,
        hostile_values_are_only_compared,
        lists_are_ordered_by_any_field_across_pages,
        values_are_those_of_the_spec_and_the_columns,
        groups_have_their_best_job,
        a_list_with_a_condition_has_whole_jobs,
    }
    waiting {
        queue_positions_are_right_up_to_their_limit,
        a_list_by_id_applies_its_filter,
        an_experiment_reports_counts_of_jobs_and_updates,
    }
    fleet {
        the_demand_counts_due_and_running_jobs_by_device,
        the_demand_leaves_out_jobs_that_cannot_be_claimed,
    }
    queue {
        a_job_is_claimed_recorded_and_ended,
        a_lost_worker_can_write_nothing_more,
        a_reaper_that_could_not_write_extends_every_lease,
        a_job_with_an_unreadable_spec_fails_with_a_reason,
        jobs_are_claimed_by_priority_then_age_on_a_matching_device,
        slots_of_many_processes_never_share_a_job,
    }
    ends {
        attempts_are_limited_and_a_retry_by_hand_resets_them,
        a_hand_back_costs_no_attempt,
        a_machine_fault_costs_no_attempt_and_is_reported,
        a_crashing_job_is_retried_with_growing_delays,
        a_lost_or_handed_back_job_is_requeued_without_delay,
        a_lost_worker_costs_an_attempt,
        a_failure_that_would_repeat_ends_the_job,
        a_complete_run_with_missing_points_starts_again,
        a_succeeded_job_lists_its_missing_files,
    }
    pools {
        one_process_keeps_a_pool_at_a_time,
        of_many_processes_one_takes_a_pool,
        failures_pause_a_pool_for_longer_and_a_person_ends_the_pause,
        demand_counts_due_jobs_of_the_device_and_those_of_its_pilots,
        a_pilot_has_worked_once_its_worker_has_claimed,
        an_attempt_on_a_machine_that_was_taken_away_costs_nothing,
        an_attempt_that_was_counted_as_lost_is_refunded,
        a_refund_counts_whatever_happened_since,
        a_worker_that_lived_on_is_refunded_nothing,
        a_pilot_that_starts_again_refunds_its_first_attempt,
        a_job_that_failed_by_a_machine_that_was_taken_away_is_requeued,
    }
    places {
        a_device_of_another_version_is_read_and_ends_its_attempt,
        a_failed_job_goes_to_another_worker_first,
        a_failed_job_waits_only_for_a_worker_that_can_claim_it,
        a_slot_claims_no_job_with_a_data_set_that_it_lacks,
        a_failed_job_does_not_wait_for_an_unsuitable_device,
        a_job_that_failed_on_one_gpu_goes_to_another_of_the_machine,
        repeated_crashes_on_one_worker_cost_one_attempt,
        a_job_that_crashed_on_every_worker_can_be_claimed_by_any,
        a_claim_that_lost_a_race_skips_jobs_that_failed_at_its_slot,
    }
    clocks {
        a_lease_in_the_far_future_counts_as_expired,
        a_retry_delay_in_the_far_future_counts_as_over,
        a_job_that_starts_after_the_read_time_has_no_speed,
        a_reaper_waits_one_lease_after_its_clock_was_set_back,
        a_cancelled_job_ends_when_its_worker_is_gone,
        a_warning_about_a_running_attempt_is_removed_at_its_end,
    }
    actions {
        a_cancel_request_reaches_the_worker_and_impossible_actions_are_rejected,
        a_cancelled_job_whose_runner_dies_is_not_retried,
        a_queued_job_is_paused_and_resumed_at_once,
        a_pause_request_reaches_the_worker,
        a_running_job_that_crashes_is_paused_as_requested,
        resuming_withdraws_a_pause_request,
        a_rejected_action_releases_its_locks_at_once,
        a_cancel_request_overrides_a_pause_and_rejects_other_actions,
        a_whole_experiment_is_paused_and_resumed,
    }
    abandoned {
        a_cancelled_write_does_not_block_other_writes,
    }
    points {
        recording_renews_the_lease_and_is_idempotent,
        a_batch_of_points_is_atomic,
        the_last_value_of_a_repeated_point_is_kept,
        a_resuming_attempt_deletes_only_later_points,
    }
    curves {
        downsampled_curves_agree_with_their_points,
        short_curves_keep_their_ends,
        resuming_from_an_earlier_step_removes_levels_of_detail,
        curves_of_several_jobs_have_the_same_buckets,
        thinned_curves_count_the_remaining_points,
    }
    results {
        a_succeeded_job_stores_its_figures,
        only_pairs_of_succeeded_jobs_have_differences,
        pairs_train_on_the_same_data,
        the_last_evaluations_are_the_last_stored_ones,
        a_curve_has_the_environments_of_its_attempts,
    }
    time_left {
        the_time_left_of_recorded_runs_is_right_after_a_tenth,
        a_resumed_run_is_measured_from_where_it_resumed,
        the_time_left_of_an_experiment_is_that_of_its_jobs,
        trials_that_stop_early_take_less_time,
    }
    checkpoints {
        a_claim_returns_checkpoints_latest_first,
        a_lost_worker_cannot_add_files,
        a_queued_job_is_at_the_step_of_its_last_checkpoint,
        the_last_two_checkpoints_are_kept_until_the_job_succeeds,
        an_attempt_deletes_checkpoints_after_its_start,
        a_file_s_row_is_deleted_only_if_unchanged,
        only_the_running_attempt_forgets_its_checkpoint,
    }
    changes {
        every_write_to_a_job_raises_its_version,
        writes_notify_waiting_tasks,
    }
    schema {
        a_newer_schema_is_rejected,
    }
    tokens {
        a_token_is_valid_until_it_is_revoked,
    }
    halving {
        the_best_trials_of_an_arm_go_on_from_each_rung,
        a_failed_trial_is_the_worst_at_its_rung_and_cannot_return_after_it,
        a_failed_choice_at_a_rung_leaves_nothing_and_many_processes_make_it_once,
        a_rung_waits_for_trials_that_a_person_has_stopped,
        a_run_without_its_evaluation_at_the_rung_is_trained_again,
        a_rung_that_no_trial_can_pass_holds_the_choice_until_a_retry,
    }
    tuning {
        a_choice_is_frozen_when_the_last_trial_of_its_arm_has_ended,
        a_failed_freeze_leaves_nothing_and_many_processes_make_it_once,
        a_failed_trial_can_be_retried_until_the_choice_is_frozen,
        a_stopped_experiment_makes_no_choice_until_it_goes_on,
        an_arm_with_a_cancelled_trial_waits_for_its_retry,
        an_arm_whose_trials_all_failed_can_be_retried,
        a_refunded_trial_counts_unless_the_choice_was_made_without_it,
        added_seeds_confirm_and_added_arms_are_tuned,
    }
    monitor {
        the_census_counts_jobs_by_state_and_attempts_by_end,
        the_counter_of_ended_attempts_survives_a_deletion,
        a_claim_measures_the_time_in_the_queue,
    }
    thinning {
        thinning_keeps_every_nth_step_and_the_extremes,
        a_retried_thinned_job_starts_from_the_beginning,
    }
    transfer {
        an_import_is_atomic,
        jobs_that_had_not_ended_are_imported_as_cancelled,
        an_export_detects_a_new_attempt,
    }
    workers {
        a_worker_drains_and_unregisters,
        a_worker_reports_the_memory_of_its_devices,
        a_worker_reports_trouble_and_counts_as_gone_despite_wrong_clocks,
    }
}
