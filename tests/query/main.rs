//! SQL of users: what is answered, and what is withstood, on both databases by HTTP on real servers.

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
        hostile_statements_are_refused_or_bounded_and_change_nothing,
        every_table_is_readable_or_refused_by_name,
    }
    values {
        values_come_in_json,
        an_answer_has_at_most_its_rows_and_its_bytes,
        a_question_that_is_none_is_refused,
    }
    together {
        slow_queries_keep_nobody_else_waiting,
        a_query_ends_when_nobody_waits_for_it,
    }
    unending {
        an_unending_query_holds_up_nothing_but_its_turn,
    }
    memory {
        answers_of_many_small_values_are_bounded_in_memory,
    }
    documented {
        the_documented_queries_work,
    }
}
