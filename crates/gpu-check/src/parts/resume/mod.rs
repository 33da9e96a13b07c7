//! Whether two equal runs on the device agree, and a run that was killed and resumed with one that was not.

mod repeats;

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use optlab_domain::series;
use optlab_spec::JobSpec;
use optlab_spec::protocol::{Event, Point};
use serde_json::json;

use crate::cost::trainer::spec;
use crate::cost::{Network, TINY_NETWORKS};
use crate::error::CheckError;
use crate::runner_process::{Files, Runner};
use crate::setting::Setting;

const UPDATES: u64 = 40;
/// Updates between two checkpoints; the runner is killed after the first.
const CHECKPOINT: u64 = 15;

/// A loss of a resumed run may differ by this many times as much as that of a second run. On a GPU, some kernels add in an
/// order that changes, and training makes the differences grow.
const TIMES: f64 = 10.0;
/// A relative difference that passes in any case.
const LEAST: f64 = 1e-3;

const NETWORK: Network = Network {
    name: "cnn6-16",
    title: "cnn6 16/32/64",
    model: r#"{"kind": "cnn6", "width": 16}"#,
    data: r#"{"shape": [3, 32, 32], "classes": 10}"#,
};

/// Each way to keep state from one update to the next.
const ARMS: [(&str, &str); 6] = [
    ("baseline", r#"{"kind": "baseline"}"#),
    ("cayley", r#"{"kind": "opt", "transform": "cayley"}"#),
    ("gram_schmidt", r#"{"kind": "opt", "transform": "gram_schmidt"}"#),
    ("descent", r#"{"kind": "opt", "transform": "descent"}"#),
    (
        "s-opt",
        r#"{"kind": "opt", "transform": "cayley", "stochastic": {"fraction": 0.25, "inner_steps": 10}}"#,
    ),
    ("lowdin, polynomial", r#"{"kind": "opt", "transform": "lowdin", "form": "polynomial"}"#),
];

pub fn run(setting: &mut Setting) -> Result<(), CheckError> {
    repeats::run(setting)?;
    let network = if setting.tiny { TINY_NETWORKS[1] } else { NETWORK };
    let mut first = Runner::start(&setting.programs.runner())?;
    let mut second = Runner::start(&setting.programs.runner())?;
    for (arm, method) in ARMS {
        if setting.is_over() {
            break;
        }
        let job = job(&network, method);
        let name = format!("{}, {arm}", network.title);
        let whole = whole(setting, &mut first, &job, &format!("{arm}-first"))?;
        let again = self::whole(setting, &mut second, &job, &format!("{arm}-second"))?;
        let repeated = Difference::between(&whole, &again);
        record(setting, &name, "second run", &repeated, None)?;
        let resumed;
        (second, resumed) = resumed_by_another(setting, second, &job, arm)?;
        let bound = (TIMES * repeated.largest).max(LEAST);
        record(setting, &name, "killed and resumed", &Difference::between(&whole, &resumed), Some(bound))?;
    }
    Ok(())
}

fn job(network: &Network, method: &str) -> JobSpec {
    let mut job = spec(network, method);
    job.train.steps = Some(UPDATES);
    job.train.energy.every_steps = UPDATES;
    job
}

/// What a run leaves: its points, and the digest of its weights.
#[derive(Debug, Default)]
struct Left {
    points: Vec<Point>,
    weights: Option<String>,
}

impl Left {
    fn add(&mut self, events: &[Event]) -> Result<(), CheckError> {
        for event in events {
            match event {
                Event::Flush { points, .. } => self.points.extend_from_slice(points),
                Event::Finished { summary } => {
                    self.weights = summary.weights.as_ref().map(|file| file.sha256.clone());
                }
                Event::Failed(failure) => return Err(CheckError::Program(failure.error.clone())),
                _ => {}
            }
        }
        Ok(())
    }

    /// Values by series and step, without timing.
    fn values(&self) -> BTreeMap<(&str, u64), f64> {
        let points = self.points.iter().filter(|point| point.series != series::SAMPLES_PER_SECOND);
        points.map(|point| ((point.series.as_str(), point.step), point.value)).collect()
    }
}

fn new_folder(setting: &Setting, name: &str) -> Result<PathBuf, CheckError> {
    let folder = setting.folder.join(name.replace([' ', ','], "-"));
    fs::create_dir_all(&folder)?;
    Ok(folder)
}

fn whole(setting: &Setting, runner: &mut Runner, job: &JobSpec, name: &str) -> Result<Left, CheckError> {
    let files = Files { folder: Some(new_folder(setting, name)?), resume_from: None };
    runner.run(setting.runner_device, job, files)?;
    let mut left = Left::default();
    left.add(&runner.events_until(|_| false)?)?;
    Ok(left)
}

/// Kills `runner` after its first checkpoint, and resumes in another process, which is returned.
fn resumed_by_another(
    setting: &Setting,
    mut runner: Runner,
    job: &JobSpec,
    arm: &str,
) -> Result<(Runner, Left), CheckError> {
    let folder = new_folder(setting, &format!("{arm}-killed"))?;
    let mut killed = job.clone();
    killed.checkpoint.every_steps = Some(CHECKPOINT);
    let files = Files { folder: Some(folder.clone()), resume_from: None };
    runner.run(setting.runner_device, &killed, files)?;
    let events = runner.events_until(|event| matches!(event, Event::Checkpoint { .. }))?;
    runner.kill()?;
    let mut left = Left::default();
    left.add(&events)?;
    let Some(Event::Checkpoint { file, .. }) = events.last() else {
        return Err(CheckError::Program("the runner has written no checkpoint".to_owned()));
    };
    let files = Files {
        folder: Some(new_folder(setting, &format!("{arm}-resumed"))?),
        resume_from: Some(folder.join(file)),
    };
    let mut other = Runner::start(&setting.programs.runner())?;
    other.run(setting.runner_device, job, files)?;
    left.add(&other.events_until(|_| false)?)?;
    Ok((other, left))
}

/// How two runs differ.
struct Difference {
    same_points: bool,
    points: usize,
    /// Points that differ in a bit.
    different: usize,
    /// The largest relative difference of a loss.
    largest: f64,
    same_weights: bool,
}

impl Difference {
    fn between(whole: &Left, other: &Left) -> Self {
        let (expected, found) = (whole.values(), other.values());
        let bits = |value: Option<&f64>| value.map(|value| value.to_bits());
        let losses = found.iter().filter(|((series, _), _)| *series == series::TRAIN_LOSS);
        let differences =
            losses.map(|(key, value)| (value / expected.get(key).unwrap_or(&f64::NAN) - 1.0).abs());
        Self {
            same_points: expected.keys().eq(found.keys()),
            points: found.len(),
            different: found
                .iter()
                .filter(|(key, value)| bits(expected.get(key)) != bits(Some(value)))
                .count(),
            largest: differences
                .fold(0.0, |most: f64, one| if one.is_nan() || one > most { one } else { most }),
            same_weights: whole.weights.is_some() && whole.weights == other.weights,
        }
    }
}

/// On a CPU, all bits must be equal. On a GPU, losses of a resumed run must be within `bound`.
fn record(
    setting: &mut Setting,
    name: &str,
    what: &str,
    found: &Difference,
    bound: Option<f64>,
) -> Result<(), CheckError> {
    let passed = match (setting.on_gpu(), bound) {
        (false, _) => Some(found.same_points && found.different == 0 && found.same_weights),
        (true, Some(bound)) => Some(found.same_points && found.largest <= bound),
        (true, None) => None,
    };
    let cells = json!({
        "what": name, "compared": what, "points": found.points, "different_points": found.different,
        "largest_difference_of_a_loss": found.largest, "same_bits_of_weights": found.same_weights,
    });
    setting.records.row("against an uninterrupted run", passed, cells)
}
