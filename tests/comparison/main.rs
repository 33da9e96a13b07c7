//! The comparison over HTTP and on the command line, with jobs that failed, diverged and were retried.

#[path = "../support/mod.rs"]
mod support;

mod fixture;
mod pairs;
mod metrics;
mod command;
mod copies;
mod across;
mod report;

use std::process::Output;

use serde_json::Value;

fn err(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[track_caller]
fn close(ours: &Value, expected: f64) {
    let ours = ours.as_f64().unwrap_or_else(|| panic!("{ours} is not a number"));
    assert!((ours - expected).abs() < 1e-9, "{ours} and not {expected}");
}

fn arm<'a>(comparison: &'a Value, name: &str) -> &'a Value {
    comparison["arms"].as_array().unwrap().iter().find(|arm| arm["arm"] == name).unwrap()
}
