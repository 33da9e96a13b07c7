//! `/experiments/{id}/report`: the experiment as one page that can be mailed.

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use optlab_api_types::Curves;
use optlab_domain::time::rfc3339;
use optlab_domain::{ExperimentId, series};
use tokio::task::spawn_blocking;

use super::error::ApiError;
use super::extract::Path;
use super::state::AppState;
use super::{comparison, experiments, metrics, tuning, views, warnings};
use crate::report::{Report, page};
use crate::store::{CurveRange, Experiment, JobFilter, JobOrder, StoreError};

/// The series that are drawn, if they have points.
const SERIES: [&str; 4] =
    [series::TEST_ACCURACY, series::VALIDATION_ACCURACY, series::TRAIN_LOSS, series::ENERGY_MEAN];
/// A whole curve, in as many buckets as a printed chart shows.
const RANGE: CurveRange = CurveRange { after_step: -1, to_step: i64::MAX, buckets: 200 };

/// The experiment as one file of HTML without scripts and without addresses: verdict, charts, tables, spec and
/// environments.
#[utoipa::path(get, path = "/api/v1/experiments/{id}/report", tag = "experiments",
    responses((status = 200, description = "The page", content((String = "text/html")))))]
pub(super) async fn get(
    State(state): State<AppState>,
    Path(id): Path<ExperimentId>,
) -> Result<Response, ApiError> {
    let experiment = state.store.experiment(id).await?;
    let disposition = format!("attachment; filename=\"{}-{id}.html\"", experiment.name);
    let report = read(&state, experiment).await?;
    let page = spawn_blocking(move || page(&report)).await.map_err(|error| ApiError::failed(&error))?;
    let content_type = "text/html; charset=utf-8";
    let headers = [(header::CONTENT_TYPE, content_type), (header::CONTENT_DISPOSITION, &disposition)];
    Ok((headers, page).into_response())
}

async fn read(state: &AppState, experiment: Experiment) -> Result<Report, ApiError> {
    let id = experiment.id;
    let filter = JobFilter { experiment: Some(id), ..JobFilter::default() };
    let jobs = state.store.jobs(filter, JobOrder::default(), None, i64::from(u32::MAX)).await?.items;
    let environments = state.store.environments(id).await?;
    Ok(Report {
        comparison: comparison::usual(state, experiment.id).await?,
        tuning: tuning::of(state, id, &experiment.spec).await?,
        warnings: warnings::of(state, &experiment).await?,
        curves: curves(state, &experiment).await?,
        jobs: jobs.into_iter().map(views::job).collect(),
        environments: environments.into_values().flatten().collect(),
        submitted: state.store.submitted_text(id).await?,
        made_at: rfc3339(state.store.time_ms().await?),
        experiment: experiments::detail(state, experiment).await?,
    })
}

async fn curves(state: &AppState, experiment: &Experiment) -> Result<Vec<Curves>, StoreError> {
    let recorded = state.store.series_of_experiment(experiment.id).await?;
    let mut curves = Vec::new();
    for name in SERIES {
        if let Some(series) = recorded.iter().find(|series| series.name == name) {
            curves.push(metrics::curves(state, experiment, series.clone(), RANGE).await?);
        }
    }
    Ok(curves)
}
