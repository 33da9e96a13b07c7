//! The metrics by which arms are compared.

use serde_json::{Value, json};

use super::fixture::{Fixture, accuracy};
use super::support::Database;
use super::{arm, close};

#[tokio::test(flavor = "multi_thread")]
async fn every_metric_is_compared() {
    let fixture = Fixture::new(Database::Sqlite).await;
    let of = |query: &str, name: &str| arm(&fixture.compare(query), name)["values"][0]["value"].clone();
    let cayley = accuracy("opt-cayley", 0);
    close(&of("?metric=test_accuracy", "opt-cayley"), cayley);
    close(&of("?metric=best_test_error", "opt-cayley"), 99.0 - cayley);
    close(&of("?metric=best_test_accuracy", "opt-cayley"), cayley + 1.0);
    close(&of("?metric=last_test_accuracy&last=3", "opt-cayley"), cayley - 0.1);
    close(&of("?metric=last_test_error", "opt-cayley"), 100.0 - cayley + 0.2);
    close(&of("?metric=validation_accuracy", "opt-cayley"), cayley + 0.5);
    close(&of("?metric=validation_error", "opt-cayley"), 99.5 - cayley);
    close(&of("?metric=best_validation_error", "opt-cayley"), 98.5 - cayley);
    close(&of("?metric=best_validation_accuracy", "opt-cayley"), cayley + 1.5);
    close(&of("?metric=last_validation_accuracy&last=3", "opt-cayley"), cayley + 0.4);
    close(&of("?metric=energy", "opt-cayley"), 0.5 + cayley / 1e3);
    close(&of("?metric=seconds", "opt-cayley"), 3.0 + cayley / 100.0);
    close(&of("?metric=peak_memory", "opt-cayley"), 3e8);
    close(&of("?metric=parameters_trained", "other"), 120.0);

    let best = fixture.compare("?metric=best_test_error");
    assert_eq!(best["selected_on_test_set"], true);
    let says = |comparison: &Value, text: &str| {
        let verdict = comparison["verdict"].as_str().unwrap();
        assert!(verdict.contains(text), "{verdict}");
    };
    says(&best, "Best epochs are selected on the test set.");
    says(&best, "Compared on the test set, not on the validation set.");
    let validated = fixture.compare("?metric=best_validation_error");
    assert_eq!(validated["selected_on_test_set"], false);
    says(&validated, "points of validation error at its best epoch");
    says(&validated, "Compared on the validation set.");
    // There are ten evaluations after the one at the start.
    assert_eq!(arm(&fixture.compare("?metric=last_test_error&last=10"), "other")["n"], 7);
    let too_many = fixture.compare("?metric=last_test_error&last=11");
    assert_eq!(
        (&arm(&too_many, "other")["n"], too_many["missing"].as_array().unwrap().len()),
        (&json!(0), 21)
    );
    says(
        &too_many,
        "Too few seeds to tell: a conclusion needs 5 seeds with this figure in baseline and in another arm; at most 0",
    );
    let accuracies = fixture.compare("?metric=test_accuracy");
    assert_eq!(accuracies["higher_is_better"], true);
    assert!(accuracies["verdict"].as_str().unwrap().starts_with("opt-cayley leads"));
    let memory = fixture.compare("?metric=peak_memory");
    let without: Vec<&Value> = memory["missing"].as_array().unwrap().iter().collect();
    assert!(without.iter().any(|cell| cell["arm"] == "other" && cell["state"] == "succeeded"), "{memory:#}");
    let parameters = fixture.compare("?metric=parameters_trained");
    assert!(parameters["verdict"].as_str().unwrap().contains("nothing to test"), "{parameters:#}");
    let other = arm(&parameters, "other");
    close(&other["mean_difference"], 20.0);
    assert!(other["cannot_tell"].as_str().unwrap().contains("differ by the same"), "{other:#}");

    let turned = fixture.compare("?baseline=opt-cayley");
    close(&arm(&turned, "baseline")["difference"]["mean"], (1.0 + 0.8 + 1.1 + 0.9 + 1.2) / 5.0);
    assert_eq!(arm(&turned, "opt-cayley")["difference"], Value::Null);
}

/// Both layers have 128 neurons, the first of length 64: too many for a regular simplex.
#[tokio::test(flavor = "multi_thread")]
async fn energies_are_answered_with_their_least_and_the_excess_over_it() {
    let fixture = Fixture::new(Database::Sqlite).await;
    let least = (127.0f64 / 256.0).sqrt();
    let excess = |energy: f64| 100.0 * (energy - least) / least;
    let ended = fixture.compare("");
    let cayley = arm(&ended, "opt-cayley");
    close(&cayley["energy_excess"], excess(cayley["energy"].as_f64().unwrap()));

    let curves = |series: &str| {
        fixture.server.read(&format!("/api/v1/experiments/{}/curves?series={series}", fixture.experiment))
    };
    let curves_of_energy = curves("energy/mean");
    let curve = arm(&curves_of_energy, "opt-cayley");
    close(&curve["bound"]["least"], least);
    assert_eq!(curve["bound"]["reachable"], false);
    close(&curve["bound"]["excess"], excess(curve["mean"][0].as_f64().unwrap()));
    assert_eq!(arm(&curves("test/accuracy"), "opt-cayley")["bound"], Value::Null);

    let job = fixture.server.read("/api/v1/jobs?limit=1")["items"][0]["id"].clone();
    let metrics = fixture.server.read(&format!("/api/v1/jobs/{job}/metrics"));
    let series = metrics["series"].as_array().unwrap();
    let of = |name: &str| series.iter().find(|curve| curve["name"] == name).unwrap();
    close(&of("energy/mean")["bound"]["least"], least);
    close(&of("energy/mean")["bound"]["excess"], excess(of("energy/mean")["values"][0].as_f64().unwrap()));
    assert_eq!(of("test/accuracy")["bound"], Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_arm_with_another_energy_or_network_has_its_own_least() {
    let fixture = Fixture::new(Database::Sqlite).await;
    let arm_with =
        |name: &str, train: Value| json!({ "name": name, "method": { "kind": "baseline" }, "train": train });
    let arms = json!([
        arm_with("narrow", json!({ "model": { "hidden": [32, 16] } })),
        arm_with("logarithmic", json!({ "model": { "hidden": [32, 32] }, "energy": { "power": 0 } })),
        arm_with("half", json!({ "energy": { "power": 2, "half_space": true } })),
        arm_with("single", json!({ "model": { "hidden": [1] } })),
    ]);
    let id =
        fixture.add(&json!({ "name": "bounds", "seeds": [0], "baseline": "narrow", "arms": arms })).await;
    let curves = fixture.server.read(&format!("/api/v1/experiments/{id}/curves?series=energy/mean"));
    let bound = |name: &str| &arm(&curves, name)["bound"];
    close(&bound("narrow")["least"], f64::midpoint((31.0f64 / 64.0).sqrt(), (15.0f64 / 32.0).sqrt()));
    assert_eq!(bound("narrow")["reachable"], true);
    close(&bound("logarithmic")["least"], -0.5 * (64.0f64 / 31.0).ln());
    assert!(bound("logarithmic")["excess"].as_f64().unwrap() > 0.0, "{curves:#}");
    close(&bound("half")["least"], 0.5);
    assert_eq!(bound("half")["reachable"], false);
    assert_eq!(bound("single"), &Value::Null, "one neuron has no pairs");
    let comparison = fixture.server.read(&format!("/api/v1/experiments/{id}/comparison"));
    assert_eq!(arm(&comparison, "single")["energy_excess"], Value::Null);
}
