//! The table over all jobs, over HTTP and on the command line.

mod support;

use std::collections::BTreeSet;
use std::process::Output;

use serde_json::{Value, json};
use support::processes::optlab;
use support::{Answer, Server};
use tempfile::TempDir;

/// A recorded experiment of thirty arms with five seeds, and a queued one of three jobs, which is archived.
fn filled(folder: &TempDir) -> Server {
    let server = Server::start_with(folder, &["--workers", "0"]);
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/browser/fixtures/thirty-arms.parquet");
    let imported = optlab().args(["import", "--server", &server.address, file]).status();
    assert!(imported.unwrap().success());
    let id = server.submit(&json!({
        "recipe": "digits-mlp",
        "overrides": { "name": "later", "tags": ["paper"], "seeds": [7], "train": { "batch_size": 64 } },
    }));
    let archived = json!({ "archived": true }).to_string();
    let headers = [("content-type", "application/json")];
    let answer = server.send("PATCH", &format!("/api/v1/experiments/{id}"), &headers, archived.as_bytes());
    assert_eq!(answer.status, 200, "{answer:?}");
    server
}

/// The path with parameters in their encoded form.
fn path(path: &str, parameters: &[(&str, &str)]) -> String {
    let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish();
    format!("/api/v1/jobs{path}?{query}")
}

fn get(server: &Server, parameters: &[(&str, &str)]) -> Answer {
    server.get(&path("", parameters))
}

fn items(server: &Server, parameters: &[(&str, &str)]) -> Vec<Value> {
    let answer = get(server, parameters);
    assert_eq!(answer.status, 200, "{parameters:?}: {answer:?}");
    answer.json()["items"].as_array().unwrap().clone()
}

#[test]
fn jobs_are_filtered_sorted_and_shown_with_their_settings() {
    let folder = TempDir::new().unwrap();
    let server = filled(&folder);
    let rate = "train.optimizer.learning_rate";
    let fast =
        [("where", "train.optimizer.learning_rate > 0.1 and method.kind = baseline"), ("fields", rate)];
    let found = items(&server, &fast);
    assert!(!found.is_empty());
    for job in &found {
        assert!(job["fields"][rate].as_f64().unwrap() > 0.1 && job["method"] == "baseline", "{job}");
    }
    let all = items(&server, &[("limit", "1000"), ("fields", "train.batch_size,tags,archived")]);
    assert_eq!(all.len(), 153);
    let last = json!({ "train.batch_size": 64, "tags": ["paper"], "archived": true });
    assert_eq!(all[152]["fields"], last);
    assert_eq!(items(&server, &[("where", "batch_size = 64")]).len(), 3);
    assert_eq!(items(&server, &[("archived", "true")]).len(), 3);
    assert_eq!(items(&server, &[("archived", "false"), ("limit", "1000")]).len(), 150);
    assert_eq!(items(&server, &[("where", "tags = paper")]), items(&server, &[("experiment", "2")]));

    // The best run of all comes first, and the pages contain each job once.
    let mut errors: Vec<f64> = all.iter().filter_map(|job| job["test_error"].as_f64()).collect();
    errors.sort_by(f64::total_cmp);
    for (sort, place) in
        [("test_error", "asc"), (rate, "desc"), ("method.transform", "asc"), ("tags", "desc")]
    {
        let (mut seen, mut cursor) = (Vec::new(), String::new());
        loop {
            let mut parameters = vec![("sort", sort), ("order", place), ("limit", "40")];
            if !cursor.is_empty() {
                parameters.push(("cursor", &cursor));
            }
            let page = get(&server, &parameters).json();
            seen.extend(page["items"].as_array().unwrap().iter().cloned());
            match page["next_cursor"].as_str() {
                Some(next) => cursor = next.to_owned(),
                None => break,
            }
        }
        let ids: BTreeSet<i64> = seen.iter().map(|job| job["id"].as_i64().unwrap()).collect();
        assert_eq!((seen.len(), ids.len()), (153, 153), "{sort}");
        if sort == "test_error" {
            let sorted: Vec<f64> = seen.iter().filter_map(|job| job["test_error"].as_f64()).collect();
            assert_eq!(sorted, errors);
            assert!(seen.last().unwrap()["test_error"].is_null());
        }
    }
}

#[test]
fn a_mistake_in_a_parameter_is_reported_with_what_would_be_right() {
    let folder = TempDir::new().unwrap();
    let server = Server::start_with(&folder, &["--workers", "0"]);
    for (path, detail) in [
        (
            path("", &[("where", "seed = 1 and trian.batch_size = 3")]),
            "`where` at character 14: there is no field `trian.batch_size`; did you mean `train.batch_size`?",
        ),
        (
            path("", &[("where", "state = done")]),
            "`where` at character 9: `state` is one of running, queued, paused, succeeded, failed, cancelled",
        ),
        (
            path("", &[("sort", "test_eror")]),
            "`sort`: there is no field `test_eror`; did you mean `test_error`?",
        ),
        (path("", &[("fields", "arm,sede")]), "`fields`: there is no field `sede`; did you mean `seed`?"),
        (
            path("", &[("sort", "arm"), ("cursor", "7")]),
            "`cursor` must be `next_cursor` of a page with the same `sort` and `order`",
        ),
        (path("/groups", &[("by", "arm,seed,state")]), "`by` must be one field or two"),
        (
            path("/groups", &[("by", "arm"), ("figure", "seed")]),
            "`figure` must be one of test_error, test_accuracy, best_test_accuracy, validation_error, \
             validation_accuracy, best_validation_accuracy, energy, seconds, peak_memory_bytes, parameters_trained; \
             `seed` is none",
        ),
        (
            path("", &[("where", "train.batch_size = 64,128")]),
            "`where` at character 20: `train.batch_size` is a number, and is not compared with `64,128`",
        ),
        (
            path("/export", &[("format", "csv"), ("where", "seed")]),
            "`where` at character 5: one of = != < <= > >= ~ is expected, found the end",
        ),
    ] {
        let answer = server.get(&path);
        assert_eq!((answer.status, &answer.json()["detail"]), (422, &json!(detail)), "{path}");
    }
    assert_eq!(server.get(&path("/export", &[("format", "xlsx")])).status, 400);
    assert_eq!(server.get(&path("", &[("where", "a\0")])).status, 422);
}

#[test]
fn every_listed_field_can_be_selected_by_its_values() {
    let folder = TempDir::new().unwrap();
    let server = filled(&folder);
    let fields = server.read("/api/v1/jobs/fields")["items"].as_array().unwrap().clone();
    let named = |name: &str| fields.iter().find(|field| field["name"] == name).unwrap();
    assert_eq!(named("state")["words"][0], "running");
    assert_eq!(named("train.optimizer.learning_rate")["takes"], json!(["number"]));
    assert_eq!(named("train.evaluate_every")["takes"], json!(["number", "text"]));
    assert_eq!(named("ended_at")["takes"], json!(["time"]));
    assert_eq!((&named("energy")["is_figure"], &named("trial")["is_figure"]), (&json!(true), &json!(false)));
    let names: Vec<&str> = fields.iter().map(|field| field["name"].as_str().unwrap()).collect();
    assert!(names.len() > 60, "{names:?}");
    for part in names.chunks(50) {
        let jobs = items(&server, &[("fields", &part.join(",")), ("limit", "1")]);
        for (name, value) in jobs[0]["fields"].as_object().unwrap() {
            let condition = match value {
                Value::Null => format!("{name} = null"),
                Value::Array(words) if name == "tags" => format!("tags = {}", words[0]),
                Value::String(text) => format!("{name} = \"{text}\""),
                Value::Array(_) => format!("{name} = {}", json!(value.to_string())),
                other => format!("{name} = {other}"),
            };
            let found = items(&server, &[("where", &condition), ("limit", "1000")]);
            assert!(found.iter().any(|job| job["id"] == jobs[0]["id"]), "{condition}");
        }
    }
}

#[test]
fn groups_show_the_best_rate_of_each_method() {
    let folder = TempDir::new().unwrap();
    let server = filled(&folder);
    let by = [("by", "method,train.optimizer.learning_rate"), ("archived", "false")];
    let answer = server.read(&path("/groups", &by));
    let groups = answer["groups"].as_array().unwrap();
    assert_eq!(answer["truncated"], false);
    assert_eq!(groups.iter().map(|group| group["jobs"].as_i64().unwrap()).sum::<i64>(), 150);
    // The recipe of the fixture has five baselines of different rates.
    let baselines: Vec<&Value> = groups.iter().filter(|group| group["values"][0] == "baseline").collect();
    let means: Vec<f64> = baselines.iter().filter_map(|group| group["mean"].as_f64()).collect();
    assert!(baselines.len() == 5 && means.is_sorted(), "{baselines:?}");
    let best = &baselines[0];
    let condition = format!("method = baseline and train.optimizer.learning_rate = {}", best["values"][1]);
    let members = items(&server, &[("where", &condition), ("sort", "test_error")]);
    let errors: Vec<f64> = members.iter().filter_map(|job| job["test_error"].as_f64()).collect();
    let mean = errors.iter().sum::<f64>() / errors.len() as f64;
    assert!((best["mean"].as_f64().unwrap() - mean).abs() < 1e-9, "{best}");
    assert_eq!((&best["best"], &best["best_job"]), (&members[0]["test_error"], &members[0]["id"]));
    assert_eq!(best["measured"], errors.len());
}

#[test]
fn the_table_is_a_file() {
    let folder = TempDir::new().unwrap();
    let server = filled(&folder);
    let fields = "id,arm,train.optimizer.learning_rate,test_error,tags";
    let parameters =
        [("format", "csv"), ("fields", fields), ("sort", "test_error"), ("where", "state != running")];
    let answer = server.get(&path("/export", &parameters));
    assert_eq!((answer.status, answer.content_type.as_str()), (200, "text/csv; charset=utf-8"));
    let disposition = answer.headers["content-disposition"].to_str().unwrap();
    assert_eq!(disposition, "attachment; filename=\"jobs.csv\"");
    let lines: Vec<&str> = answer.text.lines().collect();
    assert_eq!((lines[0], lines.len()), (fields, 154));
    let first = &items(&server, &[("sort", "test_error"), ("fields", fields), ("limit", "1")])[0]["fields"];
    let start = format!(
        "{},{},{},{},",
        first["id"],
        first["arm"].as_str().unwrap(),
        first["train.optimizer.learning_rate"],
        first["test_error"]
    );
    assert_eq!(lines[1], format!("{start}\"[\"\"sweep\"\"]\""));
    let usual = server.get(&path("/export", &[("format", "csv"), ("where", "id < 3")])).text;
    assert!(usual.starts_with("id,experiment,experiment_id,arm,method,seed,state,"), "{usual}");
    assert_eq!(usual.lines().count(), 3);
}

fn client(server: &Server, args: &[&str]) -> Output {
    optlab().arg("jobs").args(args).env("OPTLAB_SERVER", &server.address).output().unwrap()
}

#[test]
fn the_command_prints_the_same_table() {
    let folder = TempDir::new().unwrap();
    let server = filled(&folder);
    let printed = |args: &[&str]| {
        let output = client(&server, args);
        assert!(output.status.success(), "{args:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let best = ["--where", "method.kind = opt", "--sort", "test_error", "--limit", "2"];
    let table = printed(&[&best[..], &["--columns", "arm,batch_size,test_error"]].concat());
    let lines: Vec<&str> = table.lines().map(str::trim).collect();
    assert_eq!(lines.len(), 3, "{table}");
    let head: Vec<&str> = lines[0].split_whitespace().collect();
    assert_eq!(head, ["job", "arm", "train.batch_size", "test_error"]);
    assert!(lines[1].contains("opt-") && lines[1].contains(" 32 "), "{table}");
    let usual = printed(&best);
    let head: Vec<&str> = usual.lines().next().unwrap().split_whitespace().collect();
    assert_eq!(head.last(), Some(&"test_error"), "the field of the order is shown: {usual}");
    let figure = |table: &str| table.lines().nth(1).unwrap().split_whitespace().last().unwrap().to_owned();
    assert_eq!(figure(&usual), figure(&table));
    let csv = printed(&[&best[..], &["--columns", "arm,test_error", "--csv"]].concat());
    assert!(csv.starts_with("arm,test_error\nopt-") && csv.lines().count() == 3, "{csv}");
    let json: Value = serde_json::from_str(&printed(&[&best[..], &["--json"]].concat())).unwrap();
    let error = json[0]["test_error"].to_string();
    assert!(csv.contains(&error) && json.as_array().unwrap().len() == 2, "{csv}");
    assert_eq!(printed(&["later", "--where", "seed = 7"]).lines().count(), 4);

    let none = client(&server, &["--limit", "0"]);
    assert_eq!(none.status.code(), Some(2), "it does not say that no jobs match: {none:?}");
    let wrong = client(&server, &["--where", "sede = 1"]);
    assert_eq!(wrong.status.code(), Some(2));
    let told = String::from_utf8(wrong.stderr).unwrap();
    assert!(told.contains("at character 1: there is no field `sede`; did you mean `seed`?"), "{told}");
    let wrong = client(&server, &["--columns", "sede"]);
    assert_eq!(wrong.status.code(), Some(2));
    assert!(String::from_utf8(wrong.stderr).unwrap().contains("--columns: there is no field `sede`"));
}
