//! SQL of users on both databases, over HTTP on real servers: answers, limits and hostile statements.

#[path = "../support/mod.rs"]
mod support;

mod client;
mod hostile;
mod hostile_postgres;
mod hostile_sqlite;
mod login;
mod values;

mod command;
mod documented;
mod memory;
mod together;
mod unending;

use support::Database;

/// Makes two tests of each function.
macro_rules! on_both_databases {
    ($($module:ident { $($test:ident,)+ })+) => {
        mod sqlite {
            $($( #[test] fn $test() { super::$module::$test(super::Database::Sqlite); } )+)+
        }

        mod postgres {
            $($( #[test] fn $test() { super::$module::$test(super::Database::Postgres); } )+)+
        }
    };
}

on_both_databases! {
    hostile {
        hostile_statements_are_rejected_or_bounded_and_change_nothing,
        every_table_is_readable_or_named_as_unreadable,
    }
    values {
        values_are_encoded_as_json,
        answers_are_limited_in_rows_and_bytes,
        an_invalid_request_is_rejected,
    }
    together {
        slow_queries_do_not_delay_other_requests,
        a_query_ends_when_its_client_disconnects,
    }
    unending {
        an_uninterruptible_query_blocks_only_its_slot,
    }
    memory {
        answers_of_many_small_values_take_bounded_memory,
    }
    documented {
        the_documented_queries_work,
    }
}
