//! What each option of `train` changes of a run, through the real program.

mod support;

use optlab_spec::JobSpec;
use serde_json::json;

use support::{Heard, Runner, baseline, spec};

fn train(spec: &JobSpec) -> Heard {
    let mut runner = Runner::start();
    runner.run(spec);
    let heard = runner.hear();
    assert!(heard.end.is_ok(), "{:?}", heard.end);
    heard
}

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
