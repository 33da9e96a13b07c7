//! A job that is interrupted and resumed by another process.

use std::fs;

use optlab_spec::JobSpec;

use super::{Runner, reproducible};

/// Trains the job without an interruption in one process, up to a checkpoint in the second, and from there in the
/// third, and wants the same bits of curves and weights. `every_steps` says which updates are between the two.
pub fn interrupt(job: &JobSpec, every_steps: u64, runners: &mut [Runner; 3]) {
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
    assert_eq!(first.reproducible(), whole.reproducible(), "writing checkpoints changes nothing");

    let (step, file, points) = first.checkpoints.iter().rev().nth(1).or(first.checkpoints.last()).unwrap();
    second.resume(job, Some(&places[2]), Some(places[1].join(&file.file)));
    let second = second.hear();
    assert_eq!(second.from, Some(*step));
    let joined = [&first.points[..*points], &second.points].concat();
    assert_eq!(reproducible(&joined), whole.reproducible(), "from step {step} on");
    assert_eq!(second.summary().weights, whole.summary().weights, "from step {step} on");
}
