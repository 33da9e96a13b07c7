//! The peak memory of training, with each arm in a separate process.

use std::env;
use std::fs;
use std::process::Command;

use tch::Device;

use crate::ARMS;
use crate::table::row;
use crate::trainer::{NETWORKS, Trainer};

/// The argument with which this program starts itself to measure one arm.
pub const CHILD: &str = "--memory-of";

/// Prints the peak resident memory of a process that takes some steps.
pub fn compare() {
    println!("Peak resident memory of the process on the CPU, MB (libtorch itself included):\n");
    row(["", "mlp", "cnn6 32/64/128", "cnn6 64/64/64"].map(str::to_owned));
    row(["---"; 4].map(str::to_owned));
    for (arm, method) in ARMS {
        let cells = NETWORKS.map(|(network, ..)| of(network, method));
        row([arm.to_owned(), cells[0].clone(), cells[1].clone(), cells[2].clone()]);
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
    Trainer::new(network, method, Device::Cpu).time(3);
    let status = fs::read_to_string("/proc/self/status").expect("Linux");
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("Linux reports the peak");
    let kilobytes: f64 = peak.trim_end_matches("kB").trim().parse().expect("a number of kB");
    println!("{:.0}", kilobytes / 1000.0);
}
