//! The cost of one layer by its size.

use std::time::Instant;

use optlab_opt::{EnergyConfig, hyperspherical_energy};
use optlab_runner::optimizer::Optimizer;
use optlab_runner::random::{self, Purpose};
use optlab_runner::start::Start;
use optlab_runner::weight::Weight;
use tch::{Device, Kind, Tensor};

use crate::ARMS;
use crate::table::{median, row};
use crate::trainer::{spec, synchronize};

const DIMENSIONS: [i64; 4] = [288, 576, 1152, 2048];
const NEURONS: i64 = 128;
const ROUNDS: usize = 7;

/// Prints the milliseconds that OPT adds to a step, from dL/dW to the next W, by the length of the neurons.
pub fn of_rotations(device: Device) {
    println!("Milliseconds from dL/dW to the next W of one layer of {NEURONS} neurons, by their length d:\n");
    row(["", "288", "576", "1152", "2048"].map(str::to_owned));
    row(["---"; 5].map(str::to_owned));
    for (arm, method) in ARMS.iter().filter(|(_, method)| method.contains(r#""opt""#)) {
        let cells = DIMENSIONS.map(|d| format!("{:.1}", of_rotation(method, d, device)));
        row([(*arm).to_owned(), cells[0].clone(), cells[1].clone(), cells[2].clone(), cells[3].clone()]);
    }
    println!();
}

fn of_rotation(method: &str, d: i64, device: Device) -> f64 {
    let data = format!(r#"{{"shape": [1, {}, 32], "classes": 10}}"#, d / 32);
    let job = spec(r#"{"kind": "mlp", "hidden": [1]}"#, &data, method);
    let start = Start { method: &job.method, seed: 0, device, updates: 0 };
    let mut weight = Weight::by_method(start, "layer", d, NEURONS).expect("libtorch works");
    let mut optimizer = Optimizer::new(&job.train.optimizer, None, &job.method, &mut [weight.trained()])
        .unwrap_or_else(|error| panic!("{error}"));
    let gradient = drawn(NEURONS, d, 1e-3, device);
    let mut times = Vec::new();
    for update in 1..=1 + ROUNDS as u64 {
        (weight.value() * &gradient).sum(Kind::Float).backward();
        synchronize(device);
        let began = Instant::now();
        optimizer.step(vec![weight.trained()], 1.0, update).expect("libtorch works");
        synchronize(device);
        times.push(1000.0 * began.elapsed().as_secs_f64());
    }
    median(&mut times[1..])
}

fn drawn(n: i64, d: i64, standard_deviation: f64, device: Device) -> Tensor {
    let stream = random::stream(0, Purpose::Neurons("benchmark"));
    random::gaussian(stream, [n, d], standard_deviation, device).expect("libtorch works")
}

/// Prints the milliseconds to measure a layer's energy, by its number of neurons.
pub fn of_energy(device: Device) {
    println!("Milliseconds of the energy of n neurons of length 512:\n");
    row(["n", "512", "1024", "2048", "4096"].map(str::to_owned));
    row(["---"; 5].map(str::to_owned));
    for (name, half_space) in [("whole sphere", false), ("half-space", true)] {
        let config = EnergyConfig { half_space, ..EnergyConfig::default() };
        let cells = [512, 1024, 2048, 4096].map(|n| {
            let weight = drawn(n, 512, 1.0, device);
            let mut times = [0.0; 5].map(|_| {
                let began = Instant::now();
                hyperspherical_energy(&weight, &config).expect("neurons are distinct");
                1000.0 * began.elapsed().as_secs_f64()
            });
            format!("{:.1}", median(&mut times))
        });
        row([name.to_owned(), cells[0].clone(), cells[1].clone(), cells[2].clone(), cells[3].clone()]);
    }
    println!();
}
