//! The cost of a page with 5 arms x 5 seeds x 10,000 steps in a browser: `cargo bench --bench page`.

#[allow(dead_code, reason = "another bench has queued jobs")]
#[path = "../filled/mod.rs"]
mod filled;
#[path = "../../tests/support/mod.rs"]
mod support;

use std::path::Path;
use std::process::Command;

use filled::{Curve, Database};
use optlab_domain::ExperimentId;
use support::{Server, chromium};
use tempfile::TempDir;

fn main() {
    let folder = TempDir::new().unwrap();
    let url = format!("sqlite:{}/optlab.db", folder.path().display());
    let experiment = tokio::runtime::Runtime::new().unwrap().block_on(fill(&url));
    let server = Server::start_with(&folder, &["--database-url", &url, "--workers", "0"]);
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser/speed.mjs");
    let measured = Command::new("node")
        .arg(script)
        .args([&server.address, &chromium(), &experiment.to_string()])
        .status()
        .expect("node starts");
    assert!(measured.success(), "the page cannot be measured");
}

/// A point per step of loss, accuracy and energy: more than any job writes.
async fn fill(url: &str) -> ExperimentId {
    let curve = |series, value| Curve { series, points: 10_000, every: 1, value };
    let mut database = Database::open(url).await;
    let curves = [
        curve("train/loss", "exp(-step / 3e3) + random() / 1e20"),
        curve("test/accuracy", "98 - 80 * exp(-step / 2e3) + random() / 1e19"),
        curve("energy/mean", "0.7 + random() / 1e22"),
        curve("energy/hidden1", "0.7 + random() / 1e22"),
        curve("learning_rate", "0.1 * exp(-step / 5e3)"),
        curve("samples_per_second", "3000 + random() / 1e17"),
    ];
    let experiment = database.fill(5, 5, &curves).await;
    database.close().await;
    experiment
}
