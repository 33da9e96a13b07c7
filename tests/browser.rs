//! The dashboard in a real browser, over a real server that trains real jobs.

mod support;

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use support::Server;
use tempfile::TempDir;

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

#[test]
fn the_dashboard_shows_an_experiment_while_it_trains() {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser/dashboard.mjs");
    assert!(
        script.with_file_name("node_modules").exists(),
        "playwright-core is missing: run `make setup-test`"
    );
    let folder = TempDir::new().unwrap();
    let server = Server::start(&folder);
    let screenshots = Path::new(env!("CARGO_TARGET_TMPDIR")).join("screenshots");
    let mut browser = Command::new("node")
        .arg(script)
        .args([&server.address, &chromium(), screenshots.to_str().unwrap()])
        .stdout(Stdio::piped())
        .spawn()
        .expect("node starts");
    for line in BufReader::new(browser.stdout.take().unwrap()).lines() {
        let line = line.unwrap();
        println!("{line}");
        if line == "the server may go now" {
            support::kill(server.child.id());
        }
    }
    assert!(browser.wait().unwrap().success(), "screenshots are in {}", screenshots.display());
}
