//! Reads a Parquet file that [`ParquetWriter`](super::ParquetWriter) has written, and nothing else.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::sync::Arc;

use optlab_domain::JobId;
use parquet::column::reader::{ColumnReaderImpl, get_column_reader, get_typed_column_reader};
use parquet::data_type::{ByteArray, ByteArrayType, DataType, DoubleType, Int64Type};
use parquet::errors::Result;
use parquet::file::metadata::{ParquetMetaData, RowGroupMetaData};

use super::bounds::{self, Pages};
use super::digest::Digest;
use super::import_error::ImportError;
use super::records::check_times;
use super::{columns, header, schema, unreadable};
use crate::exchange::ExchangeError;
use crate::store::{CurveBatch, Import, TimedPoint};

/// Number of rows per read.
const BATCH: usize = 2_000;

/// A file that has been read completely and validated.
pub struct ParquetReader {
    file: Arc<Pages>,
    metadata: ParquetMetaData,
    import: Import,
}

impl ParquetReader {
    /// Reads and validates the whole file.
    ///
    /// # Errors
    /// [`ExchangeError::Refused`] if the file is not an export, has impossible content or was changed after it was
    /// written.
    pub fn open(file: File) -> std::result::Result<Self, ExchangeError> {
        let metadata = bounds::metadata(&file)?;
        let about = metadata.file_metadata();
        let import = header::read(about)?;
        if about.schema().get_fields() != schema().get_fields() {
            return Err(ExchangeError::refused("the file has other columns than an export"));
        }
        let reader = Self { file: Arc::new(Pages(file)), metadata, import };
        reader.check_points()?;
        Ok(reader)
    }

    /// The experiment and its jobs.
    pub fn import(&self) -> &Import {
        &self.import
    }

    /// Checks the digest, and that every series has points.
    fn check_points(&self) -> std::result::Result<(), ExchangeError> {
        let mut digest = Digest::default();
        let mut unused: HashSet<&str> = self.import.series.iter().map(String::as_str).collect();
        self.for_each(|batch| {
            digest.points(self.import.jobs[batch.job].record.id, &batch.series, &batch.points);
            unused.remove(batch.series.as_str());
            true
        })?;
        header::check_digest(self.metadata.file_metadata(), digest)?;
        match unused.into_iter().min() {
            Some(series) => Err(ExchangeError::refused(format!("the series {series} has no points"))),
            None => Ok(()),
        }
    }

    /// Passes the points to `take`, until it returns false.
    ///
    /// # Errors
    /// [`ExchangeError::Refused`] at the first row that is damaged or impossible.
    pub fn for_each(
        &self,
        mut take: impl FnMut(CurveBatch) -> bool,
    ) -> std::result::Result<(), ExchangeError> {
        let mut order = Order::new(&self.import);
        for group in self.metadata.row_groups() {
            let mut columns = Columns::open(&self.file, group).map_err(unreadable)?;
            let mut left = group.num_rows() as usize;
            while left > 0 {
                let rows = columns.read(left.min(BATCH)).map_err(unreadable)?;
                if rows.step.is_empty() {
                    return Err(ExchangeError::refused("a column of the file is too short"));
                }
                left -= rows.step.len();
                for batch in order.batches(&rows)? {
                    if !take(batch) {
                        return Ok(());
                    }
                }
            }
        }
        Ok(())
    }
}

/// The columns of a group that an import needs; the others are for other programs.
struct Columns {
    job_id: Column<Int64Type>,
    series: Column<ByteArrayType>,
    step: Column<Int64Type>,
    value: Column<DoubleType>,
    time_ms: Column<Int64Type>,
}

/// Reads the same number of values of each column.
struct Rows {
    job_id: Vec<i64>,
    series: Vec<ByteArray>,
    step: Vec<i64>,
    value: Vec<f64>,
    time_ms: Vec<i64>,
}

struct Column<T: DataType>(ColumnReaderImpl<T>);

impl Columns {
    fn open(file: &Arc<Pages>, group: &RowGroupMetaData) -> Result<Self> {
        Ok(Self {
            job_id: Column::open(file, group, "job_id")?,
            series: Column::open(file, group, "series")?,
            step: Column::open(file, group, "step")?,
            value: Column::open(file, group, "value")?,
            time_ms: Column::open(file, group, "time_ms")?,
        })
    }

    fn read(&mut self, most: usize) -> Result<Rows> {
        Ok(Rows {
            job_id: self.job_id.read(most)?,
            series: self.series.read(most)?,
            step: self.step.read(most)?,
            value: self.value.read(most)?,
            time_ms: self.time_ms.read(most)?,
        })
    }
}

impl<T: DataType> Column<T> {
    fn open(file: &Arc<Pages>, group: &RowGroupMetaData, name: &str) -> Result<Self> {
        let index = columns().iter().position(|column| column == name).expect("a column of the schema");
        let pages = bounds::pages(file, group, index)?;
        let column = group.column(index).column_descr_ptr();
        Ok(Self(get_typed_column_reader(get_column_reader(column, pages))))
    }

    fn read(&mut self, most: usize) -> Result<Vec<T::T>> {
        let mut values = Vec::with_capacity(most);
        // A call may end with a page.
        while values.len() < most {
            let (read, ..) = self.0.read_records(most - values.len(), None, None, &mut values)?;
            if read == 0 {
                break;
            }
        }
        Ok(values)
    }
}

/// Checks the order of rows, in which no point can occur twice.
struct Order<'a> {
    import: &'a Import,
    /// Places of jobs by their ids.
    places: HashMap<JobId, usize>,
    series: HashSet<&'a str>,
    /// Position of the job, series and step of the previous row.
    last: Option<(usize, String, i64)>,
}

impl<'a> Order<'a> {
    fn new(import: &'a Import) -> Self {
        let places = import.jobs.iter().enumerate().map(|(place, job)| (job.record.id, place)).collect();
        Self { import, places, series: import.series.iter().map(String::as_str).collect(), last: None }
    }

    /// The rows by job and series.
    fn batches(&mut self, rows: &Rows) -> std::result::Result<Vec<CurveBatch>, ImportError> {
        let count = rows.step.len();
        let counts = [rows.job_id.len(), rows.series.len(), rows.value.len(), rows.time_ms.len()];
        if counts.iter().any(|&other| other != count) {
            return Err("the columns of the file are not equally long".into());
        }
        let mut batches: Vec<CurveBatch> = Vec::new();
        for row in 0..count {
            let point =
                TimedPoint { step: rows.step[row], value: rows.value[row], time_ms: rows.time_ms[row] };
            let series = rows.series[row].as_utf8().map_err(|error| error.to_string())?;
            let job = self.next(rows.job_id[row].into(), series, &point)?;
            match batches.last_mut() {
                Some(last) if last.job == job && last.series == series => last.points.push(point),
                _ => batches.push(CurveBatch { job, series: series.to_owned(), points: vec![point] }),
            }
        }
        Ok(batches)
    }

    /// The position of the job, if the row is valid here.
    fn next(
        &mut self,
        job: JobId,
        series: &str,
        point: &TimedPoint,
    ) -> std::result::Result<usize, ImportError> {
        let TimedPoint { step, value, time_ms } = *point;
        let wrong = |what: &str| {
            Err(ImportError(format!("the point of {series} at step {step} of job {job} {what}")))
        };
        let Some(&place) = self.places.get(&job) else { return wrong("belongs to no job of the experiment") };
        let steps = self.import.jobs[place].record.steps;
        if !(0..=steps).contains(&step) || !value.is_finite() {
            return wrong(&format!("is impossible: the job has {steps} steps, and values are finite"));
        }
        if let Err(ImportError(problem)) = check_times([Some(time_ms)]) {
            return wrong(&problem);
        }
        match &mut self.last {
            Some((last_job, last_series, last))
                if *last_job == place && last_series == series && *last < step =>
            {
                *last = step;
            }
            Some((last_job, last_series, _)) if (*last_job, last_series.as_str()) >= (place, series) => {
                return wrong("is out of order: rows are in the order of jobs, series and steps");
            }
            _ if !self.series.contains(series) => return wrong("belongs to no series of the experiment"),
            last => *last = Some((place, series.to_owned(), step)),
        }
        Ok(place)
    }
}
