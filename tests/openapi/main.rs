//! The server conforms to the OpenAPI document: a client that is generated from it (Schemathesis) sends valid and
//! invalid requests and validates the answers. `OPTLAB_OPENAPI_EXAMPLES` and `OPTLAB_OPENAPI_SEED` set number and seed.

mod spec;
#[path = "../support/mod.rs"]
mod support;

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::json;
use support::waiting::turn;
use support::{Database, Server, small_experiment, token};
use tempfile::TempDir;

/// Number of random requests per operation, in addition to those at the bounds of its parameters.
const EXAMPLES: &str = "8";

#[test]
fn sqlite_conforms_to_the_openapi_document() {
    answers_as_the_document_says(Database::Sqlite);
}

#[test]
fn postgres_conforms_to_the_openapi_document() {
    answers_as_the_document_says(Database::Postgres);
}

fn answers_as_the_document_says(database: Database) {
    let _turn = turn();
    let folder = TempDir::new().unwrap();
    let url = database.create(&folder);
    let export = something_to_find(&url, &folder);
    let secret = token(&folder, &["create", "client", "--scope", "write", "--database-url", &url]);
    let files = folder.path().join("files");
    let place = ["--database-url", &url, "--artifacts", files.to_str().unwrap(), "--workers", "0"];
    let server = Server::start_on("0.0.0.0:0", &folder, &place);

    let home = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/openapi");
    let program = home.join(".venv/bin/schemathesis");
    let mut client = Command::new(&program);
    client.arg("--config-file").arg(home.join("schemathesis.toml")).args(["run", "--no-color"]);
    client.args(["--max-examples", &env::var("OPTLAB_OPENAPI_EXAMPLES").unwrap_or(EXAMPLES.to_owned())]);
    match env::var("OPTLAB_OPENAPI_SEED") {
        Ok(seed) => client.args(["--seed", &seed]),
        Err(_) => client.arg("--generation-deterministic"),
    };
    client.arg("--header").arg(format!("Authorization: Bearer {secret}"));
    client.arg(format!("{}/api/openapi.json", server.address));
    client.current_dir(&folder).env("OPTLAB_EXPORT", &export);
    client.env("PYTHONPATH", &home).env("PYTHONDONTWRITEBYTECODE", "1");
    let output = client.output();
    let output =
        output.unwrap_or_else(|error| panic!("{}: {error}; run `make setup-test`", program.display()));
    let report = String::from_utf8_lossy(&output.stdout);
    println!("{report}");
    assert!(output.status.success(), "{report}\n{}", String::from_utf8_lossy(&output.stderr));
}

/// Trains an experiment and cancels another; returns the first as a file.
fn something_to_find(url: &str, folder: &TempDir) -> PathBuf {
    support::runner();
    let files = folder.path().join("files");
    let place = ["--database-url", url, "--artifacts", files.to_str().unwrap(), "--workers", "1"];
    let server = Server::start_with(folder, &place);
    let id = server.submit(&small_experiment(1, &[0]));
    server.wait_for_success(id);
    let other = server.submit(&small_experiment(1, &[0]));
    server.post(&format!("/api/v1/experiments/{other}/cancel"), &json!({}));
    let export = format!("{}/api/v1/experiments/{id}/export?format=parquet", server.address);
    let file = folder.path().join("export.parquet");
    fs::write(&file, ureq::get(export).call().unwrap().body_mut().read_to_vec().unwrap()).unwrap();
    file
}
