//! A training step of every arm, interleaved.

use std::io;

use tch::Device;

use crate::ARMS;
use crate::table::{median, row};
use crate::trainer::{NETWORKS, Trainer};

const ROUNDS: usize = 9;

/// Prints a table with the milliseconds of the baseline, and every arm relative to it.
///
/// An arm's ratio is the median over the rounds of its time over the baseline's time in the same round.
pub fn compare(device: Device) {
    let columns = NETWORKS.map(|(network, ..)| column(network, device));
    println!(
        "Cost of a training step relative to the baseline, batch 128, median of {ROUNDS} interleaved rounds:\n"
    );
    row(["", "mlp", "cnn6 32/64/128", "cnn6 64/64/64"].map(str::to_owned));
    row(["---"; 4].map(str::to_owned));
    for (index, (arm, _)) in ARMS.iter().enumerate() {
        let [mlp, cnn6, cnn6_64] = columns.each_ref().map(|column| column[index].clone());
        row([(*arm).to_owned(), mlp, cnn6, cnn6_64]);
    }
    println!();
}

fn column(network: &str, device: Device) -> Vec<String> {
    // The perceptron's step is short: ten of them are one measurement.
    let steps = if network == "mlp" { 10 } else { 1 };
    let mut trainers = ARMS.map(|(_, method)| Trainer::new(network, method, device));
    let mut ratios: Vec<Vec<f64>> = vec![Vec::new(); ARMS.len()];
    let mut plain = Vec::new();
    for trainer in &mut trainers {
        trainer.time(2);
    }
    for round in 1..=ROUNDS {
        let baseline = trainers[0].time(steps).as_secs_f64();
        plain.push(1000.0 * baseline / steps as f64);
        for (trainer, ratios) in trainers.iter_mut().zip(&mut ratios).skip(1) {
            ratios.push(trainer.time(steps).as_secs_f64() / baseline);
        }
        eprint!("\r{network}: round {round} of {ROUNDS}");
    }
    eprintln!();
    let cell = |(index, ratios): (usize, &mut Vec<f64>)| match index {
        0 => format!("{:.1} ms", median(&mut plain)),
        _ => format!("{:.2}", median(ratios)),
    };
    ratios.iter_mut().enumerate().map(cell).collect()
}

/// Answers each number of steps on standard input with the seconds that they took.
pub fn serve(network: &str, arm: &str, device: Device) {
    let (_, method) =
        (ARMS.iter().find(|(name, _)| *name == arm)).unwrap_or_else(|| panic!("no arm `{arm}`"));
    let mut trainer = Trainer::new(network, method, device);
    for line in io::stdin().lines() {
        let count = line.expect("the input is text").trim().parse().expect("a number of steps");
        println!("{}", trainer.time(count).as_secs_f64());
    }
}
