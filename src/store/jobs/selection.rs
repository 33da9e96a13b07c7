//! The SQL of conditions and of the fields that they compare.

use super::column::Kind;
use super::condition::{Comparison, Operator, Value};
use super::field::Field;
use crate::store::JobFilter;
use crate::store::database::Composed;

/// Adds the tables of a statement over jobs, and the jobs `k` that match the filter.
pub(super) fn from_matching(statement: &mut Composed, filter: &JobFilter) {
    push_tables(statement);
    push_filter(statement, filter);
}

/// The same, with a row per job and tag `word`; a job without tags has one row.
pub(super) fn from_matching_with_words(statement: &mut Composed, filter: &JobFilter) {
    push_tables(statement);
    statement.push_for(
        " LEFT JOIN json_each(e.tags) word ON 1 = 1",
        " LEFT JOIN json_array_elements_text(e.tags::json) AS word (value) ON 1 = 1",
    );
    push_filter(statement, filter);
}

fn push_tables(statement: &mut Composed) {
    statement.push(
        " FROM jobs k
         JOIN experiments e ON e.id = k.experiment_id
         LEFT JOIN attempts a ON a.job_id = k.id AND a.number = k.attempt
         LEFT JOIN results r ON r.job_id = k.id",
    );
}

fn push_filter(statement: &mut Composed, filter: &JobFilter) {
    statement.push(" WHERE 1 = 1");
    if let Some(experiment) = filter.experiment {
        statement.push(" AND k.experiment_id = ").bind(experiment);
    }
    if let Some(arm) = &filter.arm {
        statement.push(" AND k.arm = ").bind(arm.as_str());
    }
    if let Some(state) = filter.state {
        statement.push(" AND k.state = ").bind(state);
    }
    if let Some(archived) = filter.archived {
        statement.push(" AND e.archived = ").bind(i64::from(archived));
    }
    for comparison in &filter.condition.comparisons {
        statement.push(" AND (");
        compare(statement, comparison);
        statement.push(")");
    }
}

/// Adds a comparison.
fn compare(statement: &mut Composed, comparison: &Comparison) {
    let Comparison { field, operator, value } = comparison;
    match (value, operator) {
        (Value::Null, Operator::Equal) => is_absent(statement, *field),
        (Value::Null, _) => {
            statement.push("NOT (");
            is_absent(statement, *field);
            statement.push(")");
        }
        (Value::Text(word), _) if field.is_list_of_words() => {
            compare_words(statement, *operator, word);
        }
        (Value::Text(text), Operator::Contains) => contains(statement, |it| push_text(it, *field), text),
        (_, Operator::NotEqual) => {
            // A field that holds numbers and texts differs from a text by holding a number.
            statement.push("NOT (");
            is_absent(statement, *field);
            statement.push(") AND ");
            compare_value(statement, *field, sign(*operator), value);
        }
        (_, operator) => compare_value(statement, *field, sign(*operator), value),
    }
}

fn sign(operator: Operator) -> &'static str {
    match operator {
        Operator::Equal | Operator::Contains => " = ",
        Operator::NotEqual => " IS DISTINCT FROM ",
        Operator::Less => " < ",
        Operator::LessOrEqual => " <= ",
        Operator::Greater => " > ",
        Operator::GreaterOrEqual => " >= ",
    }
}

fn compare_value(statement: &mut Composed, field: Field, sign: &'static str, value: &Value) {
    match value {
        Value::Number(number) => {
            push_number(statement, field);
            statement.push(sign).push("CAST(").bind(*number).push(" AS DOUBLE PRECISION)");
        }
        Value::Text(text) => {
            push_text(statement, field);
            statement.push(sign).bind(text.as_str());
        }
        Value::Null => {}
    }
}

/// Adds that a job lacks the field.
fn is_absent(statement: &mut Composed, field: Field) {
    if field.is_list_of_words() {
        push_text(statement, field);
        statement.push(" = '[]'");
        return;
    }
    push_number(statement, field);
    statement.push(" IS NULL AND ");
    push_text(statement, field);
    statement.push(" IS NULL");
}

/// Adds a comparison of each tag of the experiment: `=` and `~` need one that matches, `!=` needs that none is equal.
fn compare_words(statement: &mut Composed, operator: Operator, word: &str) {
    if operator == Operator::NotEqual {
        statement.push("NOT ");
    }
    statement.push_for(
        "EXISTS (SELECT 1 FROM json_each(e.tags) WHERE ",
        "EXISTS (SELECT 1 FROM json_array_elements_text(e.tags::json) AS tag (value) WHERE ",
    );
    if operator == Operator::Contains {
        contains(statement, |it| _ = it.push("value"), word);
    } else {
        statement.push("value = ").bind(word);
    }
    statement.push(")");
}

/// Adds that the text contains `part`, in any case of ASCII letters.
fn contains(statement: &mut Composed, text: impl Fn(&mut Composed), part: &str) {
    statement.push_for("instr(lower(", "strpos(lower(");
    text(statement);
    statement.push_for("), ", " COLLATE \"C\"), ").bind(part.to_ascii_lowercase()).push(") > 0");
}

/// Adds the number of a field, which is NULL if it holds none.
pub(super) fn push_number(statement: &mut Composed, field: Field) {
    match field {
        Field::Column(column) if matches!(column.about().0, Kind::Number | Kind::Time) => {
            statement.push("CAST(").push(column.about().1).push(" AS DOUBLE PRECISION)");
        }
        Field::Setting(setting) if setting.values.numbers => match &setting.or_else {
            None => number_at(statement, &setting.path),
            Some(other) => {
                statement.push("coalesce(");
                number_at(statement, &setting.path);
                statement.push(", ");
                number_at(statement, other);
                statement.push(")");
            }
        },
        _ => _ = statement.push("CAST(NULL AS DOUBLE PRECISION)"),
    }
}

/// Adds the number at a path of the spec, which is NULL if there is none.
fn number_at(statement: &mut Composed, path: &str) {
    let path = statement.parameter(path);
    statement.push_with(
        path,
        "CASE WHEN json_type(k.spec, '$.' || $?) IN ('integer', 'real')
              THEN CAST(json_extract(k.spec, '$.' || $?) AS DOUBLE PRECISION) END",
        "(SELECT CASE json_typeof(s.value) WHEN 'number' THEN CAST(s.value #>> '{}' AS DOUBLE PRECISION) END
          FROM (SELECT k.spec::json #> string_to_array($?, '.') AS value OFFSET 0) s)",
    );
}

/// Adds the text of a field, which is NULL if it holds none.
pub(super) fn push_text(statement: &mut Composed, field: Field) {
    match field {
        Field::Column(column) if !matches!(column.about().0, Kind::Number | Kind::Time) => {
            statement.push("(").push(column.about().1).push_for(")", ") COLLATE \"C\"");
        }
        Field::Setting(setting) if setting.values.texts => {
            let path = statement.parameter(setting.path.as_str());
            statement.push_with(
                path,
                // SQLite reads a flag as a number.
                "(CASE json_type(k.spec, '$.' || $?) WHEN 'true' THEN 'true' WHEN 'false' THEN 'false'
                      WHEN 'integer' THEN NULL WHEN 'real' THEN NULL ELSE json_extract(k.spec, '$.' || $?) END)",
                "(SELECT CASE json_typeof(s.value) WHEN 'number' THEN NULL ELSE s.value #>> '{}' END
                  FROM (SELECT k.spec::json #> string_to_array($?, '.') AS value OFFSET 0) s) COLLATE \"C\"",
            );
        }
        _ => _ = statement.push("CAST(NULL AS TEXT)"),
    }
}

/// Adds the number of a field by which lists are ordered.
pub(super) fn push_rank(statement: &mut Composed, field: Field) {
    match field {
        Field::Column(column) => match column.rank() {
            Some(rank) => _ = statement.push("CAST(").push(rank).push(" AS DOUBLE PRECISION)"),
            None => push_number(statement, field),
        },
        Field::Setting(_) => push_number(statement, field),
    }
}
