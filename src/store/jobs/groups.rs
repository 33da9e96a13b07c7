//! Jobs grouped by the values of fields.

use optlab_domain::JobId;
use serde_json::Value as Json;
use sqlx_macros::FromRow;

use super::column::Column;
use super::field::Field;
use super::selection::{from_matching, from_matching_with_words, push_number, push_text};
use super::values::json;
use crate::store::database::{Composed, Statement};
use crate::store::{JobFilter, Store, StoreError};

/// Maximum number of groups that are returned.
pub const MOST_GROUPS: usize = 1000;

/// The jobs that have the same values. A job is in the group of each of its tags.
#[derive(Clone, Debug, PartialEq)]
pub struct JobGroup {
    /// The values, one for each field; null if the jobs lack it.
    pub values: Vec<Json>,
    /// Number of its jobs.
    pub jobs: i64,
    /// Number of those that have succeeded.
    pub succeeded: i64,
    /// Number of those that have the figure.
    pub measured: i64,
    /// Mean of the figure.
    pub mean: Option<f64>,
    /// The best value of the figure: the lowest one, or the highest accuracy.
    pub best: Option<f64>,
    /// The job with the best value; the oldest one of several.
    pub best_job: Option<JobId>,
}

#[derive(FromRow)]
struct Row {
    number_1: Option<f64>,
    text_1: Option<String>,
    number_2: Option<f64>,
    text_2: Option<String>,
    jobs: i64,
    succeeded: i64,
    measured: i64,
    mean: Option<f64>,
    best: Option<f64>,
    best_job: JobId,
}

impl Store {
    /// The jobs that match the filter, grouped by one field or two: one group more than [`MOST_GROUPS`] if there are more.
    /// Groups are ordered by the first of two fields, then by the mean of the figure, the best first.
    pub async fn job_groups(
        &self,
        filter: &JobFilter,
        by: (Field, Option<Field>),
        figure: Column,
    ) -> Result<Vec<JobGroup>, StoreError> {
        let rows: Vec<Row> = select(filter, by, figure).fetch_all(&mut self.read().await?).await?;
        let group = |row: Row| {
            let first = json(by.0, row.number_1, row.text_1);
            let second = by.1.map(|field| json(field, row.number_2, row.text_2));
            JobGroup {
                values: [Some(first), second].into_iter().flatten().collect(),
                jobs: row.jobs,
                succeeded: row.succeeded,
                measured: row.measured,
                mean: row.mean,
                best: row.best,
                best_job: row.best.map(|_| row.best_job),
            }
        };
        Ok(rows.into_iter().map(group).collect())
    }
}

fn select(filter: &JobFilter, by: (Field, Option<Field>), figure: Column) -> Statement {
    let direction = if figure.higher_is_better() { " DESC NULLS LAST, " } else { " ASC NULLS LAST, " };
    let mut statement = Composed::default();
    statement.push(
        "SELECT * FROM (
             SELECT k.number_1, k.text_1, k.number_2, k.text_2, count(*) OVER same AS jobs,
                 CAST(sum(CASE WHEN k.state = 'succeeded' THEN 1 ELSE 0 END) OVER same AS BIGINT) AS succeeded,
                 count(k.figure) OVER same AS measured, avg(k.figure) OVER same AS mean, k.figure AS best,
                 k.id AS best_job, row_number() OVER (same ORDER BY k.figure",
    );
    statement.push(direction).push("k.id) AS place FROM (SELECT k.id, k.state, ");
    push_number(&mut statement, figure.into());
    statement.push(" AS figure, ");
    push_number(&mut statement, by.0);
    statement.push(" AS number_1, ");
    push_word(&mut statement, by.0);
    statement.push(" AS text_1, ");
    match by.1 {
        Some(field) => {
            push_number(&mut statement, field);
            statement.push(" AS number_2, ");
            push_word(&mut statement, field);
        }
        None => _ = statement.push("CAST(NULL AS DOUBLE PRECISION) AS number_2, CAST(NULL AS TEXT)"),
    }
    statement.push(" AS text_2");
    if [Some(by.0), by.1].into_iter().flatten().any(Field::is_list_of_words) {
        from_matching_with_words(&mut statement, filter);
    } else {
        from_matching(&mut statement, filter);
    }
    statement.push(") k WINDOW same AS (PARTITION BY k.number_1, k.text_1, k.number_2, k.text_2)) k WHERE k.place = 1 ORDER BY ");
    if by.1.is_some() {
        statement.push("k.number_1 NULLS LAST, k.text_1 NULLS LAST, ");
    }
    statement.push("k.mean").push(direction).push(
        "k.number_1 NULLS LAST, k.text_1 NULLS LAST, k.number_2 NULLS LAST, k.text_2 NULLS LAST LIMIT ",
    );
    statement.bind(MOST_GROUPS as i64 + 1);
    statement.into()
}

/// Adds the text of a field, or one word of a list of words.
fn push_word(statement: &mut Composed, field: Field) {
    if field.is_list_of_words() {
        statement.push_for("word.value", "word.value COLLATE \"C\"");
    } else {
        push_text(statement, field);
    }
}
