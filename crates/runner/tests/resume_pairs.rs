//! Every pair of options, interrupted and gone on with: the same bits as without the interruption.

mod support;

use std::fs;

use optlab_spec::{ExperimentSpec, JobSpec};
use serde_json::{Value, json};

use support::pairs::pairs;
use support::{Runner, reproducible};

const STEPS: u64 = 11;

/// Each factor with its options, as what they change of a plain job. A new option is a new line.
const FACTORS: [&[&str]; 13] = [
    &[
        r#"{"method": {"kind": "baseline"}}"#,
        r#"{"method": {"kind": "baseline", "init": "orthogonal"}}"#,
        r#"{"method": {"kind": "mhe", "half_space": true}}"#,
        r#"{"method": {"kind": "soft_orthogonal", "form": "frobenius", "weight": 0.1}}"#,
        r#"{"method": {"kind": "soft_orthogonal", "form": "srip", "weight": 0.1}}"#,
        r#"{"method": {"kind": "opt", "transform": "gram_schmidt"}}"#,
        r#"{"method": {"kind": "opt", "transform": "gram_schmidt", "init": "identity"}}"#,
        r#"{"method": {"kind": "opt", "transform": "householder"}}"#,
        r#"{"method": {"kind": "opt", "transform": "householder", "init": "identity"}}"#,
        r#"{"method": {"kind": "opt", "transform": "lowdin"}}"#,
        r#"{"method": {"kind": "opt", "transform": "lowdin", "init": "identity"}}"#,
        r#"{"method": {"kind": "opt", "transform": "lowdin", "form": "polynomial", "learning_rate": 1}}"#,
        r#"{"method": {"kind": "opt", "transform": "cayley"}}"#,
        r#"{"method": {"kind": "opt", "transform": "cayley", "init": "scaled", "weight_decay": 0.1}}"#,
        r#"{"method": {"kind": "opt", "transform": "descent"}}"#,
        r#"{"method": {"kind": "opt", "transform": "descent", "form": "low_rank"}}"#,
        r#"{"method": {"kind": "opt", "transform": "relaxed"}}"#,
        r#"{"method": {"kind": "opt", "transform": "unconstrained"}}"#,
    ],
    &[
        r#"{"train": {"model": {"kind": "mlp", "hidden": [6, 5]}}}"#,
        r#"{"train": {"model": {"kind": "mlp", "hidden": [6, 5], "batch_norm": true}}}"#,
        r#"{"train": {"model": {"kind": "cnn6", "width": 2}}}"#,
        r#"{"train": {"model": {"kind": "cnn6", "width": 2, "batch_norm": false}}}"#,
        r#"{"train": {"model": {"kind": "cnn9", "width": 2, "batch_norm_momentum": 0.3}}}"#,
        r#"{"train": {"model": {"kind": "resnet20", "width": 2}}}"#,
        r#"{"train": {"model": {"kind": "resnet32", "width": 2}}}"#,
        r#"{"train": {"model": {"kind": "resnet18", "width": 2}}}"#,
    ],
    &[
        "{}",
        r#"{"method": {"stochastic": {"fraction": 0.5, "inner_steps": 3}}}"#,
        r#"{"method": {"stochastic": {"fraction": 0.3, "inner_steps": 4}}}"#,
    ],
    &["{}", r#"{"method": {"neurons": "learned"}}"#],
    &["{}", r#"{"method": {"neuron_mean": 0.1, "refine_steps": 3}}"#],
    &[
        "{}",
        r#"{"train": {"optimizer": {"kind": "sgd", "momentum": 0}}}"#,
        r#"{"train": {"optimizer": {"kind": "sgd", "nesterov": true, "weight_decay": 0.01}}}"#,
        r#"{"train": {"optimizer": {"kind": "adam", "weight_decay": 0.01}}}"#,
        r#"{"train": {"optimizer": {"kind": "adamw", "weight_decay": 0.01}}}"#,
    ],
    &[
        "{}",
        r#"{"train": {"schedule": {"kind": "step", "milestones": [0.3, 0.6]}}}"#,
        r#"{"train": {"schedule": {"kind": "cosine", "warmup": 0.3}}}"#,
    ],
    &[
        "{}",
        r#"{"train": {"data": {"name": "digits", "augment": ["pad-crop", "flip"]}}}"#,
        r#"{"train": {"data": {"name": "digits", "augment": ["pad-crop-zero"], "validation": 0.1}}}"#,
        r#"{"train": {"data": {"name": "synthetic", "shape": [2, 8, 8], "classes": 3, "samples": 64}}}"#,
    ],
    &["{}", r#"{"train": {"clip_norm": 0.5}}"#],
    &["{}", r#"{"train": {"average_decay": 0.9}}"#],
    &["{}", r#"{"train": {"label_smoothing": 0.1}}"#],
    &["{}", r#"{"train": {"precision": "bfloat16"}}"#],
    &[
        "{}",
        r#"{"train": {"log_every_steps": 3, "evaluate_every": 4, "energy": {"every_steps": 2, "power": 2}}}"#,
    ],
];

/// The job of a row, if there can be one.
fn job(row: &[usize]) -> Option<JobSpec> {
    let base = json!({
        "method": {},
        "train": { "steps": STEPS, "batch_size": 16, "data": { "name": "digits" }, "energy": { "every_steps": 5 } },
    });
    let changes = row.iter().zip(FACTORS).map(|(&option, factor)| factor[option]);
    let changed = changes
        .fold(base, |spec, change| optlab_spec::merge(spec, &serde_json::from_str::<Value>(change).unwrap()));
    let experiment = json!({
        "name": "pairs", "seeds": [3], "train": changed["train"],
        "arms": [{ "name": "arm", "method": changed["method"] }],
    });
    ExperimentSpec::from_value(&experiment).ok()?.jobs().next()
}

/// Trains the job without an interruption in one process, up to a checkpoint in the second, and from there in the third.
fn interrupt(job: &JobSpec, every_steps: u64, runners: &mut [Runner; 3]) {
    let [whole, first, second] = runners;
    let folder = tempfile::tempdir().unwrap();
    let places = ["whole", "first", "second"].map(|name| folder.path().join(name));
    places.iter().for_each(|place| fs::create_dir(place).unwrap());
    whole.run_for_weights(job, &places[0]);
    let whole = whole.hear();

    // A folder in the place of its weights lets a run end badly, and its checkpoints are then left.
    fs::create_dir(places[1].join("weights.safetensors")).unwrap();
    let mut interrupted = job.clone();
    interrupted.checkpoint.every_steps = Some(every_steps);
    first.run_for_weights(&interrupted, &places[1]);
    let first = first.hear();
    assert!(first.failure().error.contains("weights.safetensors"), "{:?}", first.end);
    assert_eq!(first.reproducible(), whole.reproducible(), "to write checkpoints changes nothing");

    let (step, file, points) = first.checkpoints.iter().rev().nth(1).or(first.checkpoints.last()).unwrap();
    second.resume(job, Some(&places[2]), Some(places[1].join(&file.file)));
    let second = second.hear();
    assert_eq!(second.from, Some(*step));
    let joined = [&first.points[..*points], &second.points].concat();
    assert_eq!(reproducible(&joined), whole.reproducible(), "from step {step} on");
    assert_eq!(second.summary().weights, whole.summary().weights, "from step {step} on");
}

#[test]
fn every_pair_of_options_goes_on_from_a_checkpoint_with_the_same_bits() {
    let rows = pairs(&FACTORS.map(<[_]>::len), |row| job(row).is_some());
    assert!(rows.len() >= FACTORS[0].len() * FACTORS[1].len(), "{} rows", rows.len());
    let mut runners = [(); 3].map(|()| Runner::start());
    for (number, row) in rows.iter().enumerate() {
        let job = job(row).unwrap();
        println!("{number}: {}", serde_json::to_string(&job).unwrap());
        // Which updates are between the two processes changes from row to row.
        interrupt(&job, number as u64 * 7 % (STEPS - 1) + 1, &mut runners);
    }
}
