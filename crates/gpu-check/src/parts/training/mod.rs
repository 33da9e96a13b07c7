//! Training steps on the device against the same on the CPU: every arm, model and option.

mod steps;

#[path = "../../../../runner/tests/support/factors.rs"]
#[expect(dead_code, reason = "written for the tests of resuming, which use more of it")]
mod factors;
#[path = "../../../../runner/tests/support/pairs.rs"]
mod pairs;

use std::thread;
use std::time::Instant;

use optlab_runner::clock;
use optlab_spec::{JobSpec, OptimizerSpec, Precision};
use serde_json::json;
use tch::Device;

use self::factors::{FACTORS, STEPS};
use crate::cost::trainer::spec;
use crate::cost::{ARMS, NETWORKS, Network};
use crate::error::{CheckError, caught};
use crate::setting::Setting;

/// Samples of an update of the networks of the benchmark.
const BATCH: u64 = 32;
const UPDATES: u64 = 10;
/// High enough that a wrong gradient shows.
const LEARNING_RATE: f64 = 0.02;

/// A loss may differ from the CPU's by this many times as much as when the CPU starts from disturbed weights. Training
/// makes differences grow from step to step, by how much depends on the job.
const TIMES: f64 = 10.0;

/// The networks of which every arm is trained. Where the neurons are longer, the exact form of Löwdin takes minutes on a
/// CPU.
const MODELS: [Network; 3] = [
    NETWORKS[0],
    Network {
        name: "cnn6-16",
        title: "cnn6 16/32/64",
        model: r#"{"kind": "cnn6", "width": 16}"#,
        ..NETWORKS[1]
    },
    NETWORKS[3],
];
/// The arm that is trained last.
const SLOWEST: &str = "lowdin";
/// Jobs with pairs of options that a tiny run checks.
const TINY_PAIRS: usize = 12;

pub fn run(setting: &mut Setting) -> Result<(), CheckError> {
    if setting.tiny {
        return options(setting);
    }
    let half = clock::instant() + setting.left() / 2;
    arms(setting, half, |arm| arm != SLOWEST)?;
    options(setting)?;
    arms(setting, setting.until, |arm| arm == SLOWEST)
}

/// Every arm that is `wanted`, on every model; begins none after `until`.
fn arms(setting: &mut Setting, until: Instant, wanted: impl Fn(&str) -> bool) -> Result<(), CheckError> {
    tch::set_num_threads(thread::available_parallelism().map_or(1, usize::from) as i32);
    for network in MODELS {
        for (arm, method) in ARMS.into_iter().filter(|(arm, _)| wanted(arm)) {
            if clock::instant() >= until {
                return Ok(());
            }
            compare(setting, "arms", &format!("{}, {arm}", network.title), &of_arm(&network, method))?;
        }
    }
    Ok(())
}

/// Jobs that hold every pair of options.
fn options(setting: &mut Setting) -> Result<(), CheckError> {
    // The jobs are so small that a second thread only gets in the way.
    tch::set_num_threads(1);
    let rows = pairs::pairs(&FACTORS.map(<[_]>::len), |row| factors::job(row).is_some());
    let wanted = if setting.tiny { TINY_PAIRS } else { rows.len() };
    for row in &rows[..wanted] {
        if setting.is_over() {
            break;
        }
        if let Some(job) = factors::job(row) {
            let options = row.iter().zip(FACTORS).map(|(&option, factor)| factor[option]);
            let options: Vec<&str> = options.filter(|option| *option != "{}").collect();
            compare(setting, "every pair of options", &options.join(" "), &job)?;
        }
    }
    Ok(())
}

fn of_arm(network: &Network, method: &str) -> JobSpec {
    let mut job = spec(network, method);
    job.train.batch_size = BATCH;
    job.train.steps = Some(UPDATES);
    if let OptimizerSpec::Sgd { learning_rate, .. } = &mut job.train.optimizer {
        *learning_rate = LEARNING_RATE;
    }
    job
}

/// Trains on the CPU, with and without a disturbance, and on the device.
fn compare(setting: &mut Setting, table: &str, what: &str, job: &JobSpec) -> Result<(), CheckError> {
    let (device, bounds) = (setting.device, Bounds::of(job.train.precision));
    let train = |device, disturbance| steps::train(job, device, STEPS, disturbance);
    let trained = caught(|| {
        Ok((train(Device::Cpu, 0.0)?, train(Device::Cpu, bounds.disturbance)?, train(device, 0.0)?))
    });
    match trained {
        Ok((cpu, disturbed, found)) => {
            let first = (found.losses[0] / cpu.losses[0] - 1.0).abs();
            let (difference, of_disturbed) = (found.difference(&cpu), disturbed.difference(&cpu));
            let passed = first <= bounds.least && difference <= (TIMES * of_disturbed).max(bounds.least);
            let cells = json!({
                "what": what, "first_loss": found.losses.first(), "last_loss": found.losses.last(),
                "difference_of_the_first_loss": first, "largest_difference_of_a_loss": difference,
                "largest_of_a_disturbed_cpu": of_disturbed,
                "difference_of_weights": found.difference_of_weights(&cpu)?,
            });
            setting.records.row(table, Some(passed), cells)
        }
        Err(error) => setting.records.failed(table, what, &error),
    }
}

/// What passes in a precision.
struct Bounds {
    /// Relative change of every number of the first network that stands for the roundings of a step.
    disturbance: f64,
    /// A difference that passes in any case.
    least: f64,
}

impl Bounds {
    fn of(precision: Precision) -> Self {
        match precision {
            Precision::Float32 | Precision::Tf32 => Self { disturbance: 1e-6, least: 1e-4 },
            Precision::Bfloat16 => Self { disturbance: 4e-3, least: 5e-2 },
        }
    }
}
