//! The comparison over HTTP and on the command line, with jobs that failed, diverged and were retried.

mod support;

use std::process::{Command, Output};
use std::sync::Arc;

use optlab::stats;
use optlab::store::{self, AttemptEnd, Claim, CompleteRun, Slot, Store};
use optlab_domain::EndReason;
use optlab_spec::protocol::{Environment, Failure, Point, Summary};
use serde_json::{Value, json};
use support::{Database, OPTLAB, Server};
use tempfile::TempDir;

const LEASE_MS: i64 = 60_000;
const SEEDS: [i64; 5] = [0, 1, 2, 3, 4];
const BASELINE: [f64; 5] = [90.0, 90.3, 89.8, 90.1, 90.2];
/// Gain of the arms over the baseline in accuracy, per seed.
const CAYLEY: [f64; 5] = [1.0, 0.8, 1.1, 0.9, 1.0];
const OTHER: [f64; 5] = [0.1, -0.2, 0.2, 0.0, -0.3];

/// A server without slots, and a worker in this process that ends jobs as the test says.
struct House {
    server: Server,
    store: Arc<Store>,
    slot: Slot,
    experiment: i64,
    folder: TempDir,
}

impl House {
    /// Every job but two has succeeded: opt-cayley diverged with seed 3, the baseline failed with seed 4.
    async fn new(database: Database) -> Self {
        let folder = TempDir::new().unwrap();
        let url = database.create(&folder);
        let server = Server::without_slots(&url, &folder);
        let store = store::join(&url).await.unwrap();
        let worker = store.register_worker("test", &[]).await.unwrap();
        let experiment = server.submit(&json!({
            "recipe": "digits-mlp",
            "overrides": {
                "name": "compared", "seeds": SEEDS, "train": { "steps": 100, "evaluate_every": 10 },
                "arms": [
                    { "name": "opt-cayley", "method": { "kind": "opt", "transform": "cayley" } },
                    { "name": "baseline", "method": { "kind": "baseline" } },
                    { "name": "other", "method": { "kind": "mhe" }, "train": { "batch_size": 16 } },
                ],
            },
        }));
        let house =
            Self { server, store, slot: Slot { worker, device: "cpu".to_owned() }, experiment, folder };
        while let Some(claim) = house.claim().await {
            let why = match (claim.spec.arm.as_str(), claim.spec.seed) {
                ("opt-cayley", 3) => Some(EndReason::Diverged),
                ("baseline", 4) => Some(EndReason::UserError),
                _ => None,
            };
            house.train(&claim, why).await;
        }
        house
    }

    async fn claim(&self) -> Option<Claim> {
        self.store.claim(&self.slot, LEASE_MS).await.unwrap()
    }

    /// The accuracy climbs to its best in the middle of the run, one point above where it ends.
    async fn train(&self, claim: &Claim, fails: Option<EndReason>) {
        let (arm, seed) = (claim.spec.arm.as_str(), claim.spec.seed as usize);
        let elsewhere = arm == "opt-cayley" && seed == 1;
        let environment = Environment {
            optlab: "0".to_owned(),
            libtorch: "2".to_owned(),
            device: "cpu".to_owned(),
            device_name: if elsewhere { "another cpu" } else { "a cpu" }.to_owned(),
            threads: 1,
        };
        self.store.start(claim.lease, &environment, 0, 100).await.unwrap();
        let accuracy = accuracy(arm, seed);
        let point = |series: &str, step, value| Point { series: series.to_owned(), step, value, time_ms: 1 };
        let mut points: Vec<Point> = (0..=10u32)
            .map(|number| {
                let value = match number {
                    0 => 10.0,
                    5 => accuracy + 1.0,
                    number => accuracy - 0.1 * f64::from(10 - number),
                };
                point("test/accuracy", u64::from(number) * 10, value)
            })
            .collect();
        points.push(point("energy/mean", 100, 0.5 + accuracy / 1e3));
        self.store.record(claim.lease, &points, Some(100), LEASE_MS).await.unwrap();
        let end = match fails {
            Some(reason) => AttemptEnd::Failed(Failure {
                reason,
                series: None,
                step: None,
                error: "it went wrong".to_owned(),
            }),
            None => AttemptEnd::Finished(CompleteRun {
                summary: Summary {
                    parameters_trained: if arm == "other" { 120 } else { 100 },
                    seconds: 3.0 + accuracy / 100.0,
                    peak_memory_bytes: (arm != "other").then_some(300_000_000 + seed as u64),
                    weights: None,
                },
                points: Vec::new(),
                missing_files: Vec::new(),
            }),
        };
        self.store.end(claim.lease, end).await.unwrap();
    }

    fn compare(&self, query: &str) -> Value {
        self.server.read(&format!("/api/v1/experiments/{}/comparison{query}", self.experiment))
    }

    fn optlab(&self, args: &[&str]) -> Output {
        let id = self.experiment.to_string();
        let mut command = Command::new(OPTLAB);
        command.args(["compare", &id]).args(args).current_dir(self.folder.path());
        command.env("OPTLAB_SERVER", &self.server.address).output().unwrap()
    }

    fn out(&self, args: &[&str]) -> String {
        let output = self.optlab(args);
        assert!(output.status.success(), "{args:?}: {}", err(&output));
        String::from_utf8(output.stdout).unwrap()
    }
}

fn accuracy(arm: &str, seed: usize) -> f64 {
    match arm {
        "opt-cayley" => BASELINE[seed] + CAYLEY[seed],
        "other" => BASELINE[seed] + OTHER[seed],
        _ => BASELINE[seed],
    }
}

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

#[tokio::test(flavor = "multi_thread")]
async fn only_pairs_with_two_succeeded_jobs_count_on_sqlite() {
    pairs_count_where_both_have_succeeded(House::new(Database::Sqlite).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_pairs_with_two_succeeded_jobs_count_on_postgres() {
    pairs_count_where_both_have_succeeded(House::new(Database::Postgres).await).await;
}

async fn pairs_count_where_both_have_succeeded(house: House) {
    let comparison = house.compare("");
    assert_eq!((&comparison["metric"], &comparison["unit"]), (&json!("test_error"), &json!("%")));
    assert_eq!(comparison["baseline"], "baseline");
    let cayley = arm(&comparison, "opt-cayley");
    assert_eq!((&cayley["n"], &cayley["pairs"]), (&json!(4), &json!(3)));
    let of_pairs = |gains: &[f64], seeds: &[usize]| {
        let pairs: Vec<f64> = seeds.iter().map(|&seed| -gains[seed]).collect();
        stats::paired_difference(&pairs).unwrap()
    };
    let (expected, other) = (of_pairs(&CAYLEY, &[0, 1, 2]), of_pairs(&OTHER, &[0, 1, 2, 3]));
    let difference = &cayley["difference"];
    close(&difference["mean"], expected.mean);
    close(&cayley["mean_difference"], expected.mean);
    close(&difference["low"], expected.low);
    close(&difference["bootstrap_high"], expected.bootstrap_high);
    close(&difference["p_value"], expected.p_value);
    close(&difference["p_adjusted"], 2.0 * expected.p_value);
    close(&difference["sign_flip"]["p_value"], 0.25);
    close(&difference["sign_flip"]["least_p"], 0.25);
    close(&difference["effect_size"], expected.effect_size);
    assert_eq!(difference["significant"], true);
    close(&arm(&comparison, "other")["difference"]["p_adjusted"], other.p_value);
    let verdict = comparison["verdict"].as_str().unwrap();
    assert!(verdict.starts_with("opt-cayley leads baseline by 0.97 points of test error"), "{verdict}");
    assert!(verdict.contains("3 seeds, p = 0.016 adjusted for 2 arms"), "{verdict}");
    let of_baseline = arm(&comparison, "baseline");
    assert_eq!((&of_baseline["pairs"], &of_baseline["difference"]), (&Value::Null, &Value::Null));

    let missing: Vec<_> = comparison["missing"].as_array().unwrap().iter().collect();
    let cell =
        |cell: &Value| json!([cell["arm"], cell["seed"], cell["state"], cell["end_reason"], cell["error"]]);
    assert_eq!(
        missing.iter().map(|one| cell(one)).collect::<Value>(),
        json!([
            ["opt-cayley", 3, "failed", "diverged", "it went wrong"],
            ["baseline", 4, "failed", "user_error", "it went wrong"],
        ])
    );
    let elsewhere = json!([{
        "arm": "opt-cayley", "seed": 1, "field": "device_name", "values": ["a cpu", "another cpu"],
    }]);
    assert_eq!(comparison["environments"], elsewhere);
    let fields = comparison["differences"].as_array().unwrap();
    let of =
        |pointer: &str| fields.iter().find(|field| field["pointer"] == pointer).map(|field| &field["values"]);
    assert_eq!(of("/train/batch_size").unwrap()["other"], 16);
    assert_eq!(of("/method/kind").unwrap()["baseline"], "baseline");
    assert_eq!(of("/train/steps"), None);

    // A retried job counts once it has succeeded.
    let diverged = missing[0]["job_id"].as_i64().unwrap();
    let retried = house.server.post(&format!("/api/v1/jobs/{diverged}/retry"), &json!({}));
    assert_eq!(retried.status, 200, "{retried:?}");
    assert_eq!(house.compare("")["missing"][0]["state"], "queued");
    let claim = house.claim().await.unwrap();
    house.train(&claim, None).await;
    let comparison = house.compare("");
    assert_eq!(arm(&comparison, "opt-cayley")["pairs"], 4);
    assert_eq!(comparison["missing"].as_array().unwrap().len(), 1);
    let expected = of_pairs(&CAYLEY, &[0, 1, 2, 3]);
    close(&arm(&comparison, "opt-cayley")["difference"]["p_value"], expected.p_value);
}

#[test]
fn a_copy_inherits_what_its_original_inherited_and_rates_that_differ_are_named() {
    let folder = TempDir::new().unwrap();
    let server = Server::start_with(&folder, &["--workers", "0"]);
    let toml = r#"
        name = "original" # its own comment
        train = { epochs = 1, data = { name = "digits" }, model = { kind = "mlp", hidden = [8] } }
        [[arms]]
        name = "baseline"
        method = { kind = "baseline" }
        [[arms]]
        name = "opt"
        method = { kind = "opt", transform = "cayley" }
    "#;
    let submit = |content_type: &str, text: &str| {
        let answer =
            server.send("POST", "/api/v1/experiments", &[("content-type", content_type)], text.as_bytes());
        assert_eq!(answer.status, 201, "{answer:?}");
        answer.json()["id"].as_i64().unwrap()
    };
    let rates = |experiment: i64| {
        let comparison = server.read(&format!("/api/v1/experiments/{experiment}/comparison"));
        let fields = comparison["differences"].as_array().unwrap();
        let rates = fields.iter().find(|field| field["pointer"] == "/method/learning_rate");
        rates.map(|field| field["values"].clone())
    };
    let original = submit("application/toml", toml);
    let submission = server.read(&format!("/api/v1/experiments/{original}/submission"));
    assert_eq!(submission["text"], toml);

    // The optimizer's rate is raised in a copy, and both arms follow.
    let mut copy = submission["draft"].clone();
    copy["train"]["optimizer"] = json!({ "learning_rate": 0.5 });
    let copy = submit("application/json", &copy.to_string());
    let arms = server.read(&format!("/api/v1/experiments/{copy}"))["spec"]["arms"].clone();
    for arm in arms.as_array().unwrap() {
        assert_eq!(arm["train"]["optimizer"]["learning_rate"], 0.5, "{arm}");
    }
    assert_eq!(arms[1]["method"]["learning_rate"], 0.5);
    assert_eq!((rates(original), rates(copy)), (None, None));

    // In the resolved spec every rate is spelled out, and the one of an arm stays what it was.
    let mut resolved = server.read(&format!("/api/v1/experiments/{original}"))["spec"].clone();
    resolved["arms"][0]["train"]["optimizer"]["learning_rate"] = json!(0.5);
    let unequal = submit("application/json", &resolved.to_string());
    assert_eq!(rates(unequal), Some(json!({ "baseline": 0.5, "opt": 0.1 })));

    let gone = server.get("/api/v1/experiments/99/submission");
    assert_eq!(gone.status, 404, "{gone:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_metric_is_compared() {
    let house = House::new(Database::Sqlite).await;
    let of = |query: &str, name: &str| arm(&house.compare(query), name)["values"][0]["value"].clone();
    let cayley = accuracy("opt-cayley", 0);
    close(&of("?metric=test_accuracy", "opt-cayley"), cayley);
    close(&of("?metric=best_test_error", "opt-cayley"), 99.0 - cayley);
    close(&of("?metric=best_test_accuracy", "opt-cayley"), cayley + 1.0);
    close(&of("?metric=last_test_accuracy&last=3", "opt-cayley"), cayley - 0.1);
    close(&of("?metric=last_test_error", "opt-cayley"), 100.0 - cayley + 0.2);
    close(&of("?metric=energy", "opt-cayley"), 0.5 + cayley / 1e3);
    close(&of("?metric=seconds", "opt-cayley"), 3.0 + cayley / 100.0);
    close(&of("?metric=peak_memory", "opt-cayley"), 3e8);
    close(&of("?metric=parameters_trained", "other"), 120.0);

    let best = house.compare("?metric=best_test_error");
    assert_eq!(best["selected_on_test_set"], true);
    assert!(best["verdict"].as_str().unwrap().ends_with("Best epochs are selected on the test set."));
    // There are ten evaluations after the one at the start.
    assert_eq!(arm(&house.compare("?metric=last_test_error&last=10"), "other")["n"], 5);
    let too_many = house.compare("?metric=last_test_error&last=11");
    assert_eq!(
        (&arm(&too_many, "other")["n"], too_many["missing"].as_array().unwrap().len()),
        (&json!(0), 15)
    );
    assert!(too_many["verdict"].as_str().unwrap().starts_with("Cannot tell"), "{too_many:#}");
    let accuracies = house.compare("?metric=test_accuracy");
    assert_eq!(accuracies["higher_is_better"], true);
    assert!(accuracies["verdict"].as_str().unwrap().starts_with("opt-cayley leads"));
    let memory = house.compare("?metric=peak_memory");
    let without: Vec<&Value> = memory["missing"].as_array().unwrap().iter().collect();
    assert!(without.iter().any(|cell| cell["arm"] == "other" && cell["state"] == "succeeded"), "{memory:#}");
    let parameters = house.compare("?metric=parameters_trained");
    assert!(parameters["verdict"].as_str().unwrap().contains("nothing to test"), "{parameters:#}");
    let other = arm(&parameters, "other");
    close(&other["mean_difference"], 20.0);
    assert!(other["cannot_tell"].as_str().unwrap().contains("differ by the same"), "{other:#}");

    let turned = house.compare("?baseline=opt-cayley");
    close(&arm(&turned, "baseline")["difference"]["mean"], (1.0 + 0.8 + 1.1) / 3.0);
    assert_eq!(arm(&turned, "opt-cayley")["difference"], Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_prints_tables_and_checks_claims() {
    let house = House::new(Database::Sqlite).await;
    let said = house.out(&[]);
    for part in [
        "vs baseline [95%]",
        "Missing, with their pairs: opt-cayley: seed 3 failed (diverged); baseline: seed 4 failed (user_error).",
        "adjusted for 2 arms by Holm's procedure. By flips 3 pairs reach 0.25 at the least.",
        "Pairs trained in more than one environment: opt-cayley: device_name (a cpu, another cpu) of seed 1.",
        "train.batch_size",
    ] {
        assert!(said.contains(part), "{part} is missing:\n{said}");
    }
    let markdown = house.out(&["--format", "markdown"]);
    assert!(markdown.starts_with("| arm") && markdown.contains("Missing, with their pairs"), "{markdown}");
    let latex = house.out(&["--format", "latex"]);
    for part in [
        "\\toprule",
        "\\bottomrule",
        "Test error (\\%) &",
        "opt-cayley & 4 & $\\mathbf{8.",
        " \\pm ",
        "^{*}$",
        "(user\\_error)",
    ] {
        assert!(latex.contains(part), "{part} is missing:\n{latex}");
    }
    assert_eq!(latex.matches("\\mathbf").count(), 1, "{latex}");
    let csv = house.out(&["--format", "csv", "--metric", "best_test_error"]);
    assert!(csv.starts_with("arm,method,n,mean,std,") && csv.contains(",best_test_error,true,3,"), "{csv}");
    assert!(csv.lines().all(|line| line.split(',').count() == 24), "{csv}");
    let best = house.out(&["--metric", "best_test_error"]);
    assert!(best.contains("best test error % (selected on the test set)"), "{best}");
    let json: Value = serde_json::from_str(&house.out(&["--json", "--baseline", "other"])).unwrap();
    assert_eq!(json, house.compare("?baseline=other"));

    for (claims, status, says) in [
        (
            &["opt-cayley < baseline @ 0.95"][..],
            0,
            "opt-cayley < baseline @ 0.95 holds: test error % differs by -0.97",
        ),
        (&["baseline > opt-cayley @ 0.95"], 0, "holds"),
        (&["opt-cayley < baseline @ 0.95", "opt-cayley < other @ 0.9"], 0, "opt-cayley < other @ 0.9 holds"),
        (
            &["opt-cayley < baseline @ 0.999"],
            1,
            "does not hold: test error % differs by -0.97 (99.9% interval -3.75",
        ),
        (&["opt-cayley > baseline @ 0.95"], 1, "p = 0.008, 3 pairs; 2 of their jobs are missing)"),
        (
            &["opt-cayley < baseline @ 0.95", "other < baseline @ 0.95"],
            1,
            "other < baseline @ 0.95 does not hold",
        ),
        (
            &["opt-cayly < baseline @ 0.95"],
            2,
            "there is no arm `opt-cayly`; there is opt-cayley, baseline, other",
        ),
        (&["opt-cayley < basline @ 0.95"], 2, "must be one of opt-cayley, baseline, other"),
        (&["opt-cayley = baseline @ 0.95"], 2, "needs one `<` or one `>`"),
        (&["opt-cayley < baseline @ 95"], 2, "between 0 and 1"),
    ] {
        let args: Vec<&str> = claims.iter().flat_map(|claim| ["--require", claim]).collect();
        let output = house.optlab(&args);
        assert_eq!(output.status.code(), Some(status), "{claims:?}: {}", err(&output));
        assert!(err(&output).contains(says), "{claims:?}: {}", err(&output));
    }
    let untold = house.optlab(&["--metric", "parameters_trained", "--require", "other > baseline @ 0.95"]);
    assert_eq!(untold.status.code(), Some(1));
    assert!(
        err(&untold).contains("cannot tell whether other > baseline @ 0.95: all 4 pairs"),
        "{}",
        err(&untold)
    );
    let unknown = house.optlab(&["--metric", "beauty"]);
    assert_eq!(unknown.status.code(), Some(2));
    assert!(err(&unknown).contains("must be one of test_error"), "{}", err(&unknown));
}
