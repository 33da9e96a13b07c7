//! A job of the benchmark, with the training step of the product.

use std::time::Duration;

use optlab_data::{Library, Silent};
use optlab_runner::data::DataSource;
use optlab_runner::job::Job;
use optlab_runner::{clock, training};
use optlab_spec::{ExperimentSpec, JobSpec};
use serde_json::{Value, json};
use tch::{Cuda, Device};

use super::networks::Network;
use super::rounds::Stepper;
use crate::error::{CheckError, caught};

/// One arm on one network.
pub struct Trainer {
    job: Job<'static>,
    step: u64,
    device: Device,
}

impl Trainer {
    /// A job before its first step; `method` as a spec has it.
    ///
    /// # Errors
    /// Those of the job.
    pub fn new(network: &Network, method: &str, device: Device) -> Result<Self, CheckError> {
        // The job borrows its spec; a benchmark makes few of them.
        let spec = Box::leak(Box::new(spec(network, method)));
        caught(|| {
            let mut source = DataSource::new(Library::from_env());
            Ok(Self { job: Job::prepare(spec, device, &mut source, &mut Silent)?, step: 0, device })
        })
    }
}

impl Stepper for Trainer {
    fn steps(&mut self, count: u64) -> Result<Duration, CheckError> {
        caught(|| {
            let began = clock::instant();
            for _ in 0..count {
                self.step += 1;
                training::update(&mut self.job, self.step, |_| ())?;
            }
            synchronize(self.device);
            Ok(began.elapsed())
        })
    }
}

/// The job of an arm: SGD with momentum and decay, batch 128, on random data. The rate is low, as late in a training:
/// at a high one, the polynomial form of Löwdin leaves its range in the first steps and costs as much as the exact
/// form.
pub fn spec(network: &Network, method: &str) -> JobSpec {
    let parse = |text: &str| serde_json::from_str::<Value>(text).expect("written here");
    let data = optlab_spec::merge(json!({ "name": "synthetic", "samples": 2560 }), &parse(network.data));
    let optimizer = json!({ "learning_rate": 1e-4, "momentum": 0.9, "weight_decay": 5e-4 });
    let train = json!({
        "steps": 1_000_000, "batch_size": 128, "data": data, "model": parse(network.model), "optimizer": optimizer,
    });
    let arms = json!([{ "name": "arm", "method": parse(method) }]);
    let spec = ExperimentSpec::from_value(&json!({ "name": "benchmark", "train": train, "arms": arms }));
    spec.unwrap_or_else(|problems| panic!("{problems}")).jobs().swap_remove(0)
}

/// Waits for the device.
pub fn synchronize(device: Device) {
    if let Device::Cuda(index) = device {
        Cuda::synchronize(index as i64);
    }
}
