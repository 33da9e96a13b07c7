//! A training step of every arm, interleaved.

use std::io;

use optlab_gpu_check::cost::{
    ARMS, Contestant, Cost, NETWORKS, Network, Stepper, Trainer, compare as rounds,
};
use tch::Device;

use crate::table::{head, row};

const ROUNDS: usize = 9;

/// Prints a table with the milliseconds of the baseline, and every arm relative to it.
///
/// An arm's ratio is the median over the rounds of its time over the baseline's time in the same round.
pub fn compare(device: Device) {
    let columns = NETWORKS.map(|network| column(&network, device));
    println!(
        "Cost of a training step relative to the baseline, batch 128, median of {ROUNDS} interleaved rounds:\n"
    );
    head([String::new()].into_iter().chain(NETWORKS.map(|network| network.title.to_owned())));
    for (index, (arm, _)) in ARMS.iter().enumerate() {
        row([(*arm).to_owned()].into_iter().chain(columns.each_ref().map(|column| column[index].clone())));
    }
    println!();
}

fn column(network: &Network, device: Device) -> Vec<String> {
    let contestant = |(arm, method): (&str, &str)| {
        let trainer = Trainer::new(network, method, device);
        let stepper = trainer.map(|trainer| Box::new(trainer) as Box<dyn Stepper>);
        Contestant { name: arm.to_owned(), stepper }
    };
    let costs = rounds(ARMS.map(contestant).into(), ROUNDS, None, |round| {
        eprint!("\r{}: round {round} of {ROUNDS}", network.name);
    });
    eprintln!();
    let cell = |(index, cost): (usize, Cost)| match (index, cost.measured) {
        (_, Err(error)) => panic!("{error}"),
        (0, Ok(found)) => format!("{:.1} ms", found.milliseconds),
        (_, Ok(found)) => format!("{:.2}", found.ratio),
    };
    costs.into_iter().enumerate().map(cell).collect()
}

/// Answers each number of steps on standard input with the seconds that they took.
pub fn serve(network: &str, arm: &str, device: Device) {
    let network = Network::named(network).unwrap_or_else(|| panic!("no network `{network}`"));
    let (_, method) =
        (ARMS.iter().find(|(name, _)| *name == arm)).unwrap_or_else(|| panic!("no arm `{arm}`"));
    let mut trainer = Trainer::new(&network, method, device).unwrap_or_else(|error| panic!("{error}"));
    for line in io::stdin().lines() {
        let count = line.expect("the input is text").trim().parse().expect("a number of steps");
        let time = trainer.steps(count).unwrap_or_else(|error| panic!("{error}"));
        println!("{}", time.as_secs_f64());
    }
}
