//! Parameters that select, order and group jobs.

use strum::VariantArray;

use super::error::ApiError;
use crate::store::{Column, Condition, Field, JobOrder};

/// Maximum number of fields of a request.
const MOST_FIELDS: usize = 50;

/// The condition in `where`.
pub(super) fn condition(given: Option<&str>) -> Result<Condition, ApiError> {
    let condition = given.unwrap_or_default().parse();
    condition.map_err(|wrong| ApiError::invalid_parameter(format!("`where` {wrong}")))
}

/// The order in `sort` and `order`.
pub(super) fn order(sort: Option<&str>, order: Option<&str>) -> Result<JobOrder, ApiError> {
    let by = field(sort.unwrap_or("id"), "sort")?;
    match order.unwrap_or("asc") {
        word @ ("asc" | "desc") => Ok(JobOrder { by, descending: word == "desc" }),
        _ => Err(ApiError::invalid_parameter("`order` must be asc or desc")),
    }
}

/// The fields in the parameter `name`, separated by commas.
pub(super) fn fields(given: Option<&str>, name: &str) -> Result<Vec<Field>, ApiError> {
    let names: Vec<&str> = given.map_or_else(Vec::new, |given| given.split(',').collect());
    if names.len() > MOST_FIELDS {
        return Err(ApiError::invalid_parameter(format!("`{name}` may have at most {MOST_FIELDS} fields")));
    }
    names.into_iter().map(|word| field(word, name)).collect()
}

/// The figure in the parameter `figure`; default: the test error.
pub(super) fn figure(given: Option<&str>) -> Result<Column, ApiError> {
    match given.map(|word| field(word, "figure")).transpose()? {
        None => Ok(Column::TestError),
        Some(Field::Column(column)) if column.is_figure() => Ok(column),
        Some(other) => {
            let figures = Column::VARIANTS.iter().filter(|column| column.is_figure());
            let figures: Vec<&str> = figures.map(<&str>::from).collect();
            let wrong = format!("`figure` must be one of {}; `{other}` is none", figures.join(", "));
            Err(ApiError::invalid_parameter(wrong))
        }
    }
}

fn field(word: &str, parameter: &str) -> Result<Field, ApiError> {
    Field::parse(word).map_err(|wrong| ApiError::invalid_parameter(format!("`{parameter}`: {wrong}")))
}
