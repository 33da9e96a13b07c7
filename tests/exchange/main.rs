//! Exports in every format, and imports on another server.

#[path = "../support/mod.rs"]
mod support;

mod bombs;
mod damage;
mod folders;
mod refused;
mod tensorboard;
mod unfinished;

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Output};
use std::thread;

use optlab::exchange::{ParquetReader, ParquetWriter, PointWriter};
use optlab::store::{ExperimentRecord, ExportedJob, Import, TimedPoint};
use optlab_domain::{ExperimentId, JobId};
use parquet::file::reader::{FileReader, SerializedFileReader};
use serde_json::{Value, json};
use support::{Answer, Database, OPTLAB, Server, small_experiment};
use tempfile::TempDir;

fn client(server: &Server, folder: &TempDir, args: &[&str]) -> Output {
    let mut command = Command::new(OPTLAB);
    command.args(args).current_dir(folder.path()).env("OPTLAB_SERVER", &server.address).output().unwrap()
}

#[track_caller]
fn said(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn sqlite(folder: &TempDir, sql: &str) {
    let done = Command::new("sqlite3").args(["optlab.db", sql]).current_dir(folder.path()).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}

fn without_slots(folder: &TempDir) -> Server {
    Server::start_with(folder, &["--workers", "0"])
}

/// The curves by the position of their job and their series: step, bits of the value, time.
type Curves = BTreeMap<(usize, String), Vec<(i64, u64, i64)>>;

/// The contents of a file, without ids.
fn contents(file: &Path) -> (ExperimentRecord, Vec<ExportedJob>, Curves) {
    let reader = ParquetReader::open(File::open(file).unwrap()).unwrap();
    let Import { experiment, jobs, points, .. } = reader.import().clone();
    let mut curves = Curves::new();
    let bits = |point: &TimedPoint| (point.step, point.value.to_bits(), point.time_ms);
    let read = reader.for_each(|batch| {
        curves.entry((batch.job, batch.series)).or_default().extend(batch.points.iter().map(bits));
        true
    });
    read.unwrap();
    assert_eq!(curves.values().map(Vec::len).sum::<usize>() as u64, points);
    let mut jobs = jobs;
    for job in &mut jobs {
        (job.record.id, job.record.experiment_id) = (JobId::from(0), ExperimentId::from(0));
    }
    (ExperimentRecord { id: ExperimentId::from(0), ..experiment }, jobs, curves)
}

/// The file with changed records.
fn rewritten(file: &Path, change: impl FnOnce(&mut Import)) -> Vec<u8> {
    let reader = ParquetReader::open(File::open(file).unwrap()).unwrap();
    let mut import = reader.import().clone();
    let jobs = import.jobs.clone();
    change(&mut import);
    let mut bytes = Vec::new();
    let mut writer = Box::new(ParquetWriter::new(&mut bytes, &import.experiment, &import.jobs).unwrap());
    let read = reader.for_each(|batch| {
        writer.write(&jobs[batch.job], &batch.series, &batch.points).unwrap();
        true
    });
    read.unwrap();
    writer.finish().unwrap();
    bytes
}

fn import(server: &Server, bytes: &[u8]) -> Answer {
    server.send("POST", "/api/v1/imports", &[], bytes)
}

/// Trains an experiment with notes, in which one of two arms diverges; returns its export.
fn trained(folder: &TempDir) -> (Server, i64, std::path::PathBuf) {
    let server = Server::start(folder);
    let mut spec = small_experiment(2, &[0, 3]);
    spec["overrides"]["arms"] = json!([
        { "name": "baseline", "method": { "kind": "baseline" } },
        { "name": "opt-cayley", "method": { "kind": "opt", "transform": "cayley" } },
        { "name": "too-fast", "method": { "kind": "baseline" }, "train": { "optimizer": { "learning_rate": 1000 } } },
    ]);
    let id = server.submit(&spec);
    server.wait(id, "all jobs have ended", |jobs| {
        jobs.iter().all(|job| ["succeeded", "failed"].contains(&job["state"].as_str().unwrap()))
    });
    let edit = json!({ "notes": "first,\n\"second\" – third", "tags": ["a", "b"], "archived": true });
    let json = [("content-type", "application/json")];
    let edited =
        server.send("PATCH", &format!("/api/v1/experiments/{id}"), &json, edit.to_string().as_bytes());
    assert_eq!(edited.status, 200, "{edited:?}");
    assert_eq!(
        said(&client(&server, folder, &["export", "small", "--format", "parquet"])).trim(),
        "small-1.parquet"
    );
    let file = folder.path().join("small-1.parquet");
    (server, id, file)
}

/// An answer without the ids of jobs and experiments, which differ between servers.
fn without_ids(mut answer: Value) -> Value {
    match &mut answer {
        Value::Object(fields) => {
            ["id", "job_id", "experiment_id"].iter().for_each(|id| drop(fields.remove(*id)));
            fields.values_mut().for_each(|value| *value = without_ids(value.take()));
        }
        Value::Array(items) => items.iter_mut().for_each(|item| *item = without_ids(item.take())),
        _ => {}
    }
    answer
}

#[test]
fn an_import_equals_its_export() {
    let folders = [(); 3].map(|()| TempDir::new().unwrap());
    let (first, id, file) = trained(&folders[0]);
    let whole = contents(&file);
    assert_eq!(whole.0.notes, "first,\n\"second\" – third");
    let failed = whole
        .1
        .iter()
        .filter(|job| job.record.error.as_deref().is_some_and(|error| error.contains("not finite")));
    assert_eq!((whole.1.len(), failed.count()), (6, 2));
    assert!(whole.2.len() > 6 * 8, "each job has many series");

    let postgres = Server::without_slots(&Database::Postgres.create(&folders[1]), &folders[1]);
    let sqlite = without_slots(&folders[2]);
    let mut file = file;
    for (server, folder) in [(&postgres, &folders[1]), (&sqlite, &folders[2])] {
        // Shifts the ids.
        server.submit(&small_experiment(1, &[0]));
        let path = file.to_str().unwrap();
        assert!(
            said(&client(server, folder, &["import", path]))
                .starts_with("Experiment 2 `small`, 6 jobs: http")
        );
        let parquet = ["export", "2", "--format", "parquet", "--output", "copy.parquet"];
        assert_eq!(said(&client(server, folder, &parquet)).trim(), "copy.parquet");
        file = folder.path().join("copy.parquet");
        assert_eq!(contents(&file), whole);
        for page in ["comparison", "curves?series=train/loss&points=50", "curves?series=test/accuracy"] {
            let of = |server: &Server, id| server.read(&format!("/api/v1/experiments/{id}/{page}"));
            assert_eq!(without_ids(of(server, 2)), without_ids(of(&first, id)), "{page}");
        }
        let again = client(server, folder, &parquet);
        assert!(String::from_utf8_lossy(&again.stderr).contains("copy.parquet exists already"), "{again:?}");
    }
}

#[test]
fn csv_agrees_with_the_api() {
    let folder = TempDir::new().unwrap();
    let (server, id, file) = trained(&folder);
    let csv = said(&client(&server, &folder, &["export", "1", "--format", "csv", "--output", "-"]));
    let mut curves = Curves::new();
    let jobs = server.jobs(id);
    let mut rows = csv::Reader::from_reader(csv.as_bytes());
    assert_eq!(
        rows.headers().unwrap(),
        "experiment,job_id,arm,method,phase,trial,seed,series,step,value,time_ms"
            .split(',')
            .collect::<Vec<_>>()
    );
    for row in rows.records() {
        let row = row.unwrap();
        let place = jobs.iter().position(|job| job["id"].as_i64() == row[1].parse().ok()).unwrap();
        assert_eq!(
            (&row[0], &row[2], &row[6]),
            ("small", jobs[place]["arm"].as_str().unwrap(), &*jobs[place]["seed"].to_string())
        );
        let value: f64 = row[9].parse().unwrap();
        let point = (row[8].parse().unwrap(), value.to_bits(), row[10].parse().unwrap());
        curves.entry((place, row[7].to_owned())).or_default().push(point);
    }
    assert_eq!(curves, contents(&file).2);

    let args = ["export", "small", "--format", "csv", "--table", "jobs"];
    assert_eq!(said(&client(&server, &folder, &args)).trim(), "small-1-jobs.csv");
    let mut rows = csv::Reader::from_path(folder.path().join("small-1-jobs.csv")).unwrap();
    let rows: Vec<BTreeMap<String, String>> = rows.deserialize().map(Result::unwrap).collect();
    assert_eq!(rows.len(), 6);
    for (row, job) in rows.iter().zip(&jobs) {
        assert_eq!(
            (&*row["arm"], &*row["state"]),
            (job["arm"].as_str().unwrap(), job["state"].as_str().unwrap())
        );
        assert_eq!(row["error"], job["error"].as_str().unwrap_or_default());
        let last =
            (job["state"] == "succeeded").then(|| server.curve(job, "test/accuracy").last().unwrap().1);
        assert_eq!(row["test_accuracy"].parse().ok(), last);
    }
    let both = client(&server, &folder, &["export", "1", "--format", "parquet", "--table", "jobs"]);
    assert_eq!(both.status.code(), Some(2));
    for query in ["", "?format=excel", "?format=parquet&table=jobs"] {
        let answer = server.get(&format!("/api/v1/experiments/1/export{query}"));
        assert!([400, 422].contains(&answer.status), "{query}: {answer:?}");
    }
    assert_eq!(server.get("/api/v1/experiments/99/export?format=csv").status, 404);
}

/// A job with one synthetic curve of this many points.
fn long_curve(points: usize) -> (TempDir, Server) {
    let folder = TempDir::new().unwrap();
    let server = without_slots(&folder);
    let arms = json!([{ "name": "baseline", "method": { "kind": "baseline" } }]);
    let mut spec = small_experiment(1, &[0]);
    spec["overrides"]["arms"] = arms;
    spec["overrides"]["train"]["steps"] = points.into();
    spec["overrides"]["train"]["epochs"] = Value::Null;
    server.submit(&spec);
    sqlite(
        &folder,
        &format!(
            "PRAGMA foreign_keys = ON; INSERT INTO series (name, unit) VALUES ('train/loss', 'nat');
         WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {points})
         INSERT INTO metric_points SELECT 1, 1, i, 1.0 / i, i FROM n"
        ),
    );
    (folder, server)
}

#[test]
fn long_curves_are_written_in_row_groups() {
    const POINTS: usize = 300_001;
    let (folder, server) = long_curve(POINTS);
    said(&client(&server, &folder, &["export", "1", "--format", "parquet"]));
    let file = folder.path().join("small-1.parquet");
    let groups = SerializedFileReader::new(File::open(&file).unwrap()).unwrap();
    let rows = groups.metadata().row_groups().iter().map(|group| group.num_rows()).collect::<Vec<_>>();
    assert_eq!(rows, [100_000, 100_000, 100_000, 1]);
    let expected: Vec<_> = (1..=POINTS as i64).map(|i| (i, (1.0 / i as f64).to_bits(), i)).collect();
    let whole = contents(&file).2;
    assert_eq!(whole.into_iter().collect::<Vec<_>>(), [((0, "train/loss".to_owned()), expected)]);
    said(&client(&server, &folder, &["import", "small-1.parquet"]));
    said(&client(&server, &folder, &["export", "2", "--format", "parquet", "--output", "copy.parquet"]));
    assert_eq!(contents(&folder.path().join("copy.parquet")).2, contents(&file).2);
}

#[test]
fn an_export_fails_if_another_attempt_begins() {
    // More than fits into the buffers between the server and a client that does not read.
    let (folder, server) = long_curve(1_000_000);
    for format in ["csv", "parquet"] {
        let url = format!("{}/api/v1/experiments/1/export?format={format}", server.address);
        let mut answer = support::agent().get(&url).header("accept-encoding", "identity").call().unwrap();
        let mut body = answer.body_mut().as_reader();
        body.read_exact(&mut [0; 4]).unwrap();
        sqlite(&folder, "UPDATE jobs SET attempt = attempt + 1");
        let rest = body.read_to_end(&mut Vec::new());
        assert!(rest.is_err(), "{format}: {rest:?}");
    }
    let log = server.kill_for_its_log();
    assert_eq!(log.matches("an export ended early").count(), 2, "{log}");
}

#[test]
fn an_interrupted_download_leaves_no_file() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    thread::spawn(move || {
        for connection in listener.incoming() {
            let mut connection = connection.unwrap();
            let mut request = [0; 4096];
            let _ = connection.read(&mut request).unwrap();
            let head = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\
                        content-disposition: attachment; filename=\"x.parquet\"\r\n\r\n";
            // A part without the mark of its end.
            write!(connection, "{head}4\r\nPAR1\r\n").unwrap();
        }
    });
    for format in ["csv", "parquet", "tensorboard"] {
        let folder = TempDir::new().unwrap();
        let mut command = Command::new(OPTLAB);
        command.args(["export", "1", "--server", &address, "--format", format]).current_dir(folder.path());
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        assert!(String::from_utf8_lossy(&output.stderr).contains("was interrupted"), "{output:?}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "{format}");
    }
}

#[test]
fn a_failed_tensorboard_export_leaves_no_folder() {
    let (folder, server) = long_curve(20_000);
    said(&client(&server, &folder, &["export", "1", "--format", "parquet"]));
    let exported = fs::metadata(folder.path().join("small-1.parquet")).unwrap().len();
    let before = fs::read_dir(folder.path()).unwrap().count();
    // The download fits and the longer event file does not. The signal must not kill the command.
    let script = "trap '' XFSZ; ulimit -f $0; exec \"$@\"";
    let mut command = Command::new("sh");
    command.args(["-c", script, &(exported / 512 + 8).to_string(), OPTLAB, "export", "1"]);
    command.args(["--format", "tensorboard", "--output", "events", "--server", &server.address]);
    let output = command.current_dir(folder.path()).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stderr).contains("events"), "{output:?}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), before, "{output:?}");
}
