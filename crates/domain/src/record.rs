//! Records: what a row of the database, an answer of the API and an export have in common.

use serde::{Deserialize, Serialize};

use crate::{AttemptNumber, EndReason, ExperimentId, JobId, JobState, Phase, Request};

/// Declares a record, a struct whose fields are columns of one table and have their names. `$columns!()` lists them for
/// a SELECT from the table `$table`, with a comma after each. A new column is one field here and one line in the
/// migration of each database.
macro_rules! record {
    (
        $(#[$about:meta])*
        pub struct $Record:ident, with $columns:ident!() of $table:literal {
            $($(#[$note:meta])* pub $field:ident: $Type:ty,)+
        }
    ) => {
        $(#[$about])*
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        #[cfg_attr(feature = "sqlx", derive(sqlx_macros::FromRow))]
        pub struct $Record {
            $($(#[$note])* pub $field: $Type,)+
        }

        impl $Record {
            /// Names of the columns.
            pub const COLUMNS: &'static [&'static str] = &[$(stringify!($field)),+];

            /// The values of the columns, in the same order.
            pub fn values<Value>(&self) -> Vec<Value>
            where
                $($Type: Into<Value>,)+
            {
                vec![$(self.$field.clone().into()),+]
            }
        }

        #[doc = concat!("The columns of [`", stringify!($Record), "`](crate::", stringify!($Record), ").")]
        #[macro_export]
        macro_rules! $columns {
            () => {
                concat!($($table, ".", stringify!($field), ", "),+)
            };
        }
    };
}

record! {
    /// One training run.
    pub struct JobRecord, with job_columns!() of "j" {
        /// Its id.
        #[cfg_attr(feature = "openapi", schema(value_type = i64))]
        pub id: JobId,
        /// Id of its experiment.
        #[cfg_attr(feature = "openapi", schema(value_type = i64))]
        pub experiment_id: ExperimentId,
        /// Name of its arm.
        pub arm: String,
        /// `baseline`, `opt:cayley`, ...
        pub method: String,
        /// Whether it tries a point of the arm's space or counts in the comparison.
        pub phase: Phase,
        /// Number of the trial, from 0; null for a job that counts in the comparison.
        pub trial: Option<i64>,
        /// Its seed.
        pub seed: i64,
        /// Where it is in its life.
        pub state: JobState,
        /// Request that its worker has not fulfilled yet.
        pub requested: Option<Request>,
        /// Why it ended.
        pub end_reason: Option<EndReason>,
        /// What went wrong, in a sentence.
        pub error: Option<String>,
        /// Number of its last attempt; 0 before the first.
        #[cfg_attr(feature = "openapi", schema(value_type = i64))]
        pub attempt: AttemptNumber,
        /// Jobs of higher priority are claimed first.
        pub priority: i64,
        /// Completed updates.
        pub step: i64,
        /// Updates of the whole run.
        pub steps: i64,
        /// Number of rungs of `tune.halving` at which it was among the best and went on.
        #[serde(default)]
        pub rungs_passed: i64,
        /// The step of the rung that it has reached, until the trials that go on are chosen; null otherwise.
        #[serde(default)]
        pub waits_at: Option<i64>,
        /// When it was submitted.
        #[serde(rename = "created_at", with = "crate::time::as_rfc3339")]
        #[cfg_attr(feature = "openapi", schema(value_type = String))]
        pub created_ms: i64,
        /// When its last attempt started.
        #[serde(rename = "started_at", with = "crate::time::as_rfc3339::option")]
        #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
        pub started_ms: Option<i64>,
        /// When it ended.
        #[serde(rename = "ended_at", with = "crate::time::as_rfc3339::option")]
        #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
        pub ended_ms: Option<i64>,
    }
}
