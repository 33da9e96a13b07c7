//! Every block of `docs/python.md` runs and agrees with the server.

mod support;

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;
use support::{Database, OPTLAB, Server, small_experiment};
use tempfile::TempDir;

/// The blocks of the page.
fn blocks() -> Vec<String> {
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/python.md")).unwrap();
    let blocks = page.split("```python\n").skip(1).map(|rest| rest.split("```").next().unwrap().to_owned());
    blocks.collect()
}

fn optlab(server: &Server, folder: &TempDir, args: &[&str]) {
    let mut command = Command::new(OPTLAB);
    let done = command.args(args).current_dir(folder.path()).env("OPTLAB_SERVER", &server.address).output();
    let done = done.unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}

/// The output of the block.
fn run(block: &str, folder: &TempDir) -> String {
    let python = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/python/.venv/bin/python");
    let mut command = Command::new(&python);
    // The server of the tests requires no token.
    command.args(["-c", block]).current_dir(folder.path()).env("OPTLAB_TOKEN", "");
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("{}: {error}; run `make setup-test`", python.display()));
    assert!(output.status.success(), "{block}\n{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn every_block_of_the_page_agrees_with_the_server() {
    let folder = TempDir::new().unwrap();
    let server = Server::start(&folder);
    let id = server.submit(&small_experiment(1, &[0, 1]));
    server.wait_for_success(id);
    let file = "digits-mlp-7.parquet";
    optlab(&server, &folder, &["export", "1", "--format", "parquet", "--output", file]);
    let url = Database::Postgres.create(&folder);
    let postgres = Server::without_slots(&url, &folder);
    optlab(&postgres, &folder, &["import", file]);

    let comparison = server.read(&format!("/api/v1/experiments/{id}/comparison"));
    let arms = comparison["arms"].as_array().unwrap();
    assert_eq!(arms.len(), 3);
    let (_, database) = url.split_once("@localhost/").unwrap();
    let blocks = blocks();
    assert_eq!(blocks.len(), 7);
    for block in blocks {
        let block = block.replace("optlab@db.example/optlab", &format!("optlab@/{database}"));
        let block = block.replace("http://127.0.0.1:8080", &server.address);
        let said = run(&block, &folder);
        for arm in arms {
            // Rounded to the digits that every library prints.
            let mean = arm["mean"].as_f64().unwrap().to_string();
            let mean = &mean[..mean.len().min(6)];
            let name = arm["arm"].as_str().unwrap();
            let is_row = |line: &&str| line.contains(name) && line.contains(mean);
            assert_eq!(said.lines().filter(is_row).count(), 1, "{name} has {mean}:\n{block}\n{said}");
        }
    }
    assert_eq!(postgres.read("/api/v1/experiments")["items"][0]["name"], Value::from("small"));
}
