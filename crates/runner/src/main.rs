//! `optlab-runner`: reads jobs from standard input and trains them; writes events to standard output and logs to
//! standard error. With `--probe`, it prints the devices of this machine.

use std::env;
use std::io::{self, IsTerminal};
use std::process::ExitCode;
use std::sync::Arc;

use optlab_data::Library;
use optlab_runner::data::DataSource;
use optlab_runner::inbox::Inbox;
use optlab_runner::pipe::EventPipe;
use optlab_runner::{environment, libtorch, serve};
use signal_hook::consts::SIGTERM;
use tracing::Level;

const USAGE: &str = "optlab-runner takes one JSON command a line on standard input (crates/spec/src/protocol)
and answers with one JSON event a line. It is started by `optlab serve`, `optlab demo` and `optlab train`.

    optlab-runner            run jobs until the input ends
    optlab-runner --probe    one line of JSON: protocol, libtorch, devices, threads, unusable_gpus";

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => end(run()),
        ["--probe"] => end(probe()),
        ["--help" | "-h"] => {
            println!("{USAGE}");
            ExitCode::SUCCESS
        }
        _ => {
            eprintln!("{USAGE}");
            ExitCode::from(2)
        }
    }
}

fn run() -> io::Result<()> {
    // First, so that no library can write into the protocol.
    let mut pipe = EventPipe::take_stdout()?;
    // Slurm sends this signal to every process of a job, and the worker then asks for a checkpoint. Without the worker,
    // the input ends.
    signal_hook::flag::register(SIGTERM, Arc::default())?;
    log(Level::INFO);
    libtorch::prepare();
    serve::serve(&mut DataSource::new(Library::from_env()), &Inbox::of_stdin(), &mut pipe)
}

fn probe() -> io::Result<()> {
    let mut pipe = EventPipe::take_stdout()?;
    // Reports why libtorch finds no GPU.
    log(Level::DEBUG);
    libtorch::prepare();
    pipe.line(&environment::probe())
}

fn log(most: Level) {
    let subscriber = tracing_subscriber::fmt().with_max_level(most);
    subscriber.with_writer(io::stderr).with_ansi(io::stderr().is_terminal()).init();
}

fn end(result: io::Result<()>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("optlab-runner: {error}");
            ExitCode::FAILURE
        }
    }
}
