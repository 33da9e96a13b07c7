//! `optlab-gpu-check`: the program that `gpu-check` of the archive starts, see docs/gpu.md.

use std::process::ExitCode;

use clap::Parser;
use optlab_gpu_check::options::Options;
use optlab_gpu_check::{check, parts};

fn main() -> ExitCode {
    let options = Options::parse();
    let result = match options.part {
        Some(part) => parts::run(part, &options).map(|()| true),
        None => check::run(&options),
    };
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("gpu-check: {error}");
            ExitCode::from(2)
        }
    }
}
