//! The protocol of the real program over its pipes.

mod support;

use std::collections::HashSet;
use std::path::Path;

use optlab_domain::{Device, EndReason};
use optlab_spec::JobSpec;
use serde_json::json;

use support::{Heard, Runner, baseline, opt, spec, train};

/// A job that does not end during a test.
fn endless() -> JobSpec {
    spec(baseline(), json!({ "epochs": 1_000_000, "log_every_steps": 100 }))
}

#[test]
fn a_job_records_every_curve_completely() {
    // 1442 digits make 22 whole batches of 64.
    let heard = train(&spec(opt("cayley"), json!({})));
    let summary = heard.summary();
    // Two raw parameters of 64^2 and 24^2, their biases, and the classifier.
    assert_eq!(summary.parameters_trained, 4096 + 576 + 24 + 16 + 170);
    assert_eq!(heard.environment.as_ref().unwrap().threads, 1);
    assert_eq!(heard.progress.last(), Some(&44));

    let curves = heard.curves();
    let steps = |series: &str| -> Vec<u64> { curves[series].iter().map(|&(step, _)| step).collect() };
    assert_eq!(steps("train/loss"), (1..=11).map(|i| 4 * i).collect::<Vec<_>>());
    assert_eq!(steps("train/accuracy"), steps("train/loss"));
    assert_eq!(steps("test/loss"), [0, 22, 44]);
    assert_eq!(steps("test/accuracy"), [0, 22, 44]);
    for series in ["energy/hidden1", "energy/hidden2", "energy/mean", "orthogonality_error/hidden2"] {
        assert_eq!(steps(series), [0, 10, 20, 30, 40, 44], "{series}");
    }
    assert_eq!((steps("learning_rate")[0], *steps("learning_rate").last().unwrap()), (1, 44));
    assert_eq!(*steps("samples_per_second").last().unwrap(), 44);
    assert!(!curves.contains_key("energy/classifier"));

    assert!(heard.points.is_sorted_by_key(|point| point.step));
    let places: HashSet<_> = heard.points.iter().map(|point| (&point.series, point.step)).collect();
    assert_eq!(places.len(), heard.points.len());
    assert!(curves["test/accuracy"][2].1 > 60.0, "{:?}", curves["test/accuracy"]);
}

#[test]
fn arms_share_their_start_and_opt_keeps_its_energy() {
    let heard =
        [baseline(), opt("cayley"), opt("gram_schmidt")].map(|method| train(&spec(method, json!({}))));
    let curves = heard.each_ref().map(Heard::curves);
    for series in ["test/accuracy", "test/loss", "energy/mean"] {
        assert_eq!(curves[0][series][0], curves[1][series][0], "{series}");
    }
    assert_eq!(curves[0]["learning_rate"], curves[2]["learning_rate"]);
    let drift = curves.each_ref().map(|curves| {
        let energy = &curves["energy/mean"];
        energy.iter().map(|(_, value)| (value / energy[0].1 - 1.0).abs()).fold(0.0, f64::max)
    });
    assert!(drift[0] > 1e-4 && drift[1] < 1e-5 && drift[2] < 1e-5, "{drift:?}");
    assert!(!curves[0].contains_key("orthogonality_error/hidden1"));
    for curves in &curves[1..] {
        let errors = &curves["orthogonality_error/hidden1"];
        assert!(errors.iter().all(|&(_, error)| error < 1e-4), "{errors:?}");
    }
}

#[test]
fn a_job_is_reproducible_in_any_process_and_after_any_job() {
    let mut specs =
        [baseline(), opt("cayley"), opt("gram_schmidt")].map(|method| spec(method, json!({}))).to_vec();
    specs.push(spec(
        opt("cayley"),
        json!({ "data": { "augment": ["pad-crop", "flip"] }, "model": { "kind": "resnet18", "width": 2 }, "epochs": 1 }),
    ));
    let mut shared = Runner::start();
    for spec in &specs {
        assert_eq!(shared.train(spec).reproducible(), train(spec).reproducible());
    }
}

#[test]
fn jobs_that_reuse_the_images_of_the_job_before_are_as_in_a_process_of_their_own() {
    let with = |seed: u64, data: serde_json::Value| {
        let train = json!({ "steps": 30, "batch_size": 16, "data": data });
        JobSpec { seed, ..spec(baseline(), train) }
    };
    let part = json!({ "validation": 0.5, "train_samples": 100 });
    let trial = JobSpec { trial: Some(0), ..with(4, part.clone()) };
    let specs = [
        with(3, json!({})),
        with(4, json!({})),
        with(3, json!({ "validation": 0.5 })),
        with(4, json!({ "validation": 0.5 })),
        with(3, part.clone()),
        with(4, part.clone()),
        trial,
        with(4, part),
        with(4, json!({ "augment": ["pad-crop"] })),
        with(4, json!({})),
    ];
    let mut shared = Runner::start();
    for spec in &specs {
        let heard = shared.train(spec);
        assert_eq!(heard.reproducible(), train(spec).reproducible(), "{spec:?}");
        assert_eq!(heard.curves().contains_key("test/accuracy"), spec.trial.is_none());
    }
}

#[test]
fn batch_norm_adam_and_smoothing_train() {
    let train_spec = json!({
        "model": { "batch_norm": true },
        "optimizer": { "kind": "adam", "learning_rate": 0.01 },
        "label_smoothing": 0.1,
    });
    for method in [baseline(), opt("cayley")] {
        let heard = train(&spec(method, train_spec.clone()));
        assert!(heard.curves()["test/accuracy"][2].1 > 75.0, "{:?}", heard.curves()["test/accuracy"]);
    }
}

#[test]
fn held_out_images_have_their_own_curves() {
    let heard = train(&spec(baseline(), json!({ "data": { "validation": 0.2 }, "steps": 40 })));
    let curves = heard.curves();
    // 1442 - 288 images make 18 whole batches of 64.
    let steps = |series: &str| -> Vec<u64> { curves[series].iter().map(|&(step, _)| step).collect() };
    for series in ["validation/loss", "validation/accuracy", "test/loss", "test/accuracy"] {
        assert_eq!(steps(series), [0, 18, 36, 40], "{series}");
    }
    let last = |series: &str| curves[series][3].1;
    assert!(last("validation/accuracy") > 60.0 && last("test/accuracy") > 60.0, "{curves:?}");
    assert_ne!(last("validation/loss"), last("test/loss"));
    assert!(!train(&spec(baseline(), json!({}))).curves().contains_key("validation/loss"));
}

#[test]
fn few_training_images_make_short_epochs_and_worse_figures() {
    let with = |data: serde_json::Value| {
        train(&spec(baseline(), json!({ "steps": 60, "batch_size": 16, "data": data })))
    };
    let few = with(json!({ "validation": 0.9, "train_samples": 48 }));
    let curves = few.curves();
    // 48 images make 3 whole batches of 16.
    let steps: Vec<u64> = curves["test/accuracy"].iter().map(|&(step, _)| step).collect();
    assert_eq!(steps, (0..=20).map(|epoch| 3 * epoch).collect::<Vec<_>>());
    let last = |heard: &Heard, series: &str| heard.curves()[series].last().unwrap().1;
    let all = with(json!({ "validation": 0.9 }));
    assert!(last(&few, "train/accuracy") > 90.0 && last(&few, "validation/accuracy") > 40.0, "{curves:?}");
    assert!(last(&few, "test/accuracy") < last(&all, "test/accuracy"), "48 images teach as much as 144");
}

#[test]
fn synthetic_data_needs_no_file_and_follows_the_order_of_the_seed() {
    let data = json!({ "name": "synthetic", "shape": [3, 8, 8], "classes": 5, "samples": 640 });
    let base = spec(baseline(), json!({ "data": data, "epochs": 1 }));
    // Noise cannot be learned, but trained on for ten batches.
    let ends = [3, 3, 4].map(|seed| train(&JobSpec { seed, ..base.clone() }));
    assert_eq!(ends[0].progress.last(), Some(&10));
    assert_eq!(ends[0].reproducible(), ends[1].reproducible());
    assert_ne!(ends[0].reproducible(), ends[2].reproducible());
}

#[test]
fn every_model_learns_in_every_arm() {
    let models = [
        (json!({ "kind": "cnn6", "width": 4 }), 7),
        (json!({ "kind": "cnn6", "widths": [6, 5, 4], "batch_norm": false }), 7),
        (json!({ "kind": "cnn9", "width": 4, "batch_norm_momentum": 0.2 }), 10),
        (json!({ "kind": "resnet20", "width": 4 }), 19),
        (json!({ "kind": "resnet32", "width": 2 }), 31),
        (json!({ "kind": "resnet18", "width": 2 }), 20),
    ];
    let mut runner = Runner::start();
    for (model, method_layers) in models {
        for method in [baseline(), opt("cayley"), opt("gram_schmidt")] {
            let train = json!({ "model": model, "epochs": 1, "log_every_steps": 1, "energy": { "every_steps": 1000 } });
            let heard = runner.train(&spec(method.clone(), train));
            let curves = heard.curves();
            let energies = curves.keys().filter(|name| name.starts_with("energy/")).count();
            assert_eq!(energies, method_layers + 1, "{model} {method}");
            let losses: Vec<f64> = curves["train/loss"].iter().map(|&(_, loss)| loss).collect();
            assert!(losses[losses.len() - 1] < losses[0], "{model} {method} {losses:?}");
        }
    }
}

#[test]
fn a_large_skew_matrix_is_reported_once_per_layer() {
    let method = json!({ "kind": "opt", "transform": "cayley", "learning_rate": 500 });
    let heard = train(&spec(method, json!({})));
    assert!(heard.logs.iter().any(|log| log.contains("`hidden1`") && log.contains("norm")), "{heard:?}");
    assert!(heard.logs.len() <= 2, "{:?}", heard.logs);
}

#[test]
fn a_cancelled_job_ends_between_two_steps_and_the_next_job_runs() {
    let mut runner = Runner::start();
    runner.run(&endless());
    runner.wait_for_progress();
    runner.cancel();
    let heard = runner.hear();
    let failure = heard.failure();
    assert_eq!(failure.reason, EndReason::Cancelled);
    assert_eq!(failure.step, heard.progress.last().copied());
    // A request that crosses with the end of its job is void.
    runner.cancel();
    runner.train(&spec(baseline(), json!({})));
}

#[test]
fn a_loss_that_is_not_finite_ends_the_job_and_names_its_first_step() {
    let wild = json!({ "optimizer": { "learning_rate": 1000, "weight_decay": 1 } });
    let heard = Runner::start().hear_of(&spec(baseline(), wild));
    let failure = heard.failure();
    assert_eq!((failure.reason, failure.series.as_deref()), (EndReason::Diverged, Some("train/loss")));
    let step = failure.step.unwrap();
    assert!((2..44).contains(&step), "{failure:?}");
    assert!(heard.points.iter().all(|point| point.step < step && point.value.is_finite()));
    assert_eq!(heard.curves()["test/accuracy"].len(), 1);
}

#[test]
fn a_rotation_that_fails_after_divergence_is_reported_as_divergence() {
    // The loss of the first update is finite, and its step so long that the second one's is not.
    let wild = json!({ "optimizer": { "learning_rate": 1000, "momentum": 0, "weight_decay": 10 }, "model": { "hidden": [24] } });
    // Singular values cannot be had of what is not finite; the others hand it on.
    for transform in ["cayley", "gram_schmidt", "lowdin", "descent"] {
        let failure = Runner::start().hear_of(&spec(opt(transform), wild.clone())).failure();
        assert_eq!((failure.reason, failure.series.as_deref()), (EndReason::Diverged, Some("train/loss")));
        assert!(failure.step.is_some_and(|step| (2..44).contains(&step)), "{transform}: {failure:?}");
    }
}

#[test]
fn the_end_of_input_ends_the_process_at_once() {
    let mut runner = Runner::start();
    runner.run(&endless());
    runner.wait_for_progress();
    runner.close_input();
    // The job would run for hours.
    while runner.event().is_some() {}
    assert!(runner.wait().success());
}

#[test]
fn the_end_of_output_ends_the_process() {
    let mut runner = Runner::start();
    runner.run(&endless());
    runner.wait_for_progress();
    runner.close_output();
    assert!(!runner.wait().success());
}

#[test]
fn an_invalid_line_is_answered() {
    let mut runner = Runner::start();
    for line in ["nonsense", "{\"type\":\"dance\"}", "{\"type\":\"run\",\"job\":1}"] {
        runner.line(line);
        let failure = runner.hear().failure();
        assert_eq!(failure.reason, EndReason::MachineFault);
        assert!(failure.error.contains("cannot read its command"), "{}", failure.error);
    }
    runner.train(&spec(baseline(), json!({ "epochs": 1 })));
}

#[test]
fn a_command_of_another_version_is_refused() {
    let mut runner = Runner::start();
    runner.line(r#"{"type":"run","protocol":70,"job":{"id":7}}"#);
    let failure = runner.hear().failure();
    assert_eq!(failure.reason, EndReason::MachineFault);
    assert!(failure.error.contains("version 70"), "{}", failure.error);
}

#[test]
fn an_invalid_line_does_not_disturb_a_running_job() {
    let mut runner = Runner::start();
    runner.run(&endless());
    runner.wait_for_progress();
    runner.line("nonsense");
    runner.cancel();
    assert_eq!(runner.hear().failure().reason, EndReason::Cancelled);
}

#[test]
fn a_machine_fault_is_reported_in_full() {
    let empty = tempfile::tempdir().unwrap();
    // Where nothing listens: the test fetches nothing, also on a machine with a network.
    let nowhere = Path::new("http://127.0.0.1:9");
    let environment = [
        ("OPTLAB_DATA_DIR", empty.path()),
        ("XDG_CACHE_HOME", empty.path()),
        ("OPTLAB_DATA_MIRROR", nowhere),
        ("ALL_PROXY", nowhere),
        ("HTTPS_PROXY", nowhere),
        ("https_proxy", nowhere),
    ];
    let mut runner = Runner::start_with(&environment);

    let failure = runner.hear_of(&spec(baseline(), json!({ "data": { "name": "mnist" } }))).failure();
    assert_eq!(failure.reason, EndReason::MachineFault, "another machine may have a network");
    assert!(failure.error.contains("train-images-idx3-ubyte.gz"), "{}", failure.error);

    runner.run_on(Device::Cuda(63), &spec(baseline(), json!({})));
    let failure = runner.hear().failure();
    assert_eq!(failure.reason, EndReason::MachineFault);
    assert!(failure.error.contains("cuda:63"), "{}", failure.error);
}
