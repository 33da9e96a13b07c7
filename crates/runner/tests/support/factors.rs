//! The options in which jobs can differ, and jobs with them.

use optlab_spec::{ExperimentSpec, JobSpec};
use serde_json::{Value, json};

/// Updates of each of these jobs.
pub const STEPS: u64 = 11;

/// So many factors, the first ones, are what a checkpoint has to do with: they say how weights come about, or have
/// state of their own from one update to the next.
pub const STATEFUL: usize = 8;

/// Each factor with its options, as what they change of a plain job. A new option is a new line.
pub const FACTORS: [&[&str]; 14] = [
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
    // Each model has a layer of one of these names.
    &[
        "{}",
        r#"{"method": {"layers": ["hidden2"]}}"#,
        r#"{"method": {"layers": ["conv1_2"]}}"#,
        r#"{"method": {"layers": ["block2_1_conv1"]}}"#,
    ],
    &[
        "{}",
        r#"{"train": {"optimizer": {"kind": "sgd", "momentum": 0}}}"#,
        r#"{"train": {"optimizer": {"kind": "sgd", "nesterov": true, "weight_decay": 0.01}}}"#,
        r#"{"train": {"optimizer": {"kind": "adam", "weight_decay": 0.01}}}"#,
        r#"{"train": {"optimizer": {"kind": "adamw", "weight_decay": 0.01}}}"#,
    ],
    &["{}", r#"{"train": {"average_decay": 0.9}}"#],
    &[
        "{}",
        r#"{"train": {"schedule": {"kind": "step", "milestones": [0.3, 0.6]}}}"#,
        r#"{"train": {"schedule": {"kind": "cosine", "warmup": 0.3}}}"#,
    ],
    &[
        "{}",
        r#"{"train": {"data": {"name": "digits", "augment": ["pad-crop", "flip"]}}}"#,
        r#"{"train": {"data": {"name": "digits", "augment": ["pad-crop-zero"], "validation": 0.1}}}"#,
        r#"{"train": {"data": {"name": "digits", "train_samples": 40}}}"#,
        r#"{"train": {"data": {"name": "synthetic", "shape": [2, 8, 8], "classes": 3, "samples": 64}}}"#,
    ],
    &["{}", r#"{"train": {"clip_norm": 0.5}}"#],
    &["{}", r#"{"train": {"label_smoothing": 0.1}}"#],
    &["{}", r#"{"train": {"precision": "bfloat16"}}"#, r#"{"train": {"precision": "tf32"}}"#],
    &[
        "{}",
        r#"{"train": {"log_every_steps": 3, "evaluate_every": 4, "energy": {"every_steps": 2, "power": 2}}}"#,
    ],
];

/// The job of a row, which has the number of an option for each factor; `None` where they cannot stand together.
pub fn job(row: &[usize]) -> Option<JobSpec> {
    let base = json!({
        "method": {},
        "train": {
            "steps": STEPS, "batch_size": 16, "data": { "name": "digits" }, "energy": { "every_steps": 5 },
            // Low enough for each of them to get to its end.
            "optimizer": { "kind": "sgd", "learning_rate": 0.02 },
        },
    });
    let changes = row.iter().zip(FACTORS).map(|(&option, factor)| factor[option]);
    let changed = changes
        .fold(base, |spec, change| optlab_spec::merge(spec, &serde_json::from_str::<Value>(change).unwrap()));
    let experiment = json!({
        "name": "resume", "seeds": [3], "train": changed["train"],
        "arms": [{ "name": "arm", "method": changed["method"] }],
    });
    ExperimentSpec::from_value(&experiment).ok()?.jobs().into_iter().next()
}
