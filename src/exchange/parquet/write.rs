//! Writes a Parquet file in groups of rows, so that memory does not grow with the experiment.

use std::collections::BTreeSet;
use std::io::Write;
use std::mem;
use std::sync::Arc;

use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::data_type::{ByteArray, ByteArrayType, DataType, DoubleType, Int64Type};
use parquet::errors::{ParquetError, Result};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::types::ColumnPath;

use super::digest::Digest;
use super::header::key_values;
use super::{GROUP, schema, unwritten};
use crate::exchange::{ExchangeError, PointWriter};
use crate::store::{ExperimentRecord, ExportedJob, TimedPoint};

/// Writes points, and the metadata at the end.
pub struct ParquetWriter<W: Write + Send> {
    file: SerializedFileWriter<W>,
    experiment: ExperimentRecord,
    jobs: Vec<ExportedJob>,
    series: BTreeSet<String>,
    digest: Digest,
    rows: Rows,
}

/// The columns of the current group.
#[derive(Default)]
struct Rows {
    job_id: Vec<i64>,
    arm: Vec<ByteArray>,
    method: Vec<ByteArray>,
    phase: Vec<ByteArray>,
    /// Those that have one.
    trial: Vec<i64>,
    /// Whether the row has a trial: 1 or 0.
    has_trial: Vec<i16>,
    seed: Vec<i64>,
    series: Vec<ByteArray>,
    step: Vec<i64>,
    value: Vec<f64>,
    time_ms: Vec<i64>,
}

impl<W: Write + Send> ParquetWriter<W> {
    /// Writes an experiment to `out`.
    ///
    /// # Errors
    /// If the header cannot be written.
    pub fn new(
        out: W,
        experiment: &ExperimentRecord,
        jobs: &[ExportedJob],
    ) -> std::result::Result<Self, ExchangeError> {
        let file = SerializedFileWriter::new(out, schema(), Arc::new(properties())).map_err(unwritten)?;
        let (experiment, jobs) = (experiment.clone(), jobs.to_vec());
        let (series, digest, rows) = Default::default();
        Ok(Self { file, experiment, jobs, series, digest, rows })
    }

    fn write_group(&mut self) -> Result<()> {
        let rows = mem::take(&mut self.rows);
        let experiment = vec![ByteArray::from(self.experiment.name.as_str()); rows.step.len()];
        let mut group = self.file.next_row_group()?;
        write_column::<_, ByteArrayType>(&mut group, &experiment)?;
        write_column::<_, Int64Type>(&mut group, &rows.job_id)?;
        write_column::<_, ByteArrayType>(&mut group, &rows.arm)?;
        write_column::<_, ByteArrayType>(&mut group, &rows.method)?;
        write_column::<_, ByteArrayType>(&mut group, &rows.phase)?;
        write_optional::<_, Int64Type>(&mut group, &rows.trial, Some(&rows.has_trial))?;
        write_column::<_, Int64Type>(&mut group, &rows.seed)?;
        write_column::<_, ByteArrayType>(&mut group, &rows.series)?;
        write_column::<_, Int64Type>(&mut group, &rows.step)?;
        write_column::<_, DoubleType>(&mut group, &rows.value)?;
        write_column::<_, Int64Type>(&mut group, &rows.time_ms)?;
        group.close()?;
        Ok(())
    }
}

/// Encodings: a dictionary for names, differences for growing numbers, plain for values.
fn properties() -> WriterProperties {
    let mut properties = WriterProperties::builder().set_compression(Compression::ZSTD(ZstdLevel::default()));
    for name in ["step", "time_ms"] {
        properties = properties
            .set_column_dictionary_enabled(ColumnPath::from(name), false)
            .set_column_encoding(ColumnPath::from(name), Encoding::DELTA_BINARY_PACKED);
    }
    properties.set_column_dictionary_enabled(ColumnPath::from("value"), false).build()
}

fn write_column<W: Write + Send, T: DataType>(
    group: &mut SerializedRowGroupWriter<'_, W>,
    values: &[T::T],
) -> Result<()> {
    write_optional::<_, T>(group, values, None)
}

/// Writes the values of the rows for which `present` is 1.
fn write_optional<W: Write + Send, T: DataType>(
    group: &mut SerializedRowGroupWriter<'_, W>,
    values: &[T::T],
    present: Option<&[i16]>,
) -> Result<()> {
    let column = group.next_column()?;
    let mut column = column.ok_or_else(|| ParquetError::General("a column too many".to_owned()))?;
    column.typed::<T>().write_batch(values, present, None)?;
    column.close()
}

impl<W: Write + Send> PointWriter for ParquetWriter<W> {
    fn write(
        &mut self,
        job: &ExportedJob,
        series: &str,
        points: &[TimedPoint],
    ) -> std::result::Result<(), ExchangeError> {
        if !self.series.contains(series) {
            self.series.insert(series.to_owned());
        }
        self.digest.points(job.record.id, series, points);
        let phase: &str = job.record.phase.into();
        let [arm, method, phase, series] =
            [job.record.arm.as_str(), &job.record.method, phase, series].map(ByteArray::from);
        for point in points {
            let rows = &mut self.rows;
            rows.job_id.push(job.record.id.into());
            rows.arm.push(arm.clone());
            rows.method.push(method.clone());
            rows.phase.push(phase.clone());
            rows.trial.extend(job.record.trial);
            rows.has_trial.push(job.record.trial.is_some().into());
            rows.seed.push(job.record.seed);
            rows.series.push(series.clone());
            rows.step.push(point.step);
            rows.value.push(point.value);
            rows.time_ms.push(point.time_ms);
            if rows.step.len() == GROUP {
                self.write_group().map_err(unwritten)?;
            }
        }
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> std::result::Result<(), ExchangeError> {
        if !self.rows.step.is_empty() {
            self.write_group().map_err(unwritten)?;
        }
        for pair in key_values(&self.experiment, &self.jobs, &self.series, self.digest)? {
            self.file.append_key_value_metadata(pair);
        }
        self.file.close().map_err(unwritten)?;
        Ok(())
    }
}
