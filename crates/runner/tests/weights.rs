//! The file of weights, read by a program without OPT.

mod support;

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use optlab_domain::EndReason;
use serde_json::{Value, json};
use tch::{Kind, Reduction, Tensor};

use support::{Heard, Runner, baseline, opt, spec};

type Weights = HashMap<String, Tensor>;

/// Trains and reads the exported weights.
fn trained(method: Value, train_spec: Value) -> (Heard, Weights) {
    let folder = tempfile::tempdir().unwrap();
    let mut runner = Runner::start();
    runner.run_for_weights(&spec(method, train_spec), folder.path());
    let heard = runner.hear();
    heard.summary();
    let names: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["weights.safetensors"], "no other file is left");
    let weights = Tensor::read_safetensors(folder.path().join("weights.safetensors")).unwrap();
    (heard, weights.into_iter().collect())
}

/// Loss and accuracy in percent on the test digits, as `forward` sees them.
fn tested(forward: impl Fn(&Tensor) -> Tensor) -> [f64; 2] {
    let test = optlab_data::find("digits").unwrap().decode(&[]).unwrap().test;
    let xs = (Tensor::from_slice(&test.pixels).view([-1, 1, 8, 8]).to_kind(Kind::Float) - 8.0) / 8.0;
    let labels = Tensor::from_slice(&test.labels).to_kind(Kind::Int64);
    let logits = forward(&xs);
    let loss = logits.cross_entropy_loss::<Tensor>(&labels, None, Reduction::Mean, -100, 0.0);
    let right = logits.argmax(1, false).eq_tensor(&labels).to_kind(Kind::Double).mean(Kind::Double);
    [loss, right * 100.0].map(|tensor| tensor.double_value(&[]))
}

fn linear(weights: &Weights, name: &str, xs: &Tensor) -> Tensor {
    xs.linear(&weights[&format!("{name}.weight")], weights.get(&format!("{name}.bias")))
}

fn norm(weights: &Weights, name: &str, xs: &Tensor) -> Tensor {
    let [weight, bias, mean, var] =
        ["weight", "bias", "running_mean", "running_var"].map(|part| weights.get(&format!("{name}.{part}")));
    xs.batch_norm(weight, bias, mean, var, false, 0.1, 1e-5, true)
}

fn agrees(heard: &Heard, [loss, accuracy]: [f64; 2]) {
    let curves = heard.curves();
    let [(_, heard_loss), (_, heard_accuracy)] =
        ["test/loss", "test/accuracy"].map(|series| *curves[series].last().unwrap());
    assert!((heard_loss - loss).abs() < 1e-6, "{heard_loss} for {loss}");
    assert_eq!(heard_accuracy, accuracy);
}

#[test]
fn plain_layers_with_the_exported_weights_give_the_tested_accuracy() {
    let averaged = json!({ "average_decay": 0.9 });
    for (method, option) in
        [(baseline(), json!({})), (opt("cayley"), json!({})), (opt("gram_schmidt"), averaged)]
    {
        let (heard, weights) = trained(method, option);
        let mut names: Vec<_> = weights.keys().map(String::as_str).collect();
        names.sort_unstable();
        let parts = ["classifier.bias", "classifier.weight", "hidden1.bias", "hidden1.weight"];
        assert_eq!(names, [&parts[..], &["hidden2.bias", "hidden2.weight"]].concat());
        assert_eq!(weights["hidden1.weight"].size(), [24, 64]);
        agrees(
            &heard,
            tested(|xs| {
                let xs = linear(&weights, "hidden1", &xs.flatten(1, -1)).relu();
                linear(&weights, "classifier", &linear(&weights, "hidden2", &xs).relu())
            }),
        );
    }
}

#[test]
fn normalised_layers_keep_their_statistics() {
    let option = json!({ "model": { "batch_norm": true }, "average_decay": 0.9 });
    let (heard, weights) = trained(opt("cayley"), option);
    assert!(!weights.contains_key("hidden1.bias"), "batch normalisation has its own");
    agrees(
        &heard,
        tested(|xs| {
            let xs = norm(&weights, "norm1", &linear(&weights, "hidden1", &xs.flatten(1, -1))).relu();
            let xs = norm(&weights, "norm2", &linear(&weights, "hidden2", &xs)).relu();
            linear(&weights, "classifier", &xs)
        }),
    );
}

#[test]
fn filters_have_four_dimensions_and_residual_layers_are_complete() {
    let network = |kind: &str| json!({ "epochs": 1, "model": { "kind": kind, "width": 4 } });
    let (_, cnn6) = trained(opt("cayley"), network("cnn6"));
    assert_eq!(cnn6["conv1_1.weight"].size(), [4, 1, 3, 3]);
    assert_eq!(cnn6["conv1_2.weight"].size(), [4, 4, 3, 3]);
    let (heard, resnet) = trained(opt("cayley"), network("resnet20"));
    let filters = resnet.iter().filter(|(_, tensor)| tensor.dim() == 4).count();
    assert_eq!(filters, heard.curves().keys().filter(|name| name.starts_with("energy/")).count() - 1);
}

#[test]
fn a_folder_that_cannot_be_written_is_named() {
    let mut runner = Runner::start();
    runner.run_for_weights(&spec(baseline(), json!({ "epochs": 1 })), Path::new("/nonexistent/place"));
    let failure = runner.hear().failure();
    assert_eq!(failure.reason, EndReason::MachineFault, "another machine may have space");
    assert!(failure.error.contains("/nonexistent/place"), "{}", failure.error);
}
