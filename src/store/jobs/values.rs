//! The values of fields, as JSON.

use std::collections::HashMap;

use optlab_domain::database::JsonText;
use optlab_domain::time::{as_rfc3339, rfc3339};
use optlab_domain::{AttemptNumber, EndReason, ExperimentId, JobId, JobState, Phase, Request};
use serde::Serialize;
use serde_json::{Map, Value};
use sqlx_macros::FromRow;

use super::column::Kind;
use super::field::Field;
use crate::store::database::per_database;
use crate::store::{Store, StoreError};

/// Every [`Column`](super::Column) of a job, by its word, and the spec.
#[derive(Serialize, FromRow)]
struct Row {
    id: JobId,
    experiment: String,
    experiment_id: ExperimentId,
    tags: JsonText<Value>,
    archived: bool,
    arm: String,
    method: String,
    seed: i64,
    phase: Phase,
    trial: Option<i64>,
    state: JobState,
    requested: Option<Request>,
    end_reason: Option<EndReason>,
    error: Option<String>,
    attempt: AttemptNumber,
    device: Option<String>,
    priority: i64,
    step: i64,
    steps: i64,
    progress: Option<f64>,
    #[serde(rename = "created_at", with = "as_rfc3339")]
    created_ms: i64,
    #[serde(rename = "started_at", with = "as_rfc3339::option")]
    started_ms: Option<i64>,
    #[serde(rename = "ended_at", with = "as_rfc3339::option")]
    ended_ms: Option<i64>,
    test_error: Option<f64>,
    test_accuracy: Option<f64>,
    best_test_accuracy: Option<f64>,
    validation_error: Option<f64>,
    validation_accuracy: Option<f64>,
    best_validation_accuracy: Option<f64>,
    energy: Option<f64>,
    seconds: Option<f64>,
    peak_memory_bytes: Option<i64>,
    parameters_trained: Option<i64>,
    #[serde(skip_serializing)]
    spec: JsonText<Value>,
}

/// The parts of the statement around the ids of jobs in a JSON list, $1.
macro_rules! select_values {
    ($ids:literal) => {
        concat!(
            "SELECT k.id, e.name AS experiment, k.experiment_id, e.tags, e.archived = 1 AS archived, k.arm, k.method,
                 k.seed, k.phase, k.trial, k.state, k.requested, k.end_reason, k.error, k.attempt, a.device, k.priority, k.step, k.steps,
                 CAST(k.step AS DOUBLE PRECISION) / nullif(k.steps, 0) AS progress,
                 k.created_ms, k.started_ms, k.ended_ms, r.test_error, r.test_accuracy, r.best_test_accuracy,
                 r.validation_error, r.validation_accuracy, r.best_validation_accuracy, r.energy,
                 CASE WHEN k.state = 'succeeded' THEN a.seconds END AS seconds, r.peak_memory_bytes,
                 k.parameters_trained, k.spec
             FROM jobs k
             JOIN experiments e ON e.id = k.experiment_id
             LEFT JOIN attempts a ON a.job_id = k.id AND a.number = k.attempt
             LEFT JOIN results r ON r.job_id = k.id
             WHERE k.id IN (",
            $ids,
            ")"
        )
    };
}

impl Store {
    /// The values of fields of jobs, by their names. Jobs that were deleted meanwhile are left out.
    pub async fn job_values(
        &self,
        jobs: &[JobId],
        fields: &[Field],
    ) -> Result<HashMap<JobId, Map<String, Value>>, StoreError> {
        if fields.is_empty() {
            return Ok(HashMap::new());
        }
        let ids: Vec<i64> = jobs.iter().map(|&id| id.into()).collect();
        let rows: Vec<Row> = per_database(
            select_values!("SELECT value FROM json_each($1)"),
            select_values!("SELECT id::BIGINT FROM json_array_elements_text($1::json) AS given (id)"),
        )
        .bind(serde_json::to_string(&ids)?)
        .fetch_all(&mut self.read().await?)
        .await?;
        rows.into_iter().map(|row| Ok((row.id, of_row(&row, fields)?))).collect()
    }
}

fn of_row(row: &Row, fields: &[Field]) -> Result<Map<String, Value>, StoreError> {
    let columns = serde_json::to_value(row)?;
    let at = |path: &str| path.split('.').try_fold(&*row.spec, |table, name| table.get(name)).cloned();
    let value = |field: &Field| match field {
        Field::Column(column) => columns.get(<&str>::from(column)).cloned(),
        Field::Setting(setting) => at(&setting.path).or_else(|| at(setting.or_else.as_ref()?)),
    };
    Ok(fields.iter().map(|field| (field.name().to_owned(), value(field).unwrap_or(Value::Null))).collect())
}

/// The value of a field that has this number or this text; null if it has neither.
pub(super) fn json(field: Field, number: Option<f64>, text: Option<String>) -> Value {
    let kind = if let Field::Column(column) = field { Some(column.about().0) } else { None };
    match (number, text) {
        (Some(ms), _) if kind == Some(Kind::Time) => rfc3339(ms as i64).into(),
        // An integer is written as in the other answers, without a decimal point.
        (Some(number), _) if number.fract() == 0.0 && number.abs() < 1e15 => (number as i64).into(),
        (Some(number), _) => number.into(),
        (None, Some(text)) => text.into(),
        (None, None) => Value::Null,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::store::Column;

    #[test]
    fn values_have_their_types() {
        let value =
            |column: Column, number, text: Option<&str>| json(column.into(), number, text.map(str::to_owned));
        assert_eq!(value(Column::Seed, Some(3.0), None), json!(3));
        assert_eq!(value(Column::TestError, Some(2.5), None), json!(2.5));
        assert_eq!(value(Column::CreatedAt, Some(0.0), None), json!("1970-01-01T00:00:00.000Z"));
        assert_eq!(value(Column::Arm, None, Some("64")), json!("64"));
        assert_eq!(value(Column::TestError, None, None), Value::Null);
    }
}
