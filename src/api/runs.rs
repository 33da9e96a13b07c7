//! The table over all jobs: its fields, its groups and its file.

use std::io::Write;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use optlab_api_types::{FieldKind, JobField, JobGroup, JobGroups, List};
use optlab_domain::JobId;
use serde::Deserialize;
use tokio::runtime::Handle;
use utoipa::{IntoParams, ToSchema};

use super::error::ApiError;
use super::export::{ExportError, written};
use super::extract::Query;
use super::selection;
use super::state::AppState;
use crate::exchange::{JobTable, USUAL_COLUMNS};
use crate::store::{self, Field, JobFilter, JobOrder, MOST_GROUPS, Store};

/// Jobs per read from the store. Each read orders all jobs.
const BATCH: i64 = 10_000;

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct GroupParams {
    /// The field by which jobs are grouped, or two fields, separated by a comma. With `tags`, a job is in the group of each
    /// of its tags.
    #[param(pattern = "^[A-Za-z0-9_.]+(,[A-Za-z0-9_.]+)?$")]
    by: String,
    /// A number that a job ends with; default: `test_error`.
    #[param(pattern = "^[A-Za-z0-9_.]+$")]
    figure: Option<String>,
    /// As in `/jobs`.
    archived: Option<bool>,
    /// As in `/jobs`.
    #[param(max_length = 4000)]
    r#where: Option<String>,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct ExportParams {
    /// `csv`.
    #[param(inline)]
    #[expect(dead_code, reason = "a format that does not exist is rejected")]
    format: TableFormat,
    /// The columns, separated by commas; default: the usual ones.
    #[param(pattern = "^[A-Za-z0-9_.]+(,[A-Za-z0-9_.]+)*$")]
    fields: Option<String>,
    /// As in `/jobs`.
    archived: Option<bool>,
    /// As in `/jobs`.
    #[param(max_length = 4000)]
    r#where: Option<String>,
    /// As in `/jobs`.
    #[param(pattern = "^[A-Za-z0-9_.]+$")]
    sort: Option<String>,
    /// As in `/jobs`.
    #[param(pattern = "^(asc|desc)$")]
    order: Option<String>,
}

#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum TableFormat {
    Csv,
}

/// The fields by which jobs can be selected, ordered and grouped: columns, then settings in alphabetical order.
#[utoipa::path(get, path = "/api/v1/jobs/fields", tag = "jobs",
    responses((status = 200, body = List<JobField>)))]
pub(super) async fn fields() -> Json<List<JobField>> {
    let described = |field: Field| {
        let is_figure = matches!(field, Field::Column(column) if column.is_figure());
        let takes = field.takes();
        let kinds = [
            (takes.numbers, FieldKind::Number),
            (takes.times, FieldKind::Time),
            (takes.texts, FieldKind::Text),
        ];
        JobField {
            name: field.to_string(),
            takes: kinds.into_iter().filter_map(|(is_taken, kind)| is_taken.then_some(kind)).collect(),
            words: takes.words.into_iter().map(str::to_owned).collect(),
            is_figure,
        }
    };
    Json(List::whole(Field::all().map(described).collect()))
}

/// Jobs grouped by one field or two, with the best job of each group.
#[utoipa::path(get, path = "/api/v1/jobs/groups", tag = "jobs", params(GroupParams),
    responses((status = 200, body = JobGroups)))]
pub(super) async fn groups(
    State(state): State<AppState>,
    Query(params): Query<GroupParams>,
) -> Result<Json<JobGroups>, ApiError> {
    let by = match selection::fields(Some(&params.by), "by")?[..] {
        [one] => (one, None),
        [first, second] => (first, Some(second)),
        _ => return Err(ApiError::invalid_parameter("`by` must be one field or two")),
    };
    let figure = selection::figure(params.figure.as_deref())?;
    let filter = filter(params.archived, params.r#where.as_deref())?;
    let mut groups = state.store.job_groups(&filter, by, figure).await?;
    let truncated = groups.len() > MOST_GROUPS;
    groups.truncate(MOST_GROUPS);
    Ok(Json(JobGroups { groups: groups.into_iter().map(JobGroup::from).collect(), truncated }))
}

impl From<store::JobGroup> for JobGroup {
    fn from(group: store::JobGroup) -> Self {
        let store::JobGroup { values, jobs, succeeded, measured, mean, best, best_job } = group;
        Self { values, jobs, succeeded, measured, mean, best, best_job }
    }
}

/// Every job that matches, as a file. An interrupted transfer is incomplete and must be repeated.
#[utoipa::path(get, path = "/api/v1/jobs/export", tag = "jobs", params(ExportParams),
    responses((status = 200, description = "The file", content((String = "text/csv")))))]
pub(super) async fn export(
    State(state): State<AppState>,
    Query(params): Query<ExportParams>,
) -> Result<Response, ApiError> {
    let export = Export {
        store: state.store,
        filter: filter(params.archived, params.r#where.as_deref())?,
        order: selection::order(params.sort.as_deref(), params.order.as_deref())?,
        fields: selection::fields(Some(&params.fields.unwrap_or(USUAL_COLUMNS.join(","))), "fields")?,
    };
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"jobs.csv\""),
    ];
    Ok((headers, written(move |out| export.write(out))).into_response())
}

fn filter(archived: Option<bool>, condition: Option<&str>) -> Result<JobFilter, ApiError> {
    Ok(JobFilter { archived, condition: selection::condition(condition)?, ..JobFilter::default() })
}

/// A table of jobs that is being sent.
struct Export {
    store: Arc<Store>,
    filter: JobFilter,
    order: JobOrder,
    fields: Vec<Field>,
}

impl Export {
    /// Blocks while the store reads, so it needs a thread of its own.
    fn write(&self, out: &mut impl Write) -> Result<(), ExportError> {
        let runtime = Handle::current();
        let names: Vec<&str> = self.fields.iter().map(|field| field.name()).collect();
        let mut table = JobTable::new(out, &names)?;
        let mut cursor = None;
        loop {
            let page = self.store.jobs(self.filter.clone(), self.order, cursor, BATCH);
            let page = runtime.block_on(page)?;
            let ids: Vec<JobId> = page.items.iter().map(|job| job.record.id).collect();
            let mut values = runtime.block_on(self.store.job_values(&ids, &self.fields))?;
            for job in ids.iter().filter_map(|id| values.remove(id)) {
                table.write(&job)?;
            }
            match page.next {
                Some(next) => cursor = Some(next),
                None => return Ok(table.finish()?),
            }
        }
    }
}
