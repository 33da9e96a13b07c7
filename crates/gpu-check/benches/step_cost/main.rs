//! The cost of a training step: `cargo bench --bench step_cost [-- WHAT... --device cuda:0]`.
//!
//! WHAT is any of `steps`, `growth`, `energy` and `memory`; without one, all are run. Tables are in Markdown, for
//! docs/benchmarks.md. On the CPU, one thread is used. With `--serve NETWORK ARM`, the program reads numbers of steps
//! and answers each with the seconds that they took, for benches/peers.

#![expect(clippy::disallowed_methods, reason = "measures how long things take")]

mod growth;
mod memory;
mod steps;
mod table;

use std::env;
use std::os::unix::process::CommandExt;
use std::process::Command;

use optlab_domain::Device;
use optlab_runner::{environment, libtorch};
use optlab_spec::Precision;
use optlab_spec::protocol::environment_of;

fn main() {
    let (variables, _) = environment_of(Precision::Float32);
    if variables.iter().any(|(name, _)| env::var_os(name).is_none()) {
        // libtorch reads them when it is loaded, so this program restarts itself.
        let mut again = Command::new(env::current_exe().expect("this program has a path"));
        panic!("{}", again.args(env::args_os().skip(1)).envs(variables).exec());
    }
    libtorch::prepare();
    tch::set_num_threads(1);
    let mut arguments = env::args().skip(1).filter(|argument| argument != "--bench");
    let mut wanted = Vec::new();
    let mut asked = Device::Cpu;
    let device = |asked| environment::of_libtorch(asked).unwrap_or_else(|error| panic!("{error}"));
    while let Some(argument) = arguments.next() {
        let mut next = || arguments.next().unwrap_or_else(|| panic!("{argument} needs a value"));
        match argument.as_str() {
            "--device" => asked = next().parse().unwrap_or_else(|error| panic!("{error}")),
            "--serve" => return steps::serve(&next(), &next(), device(asked)),
            memory::CHILD => return memory::report(&next(), &next()),
            "steps" | "growth" | "energy" | "memory" => wanted.push(argument),
            _ => panic!("`{argument}` is not one of steps, growth, energy, memory, --device DEVICE"),
        }
    }
    let wants = |what: &str| wanted.is_empty() || wanted.iter().any(|word| word == what);
    let device = device(asked);
    let found = environment::environment(asked, 1);
    println!("{}, libtorch {}, optlab {}\n", found.device_name, found.libtorch, found.optlab);
    if wants("steps") {
        steps::compare(device);
    }
    if wants("growth") {
        growth::of_rotations(device);
    }
    if wants("energy") {
        growth::of_energy(device);
    }
    if wants("memory") {
        memory::compare();
    }
}
