//! The command line.

mod demo;
mod serve;
mod train;
mod worker;

mod add_seeds;
mod compare;
mod experiments;
mod export;
mod import;
mod jobs;
mod logs;
mod priority;
mod query_child;
mod sql;
mod steer;
mod submit;
mod watch;

mod backup;
mod data;
mod doctor;
mod migrate;
mod recipes;
mod thin;
mod token;

mod waiting;
mod progress;

mod client;
mod figures;
mod input;
mod output;
mod signals;
mod spec;
mod table;
mod unfinished;

use std::env;
use std::process::ExitCode;

use clap::builder::Resettable;
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use optlab_domain::Action;
use optlab_net::NetError;
use optlab_spec::Problems;
use optlab_spec::submission::Refusal;

use crate::config::ConfigError;
use crate::telemetry;

/// Controlled experiments on Orthogonal Over-Parameterized Training: queue, train, compare.
#[derive(Parser)]
#[command(version, max_term_width = 100)]
struct Cli {
    /// What is logged, in the syntax of `tracing` [default: info for serve and worker, else warn]
    #[arg(long, env = "OPTLAB_LOG", global = true, value_name = "FILTER")]
    log: Option<String>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Start a server, run the demo experiment, show the result and keep serving
    Demo(demo::Args),
    /// Answer HTTP, show the dashboard and train what is submitted
    Serve(serve::Args),
    /// Train what is submitted to a server elsewhere
    Worker(worker::Args),
    /// Train one arm with one seed here, without a server; files go under ./runs/
    Train(train::Args),
    /// Send an experiment to a server
    Submit(submit::Args),
    /// Stay until an experiment has ended, and compare its arms
    Watch(watch::Args),
    /// Add seeds to every arm of an experiment
    AddSeeds(add_seeds::Args),
    /// List the experiments of a server
    Experiments(experiments::Args),
    /// List the jobs of a server, or of an experiment
    Jobs(jobs::Args),
    /// Stop jobs for good
    Cancel(steer::Args),
    /// Stop jobs until they are resumed
    Pause(steer::Args),
    /// Let paused jobs go on
    Resume(steer::Args),
    /// Queue failed and cancelled jobs again
    Retry(steer::Args),
    /// Move an experiment's jobs forward or back in the queue
    Priority(priority::Args),
    /// Show what the runner of a job has said
    Logs(logs::Args),
    /// Compare the arms of an experiment
    Compare(compare::Args),
    /// Ask the database of a server in SQL
    Sql(sql::Args),
    /// Write an experiment to a file: every point, for other programs or another server
    Export(export::Args),
    /// Bring the experiment of a Parquet file to a server
    Import(import::Args),
    /// List the built-in experiments, or show one
    Recipes(recipes::Args),
    /// List, fetch or verify the data sets
    Data(data::Args),
    /// Bring the schema of a database up to date
    Migrate(migrate::Args),
    /// Copy the database, also while a server runs
    Backup(backup::Args),
    /// Thin the curves of an old experiment out
    Thin(thin::Args),
    /// Make, list and revoke tokens, which a server that other machines reach asks for
    Token(token::Args),
    /// Say what is missing on this machine and what to type
    Doctor(doctor::Args),
    /// Answer one query for the server that has started this process
    #[command(hide = true)]
    QueryChild(query_child::Args),
}

/// Why a command did not do what it should.
enum Failure {
    /// The command or the spec is wrong: exit status 2.
    Usage(String),
    /// Something else went wrong: exit status 1.
    Other(anyhow::Error),
    /// What went wrong has been said already: exit status 1.
    Told,
}

impl<E: Into<anyhow::Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        let error = error.into();
        let is_usage = error.is::<Problems>() || error.is::<Refusal>() || error.is::<ConfigError>();
        if is_usage || error.is::<NetError>() {
            return Self::Usage(error.to_string());
        }
        Self::Other(error)
    }
}

/// Runs the command of the process's arguments.
pub fn main() -> ExitCode {
    match parsed() {
        Ok(cli) => end(run(cli)),
        // Requested help and the version go to standard output.
        Err(said) if !said.use_stderr() => end(output::printed(said.print()).map_err(Failure::from)),
        Err(mistake) => mistake.exit(),
    }
}

fn parsed() -> Result<Cli, clap::Error> {
    let matches = without_empty_variables(Cli::command()).try_get_matches()?;
    Cli::from_arg_matches(&matches)
}

fn run(cli: Cli) -> Result<(), Failure> {
    // Where a progress bar or a table is the answer, the log would only break it up.
    let quiet = !matches!(cli.command, Command::Serve(_) | Command::Worker(_));
    telemetry::start(cli.log.as_deref().unwrap_or(if quiet { "warn" } else { "info,sqlx=warn" }));
    match cli.command {
        Command::Demo(args) => demo::run(args),
        Command::Serve(args) => serve::run(args),
        Command::Worker(args) => worker::run(args),
        Command::Train(args) => train::run(args),
        Command::Submit(args) => submit::run(&args),
        Command::Watch(args) => watch::run(&args),
        Command::AddSeeds(args) => add_seeds::run(&args),
        Command::Experiments(args) => experiments::run(&args),
        Command::Jobs(args) => jobs::run(&args),
        Command::Cancel(args) => steer::run(Action::Cancel, &args),
        Command::Pause(args) => steer::run(Action::Pause, &args),
        Command::Resume(args) => steer::run(Action::Resume, &args),
        Command::Retry(args) => steer::run(Action::Retry, &args),
        Command::Priority(args) => priority::run(&args),
        Command::Logs(args) => logs::run(&args),
        Command::Compare(args) => compare::run(&args),
        Command::Sql(args) => sql::run(&args),
        Command::Export(args) => export::run(&args),
        Command::Import(args) => import::run(&args),
        Command::Recipes(args) => recipes::run(&args),
        Command::Data(args) => data::run(&args),
        Command::Migrate(args) => migrate::run(&args),
        Command::Backup(args) => backup::run(&args),
        Command::Thin(args) => thin::run(&args),
        Command::Token(args) => token::run(&args),
        Command::Doctor(args) => doctor::run(&args),
        Command::QueryChild(args) => query_child::run(&args),
    }
}

/// Prints the failure and maps it to an exit status.
fn end(result: Result<(), Failure>) -> ExitCode {
    match result.and_then(|()| Ok(output::flush()?)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Told) => ExitCode::FAILURE,
        Err(Failure::Other(error)) => {
            output::note(format!("optlab: {error:#}"));
            ExitCode::FAILURE
        }
        Err(Failure::Usage(error)) => {
            output::note(format!("optlab: {error}"));
            ExitCode::from(2)
        }
    }
}

/// A variable of the environment that is empty counts as unset, as scripts and container files mean it.
fn without_empty_variables(command: clap::Command) -> clap::Command {
    let is_empty =
        |arg: &clap::Arg| arg.get_env().and_then(env::var_os).is_some_and(|value| value.is_empty());
    let unset = |arg| if is_empty(&arg) { arg.env(Resettable::Reset) } else { arg };
    command.mut_args(unset).mut_subcommands(without_empty_variables)
}
