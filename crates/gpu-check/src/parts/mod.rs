//! The parts: one file each.

mod environment;
mod cost;
mod transforms;
mod training;
mod resume;
mod memory;
mod service;
mod launches;
mod growth;
mod experiment;

use std::io;
use std::thread;
use std::time::Duration;

use optlab_domain::Device;
use optlab_runner::{clock, environment as devices, libtorch};
use rustix::process::{Signal, getpgrp, kill_process_group};

use crate::error::CheckError;
use crate::options::Options;
use crate::part::Part;
use crate::programs::Programs;
use crate::record::{ROWS, Records};
use crate::setting::Setting;

/// Runs a part in this process.
///
/// # Errors
/// Whatever leaves it without its rows.
pub fn run(part: Part, options: &Options) -> Result<(), CheckError> {
    let until = clock::instant() + Duration::from_secs_f64(options.seconds.unwrap_or(0.0));
    end_with_starter();
    tracing_subscriber::fmt().with_writer(io::stderr).with_ansi(false).init();
    libtorch::prepare();
    let runner_device = options.device.unwrap_or(Device::Cpu);
    let folder = part.work_folder(&options.output);
    let mut setting = Setting {
        device: devices::of_libtorch(runner_device)?,
        runner_device,
        tiny: options.tiny,
        until,
        kept: part.kept_folder(&options.output),
        programs: Programs::find()?,
        python: options.python.clone(),
        records: Records::append_to(&folder.join(ROWS))?,
        folder,
    };
    match part {
        Part::Environment => environment::run(&mut setting),
        Part::Cost => cost::run(&mut setting),
        Part::Transforms => transforms::run(&mut setting),
        Part::Training => training::run(&mut setting),
        Part::Resume => resume::run(&mut setting),
        Part::Memory => memory::run(&mut setting),
        Part::Service => service::run(&mut setting),
        Part::Launches => launches::run(&mut setting),
        Part::Growth => growth::run(&mut setting),
        Part::Experiment => experiment::run(&mut setting),
    }
}

/// Ends the group of this process, which is its own, when the process that started it has ended, for example by Ctrl-C.
fn end_with_starter() {
    thread::spawn(|| {
        let _ = io::copy(&mut io::stdin(), &mut io::sink());
        let _ = kill_process_group(getpgrp(), Signal::KILL);
    });
}
