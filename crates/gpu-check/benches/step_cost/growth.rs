//! The cost of one layer by its size.

use std::time::Instant;

use optlab_gpu_check::cost::layer::{DIMENSIONS, NEURONS, drawn, of_rotation};
use optlab_gpu_check::cost::{ARMS, median};
use optlab_opt::{EnergyConfig, hyperspherical_energy};
use tch::Device;

use crate::table::{head, row};

const ROUNDS: u64 = 7;

/// Prints the milliseconds that OPT adds to a step, from dL/dW to the next W, by the length of the neurons.
pub fn of_rotations(device: Device) {
    println!("Milliseconds from dL/dW to the next W of one layer of {NEURONS} neurons, by their length d:\n");
    head(["", "288", "576", "1152", "2048"].map(str::to_owned));
    for (arm, method) in ARMS.iter().filter(|(_, method)| method.contains(r#""opt""#)) {
        let cells = DIMENSIONS.map(|d| {
            let found = of_rotation(method, d, device, ROUNDS).unwrap_or_else(|error| panic!("{error}"));
            format!("{found:.1}")
        });
        row([(*arm).to_owned()].into_iter().chain(cells));
    }
    println!();
}

/// Prints the milliseconds to measure a layer's energy, by its number of neurons.
pub fn of_energy(device: Device) {
    println!("Milliseconds of the energy of n neurons of length 512:\n");
    head(["n", "512", "1024", "2048", "4096"].map(str::to_owned));
    for (name, half_space) in [("whole sphere", false), ("half-space", true)] {
        let config = EnergyConfig { half_space, ..EnergyConfig::default() };
        let cells = [512, 1024, 2048, 4096].map(|n| {
            let weight = drawn(n, 512, 1.0, device).expect("libtorch works");
            let mut times = [0.0; 5].map(|_| {
                let began = Instant::now();
                hyperspherical_energy(&weight, &config).expect("neurons are distinct");
                1000.0 * began.elapsed().as_secs_f64()
            });
            format!("{:.1}", median(&mut times))
        });
        row([name.to_owned()].into_iter().chain(cells));
    }
    println!();
}
