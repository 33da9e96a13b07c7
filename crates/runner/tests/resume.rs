//! Checkpoints of the real program: runs that are killed, paused or cancelled resume with the same bits.

#![expect(clippy::disallowed_methods, reason = "waits for other processes")]

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use optlab_domain::EndReason;
use optlab_spec::JobSpec;
use optlab_spec::protocol::Point;
use serde_json::{Value, json};

use support::{Heard, Runner, baseline, opt, reproducible, spec};

/// A job with a checkpoint after every `every_steps` updates.
fn with_checkpoints(every_steps: u64, mut spec: JobSpec) -> JobSpec {
    spec.checkpoint.every_steps = Some(every_steps);
    spec
}

/// A job that does not end during a test.
fn endless() -> JobSpec {
    spec(opt("cayley"), json!({ "epochs": 1_000_000, "log_every_steps": 100 }))
}

/// The names in a folder, in order.
fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// The latest checkpoint, with its step.
fn newest(folder: &Path) -> Option<(u64, PathBuf)> {
    let step =
        |name: &str| name.strip_prefix("checkpoint-")?.strip_suffix(".safetensors")?.parse::<u64>().ok();
    names(folder).into_iter().filter_map(|name| Some((step(&name)?, folder.join(name)))).max()
}

/// Runs a job to its end, without interruption.
fn whole(spec: &JobSpec) -> Heard {
    let folder = tempfile::tempdir().unwrap();
    let mut runner = Runner::start();
    runner.run_for_weights(spec, folder.path());
    let heard = runner.hear();
    heard.summary();
    heard
}

/// Pseudorandom numbers, the same for the same seed: Steele, Lea and Flood, OOPSLA 2014 (SplitMix64).
struct Draws(u64);

impl Draws {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }
}

/// Trains in processes that are killed after drawn numbers of checkpoints; returns the points that are left, those of a
/// later attempt in place of what it did again, with the last attempt and the number of attempts before it.
fn killed_again_and_again(spec: &JobSpec, draws: &mut Draws) -> (Vec<Point>, Heard, usize) {
    let folder = tempfile::tempdir().unwrap();
    let mut points = Vec::<Point>::new();
    for attempt in 0.. {
        let from = newest(folder.path());
        let mut runner = Runner::start();
        runner.resume(spec, Some(folder.path()), from.as_ref().map(|(_, file)| file.clone()));
        let checkpoints = 1 + draws.below(9) as usize;
        let mut heard = runner.hear_until(|heard| attempt < 4 && heard.checkpoints.len() == checkpoints);
        if heard.end.is_none() {
            runner.kill();
            // What it said before it died is still in the pipe.
            let more = runner.hear_until(|_| false);
            heard.points.extend(more.points);
            heard.end = more.end;
        }
        assert_eq!(heard.from, Some(from.as_ref().map_or(0, |(step, _)| *step)));
        if let Some((step, _)) = from {
            points.retain(|point| point.step <= step);
        } else {
            points.clear();
        }
        points.extend(heard.points.clone());
        if heard.end.is_some() {
            return (points, heard, attempt);
        }
    }
    unreachable!("there are more numbers than attempts")
}

#[test]
fn a_job_that_is_killed_repeatedly_ends_with_the_same_bits() {
    let options = json!({
        "optimizer": { "kind": "adamw", "learning_rate": 0.01 }, "schedule": { "kind": "cosine", "warmup": 0.1 },
        "model": { "batch_norm": true }, "average_decay": 0.9, "log_every_steps": 3,
    });
    let method = |method: &str| serde_json::from_str::<Value>(method).unwrap();
    let mut draws = Draws(7);
    for (method, options) in [
        (baseline(), options.clone()),
        (
            method(r#"{"kind": "opt", "transform": "lowdin", "form": "polynomial", "learning_rate": 0.5}"#),
            json!({}),
        ),
        // The repair of descent is every 50 steps, and a round may end between two of them.
        (method(r#"{"kind": "opt", "transform": "descent"}"#), json!({})),
        (
            method(
                r#"{"kind": "opt", "transform": "descent", "form": "low_rank", "stochastic": {"inner_steps": 60}}"#,
            ),
            options.clone(),
        ),
        (method(r#"{"kind": "opt", "transform": "cayley", "stochastic": {"inner_steps": 7}}"#), options),
    ] {
        let spec =
            with_checkpoints(3, spec(method.clone(), optlab_spec::merge(json!({ "steps": 150 }), &options)));
        let whole = whole(&spec);
        let (points, last, killed) = killed_again_and_again(&spec, &mut draws);
        assert!(killed >= 2, "{method}: killed {killed} times");
        assert_eq!(reproducible(&points), whole.reproducible(), "{method}");
        assert_eq!(last.summary().weights, whole.summary().weights, "{method}");
    }
}

#[test]
fn a_paused_job_resumes_where_it_stopped() {
    let folder = tempfile::tempdir().unwrap();
    let spec =
        spec(opt("gram_schmidt"), json!({ "steps": 1000, "evaluate_every": 40, "log_every_steps": 10 }));
    let mut runner = Runner::start();
    runner.run_for_weights(&with_checkpoints(5, spec.clone()), folder.path());
    let early = runner.hear_until(|heard| !heard.checkpoints.is_empty());
    runner.pause();
    let first = runner.hear();
    let step = first.paused();
    assert!((5..1000).contains(&step), "{step}");
    let (written, file, _) = first.checkpoints.last().or(early.checkpoints.last()).unwrap();
    assert_eq!((*written, newest(folder.path()).unwrap().0), (step, step));

    // The same process takes it up again, and a request that crosses with an end is void.
    runner.pause();
    runner.resume(&spec, Some(folder.path()), Some(folder.path().join(&file.file)));
    let second = runner.hear();
    assert_eq!(second.from, Some(step));
    assert!(second.points.iter().all(|point| point.step > step));
    let whole = whole(&spec);
    assert_eq!(second.summary().weights, whole.summary().weights);
    let later = whole.points.into_iter().filter(|point| point.step > step).collect::<Vec<_>>();
    assert_eq!(second.reproducible(), reproducible(&later));
}

#[test]
fn a_run_stops_at_a_rung_after_its_evaluation_and_goes_on_with_the_same_bits() {
    let folder = tempfile::tempdir().unwrap();
    let spec =
        spec(opt("gram_schmidt"), json!({ "steps": 200, "evaluate_every": 40, "log_every_steps": 10 }));
    let mut runner = Runner::start();
    runner.run_to_rung(&spec, folder.path(), None, 80);
    let first = runner.hear();
    assert_eq!((first.paused(), newest(folder.path()).unwrap().0), (80, 80));
    assert_eq!(first.points.iter().filter(|point| point.series == "test/accuracy").count(), 3);
    // A job whose attempt was lost between the checkpoint and the end stops again without an update.
    let at_rung = || newest(folder.path()).map(|(_, file)| file);
    runner.run_to_rung(&spec, folder.path(), at_rung(), 80);
    let again = runner.hear();
    assert_eq!((again.from, again.paused(), again.points.len()), (Some(80), 80, 0));

    runner.resume(&spec, Some(folder.path()), at_rung());
    let second = runner.hear();
    let whole = whole(&spec);
    assert_eq!(second.summary().weights, whole.summary().weights);
    let all = [first.points, second.points].concat();
    assert_eq!(reproducible(&all), whole.reproducible());
}

#[test]
fn a_job_that_was_paused_before_its_first_update_measures_its_start_again() {
    let folder = tempfile::tempdir().unwrap();
    let spec = spec(opt("cayley"), json!({ "steps": 40, "evaluate_every": 40, "log_every_steps": 10 }));
    let mut runner = Runner::start();
    runner.run_for_weights(&spec, folder.path());
    runner.pause();
    assert_eq!(runner.hear().paused(), 0);
    let (step, file) = newest(folder.path()).unwrap();
    assert_eq!((step, trained_for(&file)), (0, Duration::ZERO), "the time of its evaluation counts once");

    // The store keeps no points of step 0 for an attempt that begins there.
    runner.resume(&spec, Some(folder.path()), Some(file));
    let again = runner.hear();
    let whole = whole(&spec);
    assert_eq!(again.reproducible(), whole.reproducible());
    assert_eq!(again.summary().weights, whole.summary().weights);
}

#[test]
fn without_a_folder_a_paused_job_restarts_from_the_beginning() {
    let mut runner = Runner::start();
    runner.run(&endless());
    runner.wait_for_progress();
    runner.pause();
    let heard = runner.hear();
    assert_eq!((heard.paused(), heard.checkpoints.len()), (0, 0));
}

#[test]
fn a_cancelled_job_leaves_a_checkpoint_of_its_last_step() {
    let folder = tempfile::tempdir().unwrap();
    let mut runner = Runner::start();
    // Nothing is evaluated but at the start, so that the request finds it between two steps.
    let mut spec = endless();
    spec.train.evaluate_every = optlab_spec::EvaluateEvery::Steps(50_000_000);
    runner.run_for_weights(&spec, folder.path());
    runner.wait_for_progress();
    runner.cancel();
    let heard = runner.hear();
    assert_eq!(heard.failure().reason, EndReason::Cancelled);
    assert_eq!(heard.failure().step, newest(folder.path()).map(|(step, _)| step));
    assert_eq!(heard.checkpoints.len(), 1);
}

#[test]
fn the_last_two_checkpoints_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    let mut runner = Runner::start();
    runner.run_for_weights(&with_checkpoints(2, endless()), folder.path());
    let early = runner.hear_until(|heard| heard.checkpoints.len() == 5);
    let steps: Vec<u64> = early.checkpoints.iter().map(|(step, ..)| *step).collect();
    assert_eq!(steps, [2, 4, 6, 8, 10]);
    runner.cancel();
    let late = runner.hear();
    let written: Vec<_> =
        early.checkpoints.iter().chain(&late.checkpoints).map(|(_, file, _)| file).collect();
    let kept = &written[written.len() - 2..];
    let mut expected: Vec<_> = kept.iter().map(|file| file.file.clone()).collect();
    expected.sort();
    assert_eq!(names(folder.path()), expected);
    for file in kept {
        let bytes = fs::read(folder.path().join(&file.file)).unwrap();
        assert_eq!((bytes.len() as u64, sha256(&bytes)), (file.bytes, file.sha256.clone()));
    }

    let last = with_checkpoints(2, spec(baseline(), json!({ "steps": 9 })));
    let folder = tempfile::tempdir().unwrap();
    runner.run_for_weights(&last, folder.path());
    let heard = runner.hear();
    assert_eq!(heard.checkpoints.len(), 4);
    let weights = heard.summary().weights.clone().unwrap();
    assert_eq!(sha256(&fs::read(folder.path().join(&weights.file)).unwrap()), weights.sha256);
    let [.., before, last] = &heard.checkpoints[..] else { panic!("two checkpoints") };
    assert_eq!(names(folder.path()), [&before.1.file, &last.1.file, &weights.file].map(String::clone));
}

fn sha256(bytes: &[u8]) -> String {
    use sha2::{Digest, Sha256};
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The training time that a checkpoint has saved.
fn trained_for(checkpoint: &Path) -> Duration {
    let tensors = tch::Tensor::read_safetensors(checkpoint).unwrap();
    let (_, microseconds) = tensors.into_iter().find(|(name, _)| name == "microseconds").unwrap();
    Duration::from_micros(microseconds.int64_value(&[]) as u64)
}

#[test]
fn the_training_time_covers_all_attempts() {
    let folder = tempfile::tempdir().unwrap();
    let job = with_checkpoints(100, spec(opt("cayley"), json!({ "steps": 300 })));
    let mut runner = Runner::start();
    runner.resume(&job, Some(folder.path()), None);
    let began = Instant::now();
    runner.hear_until(|heard| heard.checkpoints.len() == 2);
    let first = began.elapsed();
    runner.kill();
    let (_, file) = newest(folder.path()).unwrap();
    let before = trained_for(&file);
    assert!(before > Duration::ZERO && before < first, "{before:?} of {first:?}");

    let mut runner = Runner::start();
    runner.resume(&job, Some(folder.path()), Some(file));
    let began = Instant::now();
    let seconds = runner.hear().summary().seconds;
    let all = before + began.elapsed();
    assert!(seconds > before.as_secs_f64() && seconds < all.as_secs_f64(), "{seconds} s of {all:?}");
}

#[test]
fn an_unusable_checkpoint_is_named_before_the_job_starts() {
    let folder = tempfile::tempdir().unwrap();
    let good = folder.path().join("good.safetensors");
    let job = |width: u64, momentum: f64, steps: u64| {
        let optimizer = json!({ "learning_rate": 0.05, "momentum": momentum });
        spec(opt("cayley"), json!({ "model": { "hidden": [width] }, "optimizer": optimizer, "steps": steps }))
    };
    let many = job(8, 0.9, 1_000_000);
    {
        let mut runner = Runner::start();
        runner.run_for_weights(&many, folder.path());
        runner.wait_for_progress();
        runner.pause();
        let file = runner.hear().checkpoints[0].1.file.clone();
        fs::rename(folder.path().join(file), &good).unwrap();
    }
    let bytes = fs::read(&good).unwrap();
    let with = |bytes: &[u8]| {
        let file = folder.path().join("bad.safetensors");
        fs::write(&file, bytes).unwrap();
        file
    };
    let other_name = replaced(&bytes, b"hidden1.bias.momentum", b"hidden9.bias.momentum");
    let other_version = replaced(&bytes, b"\"optlab_checkpoint\":\"2\"", b"\"optlab_checkpoint\":\"7\"");
    let other_kind = replaced(&bytes, b"optlab_checkpoint", b"optlab_checkpaint");

    let refused = |spec: &JobSpec, file: PathBuf, says: &str| {
        let mut runner = Runner::start();
        runner.resume(spec, None, Some(file.clone()));
        let heard = runner.hear();
        assert!(heard.refused_checkpoint);
        assert_eq!((heard.from, heard.failure().reason), (None, EndReason::RunnerCrashed));
        let error = heard.failure().error;
        assert!(
            error.contains(&file.display().to_string()) && error.contains(says),
            "{error} should say {says}"
        );
    };
    refused(&many, with(&bytes[..bytes.len() - 100]), "not a complete safetensors file");
    refused(&many, with(&[b"x", &bytes[..]].concat()), "not a complete safetensors file");
    refused(&many, with(&other_name), "no `hidden1.bias.momentum`");
    refused(&many, with(&other_version), "its version is 7");
    refused(&many, with(&other_kind), "another kind");
    // A job with other sizes, with less to remember, and with an end before this step.
    refused(
        &job(9, 0.9, 1_000_000),
        good.clone(),
        "`hidden1.weight.neurons` is [8, 64] of Float, but this job's is [9, 64] of Float",
    );
    refused(&job(8, 0.0, 1_000_000), good.clone(), "which this job does not have");
    refused(&job(8, 0.9, 1), good, "beyond the 1 of this job");
}

#[test]
fn a_checkpoint_that_this_machine_cannot_read_is_not_reported_as_unusable() {
    let folder = tempfile::tempdir().unwrap();
    for (file, says) in [("missing.safetensors", "No such file"), ("", "Is a directory")] {
        let mut runner = Runner::start();
        runner.resume(&endless(), None, Some(folder.path().join(file)));
        let heard = runner.hear();
        assert!(!heard.refused_checkpoint);
        let failure = heard.failure();
        assert_eq!(failure.reason, EndReason::MachineFault);
        assert!(failure.error.contains(says), "{}", failure.error);
    }
}

/// The bytes with one text in place of another of the same length.
fn replaced(bytes: &[u8], old: &[u8], new: &[u8]) -> Vec<u8> {
    assert_eq!(old.len(), new.len());
    let at = bytes.windows(old.len()).position(|window| window == old).expect("the text occurs");
    [&bytes[..at], new, &bytes[at + old.len()..]].concat()
}
