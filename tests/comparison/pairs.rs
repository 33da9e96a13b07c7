//! The pairs that count, and their differences.

use optlab::stats;
use serde_json::{Value, json};

use super::fixture::{CAYLEY, Fixture, OTHER};
use super::support::Database;
use super::{arm, close};

#[tokio::test(flavor = "multi_thread")]
async fn only_pairs_with_two_succeeded_jobs_count_on_sqlite() {
    pairs_count_where_both_have_succeeded(Fixture::new(Database::Sqlite).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_pairs_with_two_succeeded_jobs_count_on_postgres() {
    pairs_count_where_both_have_succeeded(Fixture::new(Database::Postgres).await).await;
}

async fn pairs_count_where_both_have_succeeded(fixture: Fixture) {
    let comparison = fixture.compare("");
    assert_eq!((&comparison["metric"], &comparison["unit"]), (&json!("test_error"), &json!("%")));
    assert_eq!(comparison["baseline"], "baseline");
    let cayley = arm(&comparison, "opt-cayley");
    assert_eq!((&cayley["n"], &cayley["pairs"]), (&json!(6), &json!(5)));
    let of_pairs = |gains: &[f64], seeds: &[usize]| {
        let pairs: Vec<f64> = seeds.iter().map(|&seed| -gains[seed]).collect();
        stats::paired_difference(&pairs).unwrap()
    };
    let (expected, other) = (of_pairs(&CAYLEY, &[0, 1, 2, 5, 6]), of_pairs(&OTHER, &[0, 1, 2, 3, 5, 6]));
    let difference = &cayley["difference"];
    close(&difference["mean"], expected.mean);
    close(&cayley["mean_difference"], expected.mean);
    close(&difference["low"], expected.low);
    close(&difference["bootstrap_high"], expected.bootstrap_high.unwrap());
    close(&difference["p_value"], expected.p_value);
    close(&difference["p_adjusted"], 2.0 * expected.p_value);
    close(&difference["sign_flip"]["p_value"], 0.0625);
    close(&difference["sign_flip"]["least_p"], 0.0625);
    close(&difference["effect_size"], expected.effect_size.unwrap());
    assert_eq!((&difference["significant"], &cayley["standing"]), (&json!(true), &json!("better")));
    close(&arm(&comparison, "other")["difference"]["p_adjusted"], other.p_value);
    assert_eq!(arm(&comparison, "other")["standing"], "no_clear_difference");
    let verdict = comparison["verdict"].as_str().unwrap();
    assert!(verdict.starts_with("opt-cayley leads baseline by 1.00 points of test error"), "{verdict}");
    assert!(verdict.contains("5 seeds, p < 0.001 adjusted for 2 arms"), "{verdict}");
    let of_baseline = arm(&comparison, "baseline");
    for field in ["pairs", "difference", "standing"] {
        assert_eq!(of_baseline[field], Value::Null, "{field}");
    }

    let missing: Vec<_> = comparison["missing"].as_array().unwrap().iter().collect();
    let cell =
        |cell: &Value| json!([cell["arm"], cell["seed"], cell["state"], cell["end_reason"], cell["error"]]);
    assert_eq!(
        missing.iter().map(|one| cell(one)).collect::<Value>(),
        json!([
            ["opt-cayley", 3, "failed", "diverged", "it <b>went</b> wrong"],
            ["baseline", 4, "failed", "user_error", "it <b>went</b> wrong"],
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
    let retried = fixture.server.post(&format!("/api/v1/jobs/{diverged}/retry"), &json!({}));
    assert_eq!(retried.status, 200, "{retried:?}");
    assert_eq!(fixture.compare("")["missing"][0]["state"], "queued");
    let claim = fixture.claim().await.unwrap();
    fixture.train(&claim, None).await;
    let comparison = fixture.compare("");
    assert_eq!(arm(&comparison, "opt-cayley")["pairs"], 6);
    assert_eq!(comparison["missing"].as_array().unwrap().len(), 1);
    let expected = of_pairs(&CAYLEY, &[0, 1, 2, 3, 5, 6]);
    close(&arm(&comparison, "opt-cayley")["difference"]["p_value"], expected.p_value);
}
