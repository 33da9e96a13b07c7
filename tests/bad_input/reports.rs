//! Answers about many, consequential and long mistakes.

use serde_json::{Value, json};
use tempfile::TempDir;

use super::support::Server;
use super::{EXPERIMENTS, Headers, is_problem, with};

#[test]
fn all_mistakes_are_reported_at_once() {
    let folder = TempDir::new().unwrap();
    let server = Server::start_with(&folder, &["--workers", "0"]);
    let mut spec = with("/train/epochs", json!(0));
    spec["arms"][0]["method"]["transform"] = json!("x");
    spec["sedes"] = json!([]);
    spec["seeds"] = json!([-1, 2, "x"]);
    let errors = server.post(EXPERIMENTS, &spec).json()["errors"].clone();
    let pointers: Vec<&Value> = errors.as_array().unwrap().iter().map(|error| &error["pointer"]).collect();
    assert_eq!(pointers, ["/seeds/0", "/seeds/2", "/train/epochs", "/arms/0/method/transform", "/sedes"]);
}

#[test]
fn an_unknown_kind_is_the_only_mistake_of_its_table() {
    let folder = TempDir::new().unwrap();
    let server = Server::start_with(&folder, &["--workers", "0"]);
    let cnn = json!({ "kind": "cnn7", "width": 8 });
    let relaxed = json!({ "kind": "opt", "transform": "relaxd", "beta": 0.1 });
    for (pointer, value, told) in [
        ("/arms/0/method", json!({ "kind": "optt", "transform": "cayley" }), "/arms/0/method/kind"),
        ("/arms/0/method", relaxed, "/arms/0/method/transform"),
        ("/train/model", cnn, "/train/model/kind"),
        ("/train/optimizer", json!({ "kind": "adagrad", "beta1": 0.9 }), "/train/optimizer/kind"),
    ] {
        let errors = server.post(EXPERIMENTS, &with(pointer, value)).json()["errors"].clone();
        let pointers: Vec<&Value> =
            errors.as_array().unwrap().iter().map(|error| &error["pointer"]).collect();
        assert_eq!(pointers, [told], "{errors}");
    }
}

#[test]
fn answers_about_long_mistakes_are_bounded() {
    let folder = TempDir::new().unwrap();
    let server = Server::start_with(&folder, &["--workers", "0"]);
    let toml: Headers<'_> = &[("content-type", "application/toml")];
    let (long, longer) = ("x".repeat(40_000), "x".repeat(400_000));
    let with_nul = json!({ (longer.as_str()): vec!["\0"; 90] });
    let unknown: serde_json::Map<_, _> = (0..9000).map(|n| (format!("{n}/field"), json!(1))).collect();
    let bodies: Vec<(Headers<'_>, String, u16, &str)> = vec![
        (&[], with("/seeds", json!(vec!["x"; 9000])).to_string(), 422, "mistakes; the first: /seeds/0: "),
        (&[], Value::Object(unknown).to_string(), 422, "mistakes that are not listed: "),
        (&[], with_nul.to_string(), 422, "mistakes that are not listed: 40"),
        (&[], with("/train/precision", json!(longer)).to_string(), 422, "(400000 bytes)"),
        (toml, format!("a = 1\nb = '{longer}"), 400, "line 2, column 400006: "),
        (toml, format!("{longer} = 1\n{longer} = 2"), 400, "line 2, column 1: "),
        (toml, format!("{longer} = [{}nan]", "0, ".repeat(100)), 422, "must be finite"),
    ];
    for (headers, body, status, says) in bodies {
        let answer = server.send("POST", EXPERIMENTS, headers, body.as_bytes());
        assert!(answer.text.len() < 50_000, "{says}: {} bytes", answer.text.len());
        is_problem(&answer, status, says);
    }
    for (path, status) in [(format!("/{long}"), 404), (format!("{EXPERIMENTS}?{long}=1"), 400)] {
        let answer = server.get(&path);
        assert!(answer.text.len() < 5000, "{} bytes", answer.text.len());
        is_problem(&answer, status, "bytes left out");
    }
}
