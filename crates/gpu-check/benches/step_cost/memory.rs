//! The peak memory of training, with each arm in a separate process.

use std::env;
use std::fs;
use std::process::Command;

use optlab_gpu_check::cost::{ARMS, NETWORKS, Network, Stepper, Trainer};
use tch::Device;

use crate::table::{head, row};

/// The argument with which this program starts itself to measure one arm.
pub const CHILD: &str = "--memory-of";

/// Prints the peak resident memory of a process that takes some steps.
pub fn compare() {
    println!("Peak resident memory of the process on the CPU, MB (libtorch itself included):\n");
    head([String::new()].into_iter().chain(NETWORKS.map(|network| network.title.to_owned())));
    for (arm, method) in ARMS {
        row([arm.to_owned()].into_iter().chain(NETWORKS.map(|network| of(network.name, method))));
    }
    println!();
}

fn of(network: &str, method: &str) -> String {
    let program = env::current_exe().expect("this program has a path");
    let output = Command::new(program).args([CHILD, network, method]).output().expect("this program runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// Takes some steps and prints the peak memory from the kernel.
pub fn report(network: &str, method: &str) {
    let network = Network::named(network).unwrap_or_else(|| panic!("no network `{network}`"));
    let trained = Trainer::new(&network, method, Device::Cpu).and_then(|mut trainer| trainer.steps(3));
    trained.unwrap_or_else(|error| panic!("{error}"));
    let status = fs::read_to_string("/proc/self/status").expect("Linux");
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("Linux reports the peak");
    let kilobytes: f64 = peak.trim_end_matches("kB").trim().parse().expect("a number of kB");
    println!("{:.0}", kilobytes / 1000.0);
}
