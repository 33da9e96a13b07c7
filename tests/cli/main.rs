//! The command line.

#[path = "../support/mod.rs"]
mod support;

mod training;
mod experiments;
mod notebook;
mod copies;
mod usage;
mod data;
mod doctor;

use std::process::{Command, Output};

use support::OPTLAB;
use tempfile::TempDir;

fn optlab(folder: &TempDir, args: &[&str]) -> Output {
    Command::new(OPTLAB).args(args).current_dir(folder.path()).output().unwrap()
}

fn out(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn err(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}
