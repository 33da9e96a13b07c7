//! Small files that decode to much data are rejected in bounded memory.

use std::fs::{self, File};
use std::path::Path;
use std::sync::Arc;

use parquet::basic::{Compression, ZstdLevel};
use parquet::data_type::{ByteArray, ByteArrayType, DoubleType, Int64Type};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::file::writer::SerializedFileWriter;
use serde_json::json;
use tempfile::TempDir;

use crate::support::Server;
use crate::{import, trained};

/// Maximum growth of the server's memory for one file.
const MOST_BYTES: u64 = 64 << 20;

/// Peak memory of the server so far.
fn peak(server: &Server) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", server.child.id())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().strip_suffix(" kB").unwrap().parse::<u64>().unwrap() * 1024
}

/// A file with changed metadata of another, whose points all belong to its first job and these series.
fn bomb(file: &Path, series: &[ByteArray], change: impl Fn(&mut KeyValue)) -> Vec<u8> {
    let model = SerializedFileReader::new(File::open(file).unwrap()).unwrap();
    let model = model.metadata().file_metadata();
    let mut bytes = Vec::new();
    let properties =
        WriterProperties::builder().set_compression(Compression::ZSTD(ZstdLevel::default())).build();
    let schema = model.schema_descr().root_schema_ptr();
    let mut writer = SerializedFileWriter::new(&mut bytes, schema, Arc::new(properties)).unwrap();
    let jobs = model.key_value_metadata().unwrap().iter().find(|pair| pair.key == "optlab.jobs").unwrap();
    let jobs: serde_json::Value = serde_json::from_str(jobs.value.as_ref().unwrap()).unwrap();
    let rows = series.len();
    let (text, number) = (vec![ByteArray::from("x"); rows], vec![0_i64; rows]);
    let mut group = writer.next_row_group().unwrap();
    for column in 0.. {
        let Some(mut writer) = group.next_column().unwrap() else { break };
        match column {
            7 => writer.typed::<ByteArrayType>().write_batch(series, None, None),
            0 | 2 | 3 | 4 => writer.typed::<ByteArrayType>().write_batch(&text, None, None),
            1 => {
                let ids = vec![jobs[0]["id"].as_i64().unwrap(); rows];
                writer.typed::<Int64Type>().write_batch(&ids, None, None)
            }
            // No row has a trial.
            5 => writer.typed::<Int64Type>().write_batch(&[], Some(&vec![0; rows]), None),
            9 => writer.typed::<DoubleType>().write_batch(&vec![0.0; rows], None, None),
            _ => writer.typed::<Int64Type>().write_batch(&number, None, None),
        }
        .unwrap();
        writer.close().unwrap();
    }
    group.close().unwrap();
    for mut pair in model.key_value_metadata().unwrap().iter().cloned() {
        change(&mut pair);
        writer.append_key_value_metadata(pair);
    }
    writer.close().unwrap();
    bytes
}

/// The jobs of the file, where the end reason of the first has this many letters.
fn ended_by(file: &Path, letters: usize) -> String {
    let file = SerializedFileReader::new(File::open(file).unwrap()).unwrap();
    let pairs = file.metadata().file_metadata().key_value_metadata().unwrap();
    let jobs = pairs.iter().find(|pair| pair.key == "optlab.jobs").unwrap();
    let mut jobs: serde_json::Value = serde_json::from_str(jobs.value.as_ref().unwrap()).unwrap();
    jobs[0]["end_reason"] = json!("x".repeat(letters));
    jobs.to_string()
}

#[test]
fn small_files_that_decode_to_much_data_are_rejected_in_bounded_memory() {
    let folder = TempDir::new().unwrap();
    let (server, _, file) = trained(&folder);
    assert_eq!(import(&server, &fs::read(&file).unwrap()).status, 201);
    let name = "train/loss";
    let long_name = "x".repeat(100 << 20);
    let names = |count: usize| -> String {
        let names = (0..count).map(|number| json!({ "name": format!("energy/layer{number}") }));
        serde_json::Value::Array(names.collect()).to_string()
    };
    let with = |key: &'static str, value: String| {
        move |pair: &mut KeyValue| {
            if pair.key == key {
                pair.value = Some(value.clone());
            }
        }
    };
    let one = [ByteArray::from(name)];
    for (what, bytes) in [
        ("a series has a name of 100 MB", bomb(&file, &[ByteArray::from(long_name.as_str())], |_| {})),
        ("100,000 series have no point", bomb(&file, &one, with("optlab.series", names(100_000)))),
        ("2,000 series have no point", bomb(&file, &one, with("optlab.series", names(2_000)))),
        (
            "a series has a name of 1 MB",
            bomb(&file, &one, with("optlab.series", json!([{ "name": "y".repeat(1 << 20) }]).to_string())),
        ),
        (
            "a job ended for a reason of 20 kB",
            bomb(&file, &one, with("optlab.jobs", ended_by(&file, 20_000))),
        ),
        ("the metadata is 80 MB", bomb(&file, &one, with("optlab.jobs", " ".repeat(80 << 20)))),
        ("the points are more than a group has", bomb(&file, &vec![ByteArray::from(name); 300_000], |_| {})),
    ] {
        let before = peak(&server);
        let answer = import(&server, &bytes);
        assert_eq!(answer.status, 422, "{what}: {answer:?}");
        assert!(answer.text.len() < 2000, "{what}: the answer has {} bytes", answer.text.len());
        // The upload is kept in a file, and its metadata is read into memory.
        let grown = peak(&server) - before;
        assert!(grown < MOST_BYTES, "{what}: {} MB for a file of {} kB", grown >> 20, bytes.len() >> 10);
    }
    assert_eq!(server.read("/api/v1/experiments")["items"].as_array().unwrap().len(), 2);
}
