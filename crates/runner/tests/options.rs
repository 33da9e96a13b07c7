//! The effect of each option of `train`, in the real program.

mod support;

use optlab_domain::EndReason;
use serde_json::{Value, json};

use support::{Heard, Runner, baseline, opt, spec, train};

#[test]
fn a_warm_up_raises_the_rate_before_the_curve_lowers_it() {
    let heard = train(&spec(
        baseline(),
        json!({ "log_every_steps": 1, "schedule": { "kind": "cosine", "warmup": 0.25 } }),
    ));
    let curves = heard.curves();
    let rates: Vec<f64> = curves["learning_rate"].iter().map(|&(_, rate)| rate).collect();
    // The first 11 of 44 updates rise, the twelfth has the full rate.
    assert_eq!((rates.len(), rates[0], rates[11]), (44, 0.05 / 12.0, 0.05));
    assert!(rates[..12].is_sorted() && rates[11..].is_sorted_by(|a, b| a >= b), "{rates:?}");
    assert!(rates[43] < 0.001, "{rates:?}");
}

#[test]
fn adamw_trains_every_arm_with_decoupled_decay() {
    let optimizer = |kind: &str, weight_decay: f64| json!({ "optimizer": { "kind": kind, "learning_rate": 0.01, "weight_decay": weight_decay } });
    for method in [baseline(), opt("cayley"), opt("gram_schmidt")] {
        let runs = [("adamw", 0.1), ("adam", 0.1), ("adamw", 0.0), ("adam", 0.0)]
            .map(|(kind, decay)| train(&spec(method.clone(), optimizer(kind, decay))));
        let losses = runs.each_ref().map(|heard| heard.curves()["train/loss"].clone());
        assert_ne!(losses[0], losses[1], "{method}");
        assert_ne!(losses[0], losses[2], "{method}");
        assert_eq!(losses[2], losses[3], "without decay, both rules are equal: {method}");
        let accuracy = &runs[0].curves()["test/accuracy"];
        assert!(accuracy[2].1 > 75.0, "{method}: {accuracy:?}");
    }
}

#[test]
fn clipping_shortens_only_long_gradients() {
    for method in [baseline(), opt("cayley"), opt("gram_schmidt")] {
        let runs = [json!({}), json!({ "clip_norm": 1e6 }), json!({ "clip_norm": 0.01 })]
            .map(|option| train(&spec(method.clone(), option)));
        let losses = runs.each_ref().map(|heard| heard.curves()["train/loss"].clone());
        assert_eq!(losses[0], losses[1], "{method}");
        let last = losses.map(|curve| curve.last().unwrap().1);
        assert!(last[2] > last[0] + 0.5, "{method}: {last:?}");
    }
}

#[test]
fn averaged_weights_are_tested_without_affecting_training() {
    for method in [baseline(), opt("cayley"), opt("gram_schmidt")] {
        let model = json!({ "model": { "batch_norm": true } });
        let averaged = json!({ "model": { "batch_norm": true }, "average_decay": 0.9 });
        let (plain, averaged) = (train(&spec(method.clone(), model)), train(&spec(method.clone(), averaged)));
        let (plain, averaged) = (plain.curves(), averaged.curves());
        for series in
            plain.keys().filter(|series| !["test/", "samples"].iter().any(|s| series.starts_with(s)))
        {
            assert_eq!(plain[series], averaged[series], "{method}: {series}");
        }
        let test = [&plain["test/loss"], &averaged["test/loss"]];
        assert_eq!(test[0][0], test[1][0], "{method}: both start from what was drawn");
        for at in [1, 2] {
            let (own, mean) = (test[0][at].1, test[1][at].1);
            assert!(own != mean && mean < test[0][0].1, "{method}: {test:?}");
        }
    }
}

#[test]
fn bfloat16_rounds_activations_but_not_the_method() {
    let cnn = json!({ "kind": "cnn6", "width": 4 });
    let mlp = json!({ "batch_norm": true });
    for (model, method) in [(&mlp, baseline()), (&mlp, opt("gram_schmidt")), (&cnn, opt("cayley"))] {
        let option = |precision: &str| json!({ "model": model, "precision": precision });
        let runs = ["float32", "bfloat16"].map(|word| train(&spec(method.clone(), option(word))));
        let [full, rounded] = runs.each_ref().map(Heard::curves);
        let [full_loss, rounded_loss] = [&full, &rounded].map(|curves| curves["test/loss"][0].1);
        let error = (rounded_loss / full_loss - 1.0).abs();
        assert!(error > 1e-7 && error < 0.01, "{method}: {rounded_loss} for {full_loss}");
        assert!(rounded["test/loss"][2].1 < 0.7 * rounded["test/loss"][0].1, "{:?}", rounded["test/loss"]);
        let errors = rounded.iter().filter(|(series, _)| series.starts_with("orthogonality_error/"));
        for (series, errors) in errors {
            assert!(errors.iter().all(|&(_, error)| error < 1e-4), "{series}: {errors:?}");
        }
    }
}

#[test]
fn tf32_is_float32_on_a_cpu() {
    let runs = ["float32", "tf32"].map(|word| train(&spec(opt("cayley"), json!({ "precision": word }))));
    assert_eq!(runs[0].reproducible(), runs[1].reproducible());
}

/// All of them at once.
fn options(length: Value) -> Value {
    let options = json!({
        "schedule": { "kind": "cosine", "warmup": 0.2 },
        "optimizer": { "kind": "adamw", "learning_rate": 0.01 },
        "model": { "batch_norm": true },
        "clip_norm": 1.0,
        "average_decay": 0.9,
        "precision": "bfloat16",
    });
    optlab_spec::merge(options, &length)
}

#[test]
fn a_job_with_every_option_is_reproducible() {
    for method in [baseline(), opt("cayley"), opt("gram_schmidt")] {
        let spec = spec(method, options(json!({})));
        assert_eq!(train(&spec).reproducible(), train(&spec).reproducible());
    }
}

#[test]
fn a_job_with_every_option_can_be_cancelled() {
    let mut runner = Runner::start();
    runner.run(&spec(opt("cayley"), options(json!({ "epochs": 1_000_000, "log_every_steps": 100 }))));
    runner.wait_for_progress();
    runner.cancel();
    assert_eq!(runner.hear().failure().reason, EndReason::Cancelled);
}
