//! The dashboard in a real browser, over a real server that trains real jobs.

mod support;

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use support::{Server, token};
use tempfile::TempDir;

const SCREENSHOTS: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/screenshots");

/// The whole path of the browser, as the driver wants it.
fn chromium() -> String {
    let named = std::env::var("OPTLAB_CHROMIUM").unwrap_or_default();
    let usual = "chromium chromium-browser google-chrome google-chrome-stable";
    let search = format!("command -v {named} {usual} | head -n 1");
    let found = Command::new("sh").args(["-c", &search]).output().unwrap().stdout;
    let path = String::from_utf8(found).unwrap().trim().to_owned();
    assert!(!path.is_empty(), "Chromium is missing: run `make setup-test`");
    path
}

/// Runs a script of `tests/browser` on the server.
fn browse(script: &str, server: &Server, args: &[&str]) -> Child {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser").join(script);
    assert!(
        script.with_file_name("node_modules").exists(),
        "playwright-core is missing: run `make setup-test`"
    );
    Command::new("node")
        .arg(script)
        .args([&server.address, &chromium(), SCREENSHOTS])
        .args(args)
        .stdout(Stdio::piped())
        .spawn()
        .expect("node starts")
}

#[test]
fn a_reader_from_another_machine_signs_in_and_out() {
    let folder = TempDir::new().unwrap();
    let secret = token(&folder, &["create", "reader"]);
    let server = Server::start_on("0.0.0.0:0", &folder, &["--workers", "0"]);
    let mut browser = browse("sign-in.mjs", &server, &[&secret]);
    for line in BufReader::new(browser.stdout.take().unwrap()).lines() {
        let line = line.unwrap();
        println!("{line}");
        if line == "the token may be revoked now" {
            token(&folder, &["revoke", "1"]);
        }
    }
    assert!(browser.wait().unwrap().success(), "screenshots are in {SCREENSHOTS}");
}

#[test]
fn the_dashboard_shows_an_experiment_while_it_trains() {
    let folder = TempDir::new().unwrap();
    let server = Server::start(&folder);
    let mut browser = browse("dashboard.mjs", &server, &[]);
    for line in BufReader::new(browser.stdout.take().unwrap()).lines() {
        let line = line.unwrap();
        println!("{line}");
        if line == "the server may go now" {
            support::kill(server.child.id());
        }
    }
    assert!(browser.wait().unwrap().success(), "screenshots are in {SCREENSHOTS}");
}
