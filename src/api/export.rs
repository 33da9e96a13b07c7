//! `/experiments/{id}/export`: every point, as a file that is written while it is sent.

use std::io::{self, BufWriter, Write};
use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use optlab_domain::ExperimentId;
use serde::Deserialize;
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio::task::spawn_blocking;
use tokio_stream::wrappers::ReceiverStream;
use utoipa::{IntoParams, ToSchema};

use super::error::ApiError;
use super::extract::{Path, Query};
use super::state::AppState;
use crate::exchange::{CsvWriter, ExchangeError, ParquetWriter, PointWriter, write_jobs};
use crate::store::{ExperimentRecord, ExportedJob, Store, StoreError};

/// Points per read from the store.
const BATCH: i64 = 10_000;
/// Bytes per part of the body, and how many parts may wait for a slow client.
const PART: usize = 64 * 1024;
const PARTS: usize = 8;

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct ExportParams {
    /// `csv` or `parquet`. A Parquet file has everything, and another server can import it.
    #[param(inline)]
    format: ExportFormat,
    /// The table of a CSV file: `points` (default) or `jobs`.
    #[param(inline)]
    table: Option<ExportTable>,
}

#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum ExportFormat {
    Csv,
    Parquet,
}

#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum ExportTable {
    Points,
    Jobs,
}

/// The files that an experiment can be exported to.
#[derive(Clone, Copy)]
enum ExportFile {
    PointsCsv,
    JobsCsv,
    Parquet,
}

/// An experiment that is being sent.
struct Export {
    store: Arc<Store>,
    experiment: ExperimentRecord,
    jobs: Vec<ExportedJob>,
}

/// The reason why an export ended early.
#[derive(Debug, thiserror::Error)]
pub(super) enum ExportError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Exchange(#[from] ExchangeError),
}

/// Every point of an experiment, never sampled, or its jobs. An interrupted transfer is incomplete and must be repeated.
#[utoipa::path(get, path = "/api/v1/experiments/{id}/export", tag = "experiments", params(ExportParams),
    responses((status = 200, description = "The file",
                  content((String = "text/csv"), (String = "application/vnd.apache.parquet")))))]
pub(super) async fn get(
    State(state): State<AppState>,
    Path(id): Path<ExperimentId>,
    Query(params): Query<ExportParams>,
) -> Result<Response, ApiError> {
    let file = params.file()?;
    let (experiment, jobs) = state.store.records(id).await?;
    let (content_type, ending) = file.names();
    let disposition = format!("attachment; filename=\"{}-{id}{ending}\"", experiment.name);
    let export = Export { store: state.store, experiment, jobs };
    let body = written(move |out| export.write(file, out));
    let headers = [(header::CONTENT_TYPE, content_type), (header::CONTENT_DISPOSITION, &disposition)];
    Ok((headers, body).into_response())
}

impl ExportParams {
    fn file(&self) -> Result<ExportFile, ApiError> {
        match (self.format, self.table) {
            (ExportFormat::Csv, Some(ExportTable::Jobs)) => Ok(ExportFile::JobsCsv),
            (ExportFormat::Csv, _) => Ok(ExportFile::PointsCsv),
            (ExportFormat::Parquet, Some(ExportTable::Jobs)) => Err(ApiError::invalid_parameter(
                "`table` applies only to csv: a Parquet file has the jobs in its metadata",
            )),
            (ExportFormat::Parquet, _) => Ok(ExportFile::Parquet),
        }
    }
}

impl ExportFile {
    /// The content type, and the end of the file name.
    fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::PointsCsv => ("text/csv; charset=utf-8", ".csv"),
            Self::JobsCsv => ("text/csv; charset=utf-8", "-jobs.csv"),
            Self::Parquet => ("application/vnd.apache.parquet", ".parquet"),
        }
    }
}

impl Export {
    fn write(&self, file: ExportFile, out: &mut BufWriter<Sender>) -> Result<(), ExportError> {
        let (experiment, jobs) = (&self.experiment, &self.jobs);
        match file {
            ExportFile::PointsCsv => self.write_points(Box::new(CsvWriter::new(out, experiment)?)),
            ExportFile::JobsCsv => Ok(write_jobs(out, experiment, jobs)?),
            ExportFile::Parquet => self.write_points(Box::new(ParquetWriter::new(out, experiment, jobs)?)),
        }
    }

    /// Passes every point to the writer. Blocks while the store reads, so it needs a thread of its own.
    fn write_points(&self, mut writer: Box<dyn PointWriter + '_>) -> Result<(), ExportError> {
        let runtime = Handle::current();
        for job in &self.jobs {
            let mut series = runtime.block_on(self.store.series_of_job(job.record.id))?;
            // The two databases sort text differently.
            series.sort_by(|one, other| one.name.cmp(&other.name));
            for series in &series {
                let mut after = -1;
                loop {
                    let points = self.store.points(job, &series.name, after, BATCH);
                    let points = runtime.block_on(points)?;
                    let Some(last) = points.last() else { break };
                    after = last.step;
                    writer.write(job, &series.name, &points)?;
                }
            }
        }
        Ok(writer.finish()?)
    }
}

/// A body that `write` produces on a thread of its own. If it fails, the body breaks off, so that no client takes the
/// file for complete.
pub(super) fn written(
    write: impl FnOnce(&mut BufWriter<Sender>) -> Result<(), ExportError> + Send + 'static,
) -> Body {
    let (sender, parts) = mpsc::channel(PARTS);
    spawn_blocking(move || {
        let mut out = BufWriter::with_capacity(PART, Sender(sender.clone()));
        let done = write(&mut out).and_then(|()| Ok(out.flush().map_err(ExchangeError::from)?));
        // Discards what is left in the buffer after an error, which dropping `out` would write.
        drop(out.into_parts());
        match done {
            Err(error) if !sender.is_closed() => {
                tracing::warn!(%error, "an export ended early");
                let _ = sender.blocking_send(Err(io::Error::other(error)));
            }
            _ => {}
        }
    });
    Body::from_stream(ReceiverStream::new(parts))
}

/// The writing end of a body.
pub(super) struct Sender(mpsc::Sender<io::Result<Bytes>>);

impl Write for Sender {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let part = Ok(Bytes::copy_from_slice(bytes));
        self.0.blocking_send(part).map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe))?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
