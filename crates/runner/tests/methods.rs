//! Every method of a spec, in the real program.

mod support;

use optlab_spec::JobSpec;
use serde_json::{Value, json};

use support::{Heard, Runner, baseline, spec};

/// Every way to train with OPT, and whether it keeps R orthogonal.
const OPT: [(&str, bool); 9] = [
    (r#"{"transform": "gram_schmidt", "init": "identity"}"#, true),
    (r#"{"transform": "householder"}"#, true),
    (r#"{"transform": "lowdin"}"#, true),
    (r#"{"transform": "lowdin", "form": "polynomial"}"#, true),
    (r#"{"transform": "cayley", "init": "scaled"}"#, true),
    (r#"{"transform": "descent"}"#, true),
    (r#"{"transform": "descent", "form": "low_rank"}"#, true),
    (r#"{"transform": "relaxed"}"#, false),
    (r#"{"transform": "unconstrained"}"#, false),
];

fn opt(options: &str, more: Value) -> Value {
    let mut method: Value = serde_json::from_str(options).unwrap();
    method["kind"] = json!("opt");
    method.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    method
}

fn job(method: Value) -> JobSpec {
    spec(method, json!({ "log_every_steps": 1 }))
}

/// The largest change of the mean energy, relative to its start.
fn energy_drift(heard: &Heard) -> f64 {
    let curves = heard.curves();
    let energy = &curves["energy/mean"];
    energy.iter().map(|(_, value)| (value / energy[0].1 - 1.0).abs()).fold(0.0, f64::max)
}

fn last(heard: &Heard, series: &str) -> f64 {
    heard.curves()[series].last().unwrap().1
}

#[test]
fn every_constrained_form_keeps_its_energy_and_every_form_learns() {
    let mut runner = Runner::start();
    let start = runner.train(&job(baseline())).curves()["energy/mean"][0].1;
    for rounds in [json!({}), json!({ "stochastic": { "fraction": 0.5, "inner_steps": 7 } })] {
        for (options, constrained) in OPT {
            let stochastic = !rounds.as_object().unwrap().is_empty();
            let options = if stochastic { options.replace("scaled", "identity") } else { options.to_owned() };
            let heard = runner.train(&job(opt(&options, rounds.clone())));
            let (drift, accuracy) = (energy_drift(&heard), last(&heard, "test/accuracy"));
            let error = last(&heard, "orthogonality_error/hidden1");
            println!(
                "{options} {rounds}: accuracy {accuracy:.1}, energy drift {drift:.1e}, error {error:.1e}"
            );
            assert!((heard.curves()["energy/mean"][0].1 / start - 1.0).abs() < 1e-6, "{options}");
            assert_eq!((drift < 1e-5, error < 1e-4), (constrained, constrained), "{options} {rounds}");
            assert!(accuracy > 40.0, "{options} {rounds}: {accuracy}");
        }
    }
}

#[test]
fn every_method_is_reproducible() {
    let rounds = json!({ "stochastic": { "inner_steps": 5 } });
    let methods = OPT.iter().map(|(options, _)| opt(options, json!({}))).chain([
        opt(OPT[1].0, rounds.clone()),
        opt(OPT[6].0, rounds),
        opt(OPT[4].0, json!({ "neurons": "learned", "refine_steps": 3, "neuron_mean": 0.1 })),
        json!({ "kind": "baseline", "init": "orthogonal" }),
        json!({ "kind": "mhe", "half_space": true }),
        json!({ "kind": "soft_orthogonal", "form": "srip", "weight": 0.1 }),
    ]);
    let (mut one, mut other) = (Runner::start(), Runner::start());
    for method in methods {
        let heard = one.train(&job(method.clone()));
        assert_eq!(heard.reproducible(), other.train(&job(method.clone())).reproducible(), "{method}");
    }
}

#[test]
fn penalties_lower_their_quantity() {
    let mut runner = Runner::start();
    let plain = runner.train(&job(baseline()));
    let mhe = runner.train(&job(json!({ "kind": "mhe", "weight": 10 })));
    assert!(last(&mhe, "energy/mean") < last(&plain, "energy/mean"));
    // Orthonormal neurons have less energy than what training makes of Gaussian ones.
    for form in ["frobenius", "srip"] {
        let soft = runner.train(&job(json!({ "kind": "soft_orthogonal", "form": form, "weight": 0.1 })));
        assert!(last(&soft, "energy/mean") < last(&plain, "energy/mean"), "{form}");
        // The same loss is plotted in every arm: before the first update it is the same number.
        assert_eq!(soft.curves()["train/loss"][0], plain.curves()["train/loss"][0], "{form}");
    }
}

#[test]
fn initial_neurons_follow_the_spec() {
    let mut runner = Runner::start();
    let first = |heard: &Heard| heard.curves()["energy/hidden1"][0].1;
    let drawn = first(&runner.train(&job(baseline())));
    let cayley = |more| opt(r#"{"transform": "cayley"}"#, more);
    let (with_mean, refined) = (
        runner.train(&job(cayley(json!({ "neuron_mean": 0.2 })))),
        runner.train(&job(cayley(json!({ "refine_steps": 50 })))),
    );
    assert!(first(&with_mean) > 1.02 * drawn && first(&refined) < drawn, "{drawn}");
    for kept in [&with_mean, &refined] {
        assert!(energy_drift(kept) < 1e-5);
    }
    let orthogonal = runner.train(&job(json!({ "kind": "baseline", "init": "orthogonal" })));
    assert!(first(&orthogonal) < drawn);
    let learned = runner.train(&job(cayley(json!({ "neurons": "learned" }))));
    assert!(first(&learned) == drawn && energy_drift(&learned) > 1e-4);
    assert_eq!(
        learned.summary().parameters_trained,
        runner.train(&job(cayley(json!({})))).summary().parameters_trained + 64 * 24 + 24 * 16
    );
}

#[test]
fn only_the_named_layers_are_rotated() {
    let mut runner = Runner::start();
    let heard = runner.train(&job(opt(r#"{"transform": "cayley"}"#, json!({ "layers": ["hidden2"] }))));
    let curves = heard.curves();
    let moved = |layer: &str| {
        let energy = &curves[format!("energy/{layer}").as_str()];
        (energy.last().unwrap().1 / energy[0].1 - 1.0).abs()
    };
    assert!(moved("hidden1") > 1e-4 && moved("hidden2") < 1e-5);
    assert!(!curves.contains_key("orthogonality_error/hidden1"));
    assert!(curves.contains_key("orthogonality_error/hidden2"));
}
