//! A job of the benchmark, with the training step of the product.

use std::time::{Duration, Instant};

use optlab_data::Silent;
use optlab_runner::job::Job;
use optlab_runner::training;
use optlab_spec::{ExperimentSpec, JobSpec};
use serde_json::{Value, json};
use tch::{Cuda, Device};

/// Networks by name: the model and its data.
pub const NETWORKS: [(&str, &str, &str); 3] = [
    ("mlp", r#"{"kind": "mlp", "hidden": [256, 256]}"#, r#"{"shape": [1, 28, 28], "classes": 10}"#),
    ("cnn6", r#"{"kind": "cnn6", "width": 32}"#, r#"{"shape": [3, 32, 32], "classes": 100}"#),
    ("cnn6-64", r#"{"kind": "cnn6", "widths": [64, 64, 64]}"#, r#"{"shape": [3, 32, 32], "classes": 100}"#),
];

/// One arm on one network.
pub struct Trainer {
    job: Job<'static>,
    step: u64,
    device: Device,
}

impl Trainer {
    pub fn new(network: &str, method: &str, device: Device) -> Self {
        let (_, model, data) = (NETWORKS.iter().find(|(name, ..)| *name == network))
            .unwrap_or_else(|| panic!("`{network}` is not one of mlp, cnn6 and cnn6-64"));
        let spec = Box::leak(Box::new(spec(model, data, method)));
        let job = Job::prepare(spec, device, &mut Silent).unwrap_or_else(|error| panic!("{error}"));
        Self { job, step: 0, device }
    }

    /// The time that `count` steps take.
    pub fn time(&mut self, count: u64) -> Duration {
        let began = Instant::now();
        for _ in 0..count {
            self.step += 1;
            training::update(&mut self.job, self.step, |_| ()).unwrap_or_else(|error| panic!("{error}"));
        }
        synchronize(self.device);
        began.elapsed()
    }
}

/// The job of an arm: SGD with momentum and decay, batch 128, on random data. The rate is low, as late in a training:
/// at a high one, the polynomial form of Löwdin leaves its range in the first steps and costs as much as the exact
/// form.
pub fn spec(model: &str, data: &str, method: &str) -> JobSpec {
    let parse = |text: &str| serde_json::from_str::<Value>(text).expect("written here");
    let data = optlab_spec::merge(json!({ "name": "synthetic", "samples": 2560 }), &parse(data));
    let optimizer = json!({ "learning_rate": 1e-4, "momentum": 0.9, "weight_decay": 5e-4 });
    let train = json!({
        "steps": 1_000_000, "batch_size": 128, "data": data, "model": parse(model), "optimizer": optimizer,
    });
    let arms = json!([{ "name": "arm", "method": parse(method) }]);
    let spec = ExperimentSpec::from_value(&json!({ "name": "benchmark", "train": train, "arms": arms }));
    spec.unwrap_or_else(|problems| panic!("{problems}")).jobs().next().expect("one arm and one seed")
}

/// Waits for the device.
pub fn synchronize(device: Device) {
    if let Device::Cuda(index) = device {
        Cuda::synchronize(index as i64);
    }
}
