//! The command line.

mod demo;
mod serve;
mod slurm;
mod train;
mod worker;

mod add_arms;
mod add_seeds;
mod compare;
mod delete;
mod edit;
mod experiments;
mod export;
mod import;
mod jobs;
mod logs;
mod priority;
mod query_child;
mod report;
mod show;
mod sql;
mod tune;
mod steer;
mod submit;
mod watch;
mod workers;

mod backup;
mod data;
mod doctor;
mod migrate;
mod recipes;
mod schema;
mod thin;
mod token;

mod waiting;
mod progress;

mod client;
mod client_error;
mod download;
mod figures;
mod input;
mod mistakes;
mod outcome;
mod output;
mod provenance;
mod signals;
mod spec;
mod table;
mod unfinished;
mod which;

mod failure;

#[cfg(test)]
mod settings_table;

use std::env;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use optlab_domain::Action;

use crate::config::{self, ConfigError};
use crate::telemetry;
use failure::Failure;

/// Controlled experiments on Orthogonal Over-Parameterized Training: queue, train, compare.
#[derive(Parser)]
#[command(version, max_term_width = 100)]
struct Cli {
    /// Log filter, in the syntax of `tracing` [default: info for serve, worker and slurm, otherwise warn]
    #[arg(long, env = "OPTLAB_LOG", global = true, value_name = "FILTER")]
    log: Option<String>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Start a server, run the demo experiment, print the result and keep serving
    Demo(demo::Args),
    /// Serve the API and the dashboard, and train submitted jobs
    Serve(serve::Args),
    /// Train jobs that are submitted to a server elsewhere
    Worker(worker::Args),
    /// Start workers in Slurm while there are jobs for them
    Slurm(slurm::Args),
    /// Train one arm with one seed on this machine, without a server; files are stored under ./runs/
    Train(train::Args),
    /// Submit an experiment to a server
    Submit(submit::Args),
    /// Wait until an experiment has ended, and compare its arms
    Watch(watch::Args),
    /// Add seeds to every arm of an experiment
    AddSeeds(add_seeds::Args),
    /// Add arms to an experiment
    AddArms(add_arms::Args),
    /// Submit a copy of an experiment, with changes
    Clone(submit::CloneArgs),
    /// List the experiments of a server
    Experiments(experiments::Args),
    /// Show an experiment: its arms, its verdict and the spec as it was written
    Show(show::Args),
    /// Rename an experiment
    Rename(edit::RenameArgs),
    /// Leave an experiment out of lists
    Archive(edit::ArchiveArgs),
    /// Put an archived experiment back into lists
    Unarchive(edit::ArchiveArgs),
    /// List the jobs of a server, or of an experiment
    Jobs(jobs::Args),
    /// Cancel jobs
    Cancel(steer::Args),
    /// Pause jobs until they are resumed
    Pause(steer::Args),
    /// Resume paused jobs
    Resume(steer::Args),
    /// Requeue failed and cancelled jobs
    Retry(steer::Args),
    /// Change the priority of an experiment's jobs in the queue
    Priority(priority::Args),
    /// Delete an experiment with its jobs, curves and files
    Delete(delete::Args),
    /// Print the log of a job
    Logs(logs::Args),
    /// Compare the arms of one or several experiments
    Compare(compare::Args),
    /// Show the trials and choices of a tuned experiment
    Tune(tune::Args),
    /// List the workers and pools of a server, drain a worker or resume a pool
    Workers(workers::Args),
    /// Query the database of a server in SQL
    Sql(sql::Args),
    /// Write an experiment with every point to a file, for other programs or servers
    Export(export::Args),
    /// Write an experiment with its charts and tables to one HTML file, to mail or to print
    Report(report::Args),
    /// Import an experiment to a server: from a Parquet file, or from folders of `optlab train`
    Import(import::Args),
    /// List the built-in experiments, or show one
    Recipes(recipes::Args),
    /// Print the schema of specs, for editors
    Spec(schema::Args),
    /// List, fetch or verify the data sets
    Data(data::Args),
    /// Migrate a database to the current schema
    Migrate(migrate::Args),
    /// Copy the database, even while a server runs
    Backup(backup::Args),
    /// Thin the curves of an old experiment
    Thin(thin::Args),
    /// Create, list and revoke tokens, which a server requires from other machines
    Token(token::Args),
    /// Check this machine, and print commands that install what is missing
    Doctor(doctor::Args),
    /// Answer one query for the server that started this process
    #[command(hide = true)]
    QueryChild(query_child::Args),
}

/// Runs the command of the process's arguments.
pub fn main() -> ExitCode {
    let arguments: Vec<_> = env::args_os().collect();
    match config::read(&arguments) {
        Ok(cli) => end(run(cli)),
        // Requested help and the version go to standard output.
        Err(ConfigError::Arguments(said)) if !said.use_stderr() => {
            end(output::printed(said.print()).map_err(Failure::from))
        }
        Err(ConfigError::Arguments(mistake)) => mistake.exit(),
        Err(error) => end(Err(error.into())),
    }
}

fn run(cli: Cli) -> Result<(), Failure> {
    // The log would disturb progress bars and tables.
    let quiet = match &cli.command {
        Command::Serve(_) | Command::Worker(_) => false,
        Command::Slurm(args) => args.dry_run,
        _ => true,
    };
    telemetry::start(cli.log.as_deref().unwrap_or(if quiet { "warn" } else { "info,sqlx=warn" }));
    match cli.command {
        Command::Demo(args) => demo::run(args),
        Command::Serve(args) => serve::run(args),
        Command::Worker(args) => worker::run(args),
        Command::Slurm(args) => slurm::run(args),
        Command::Train(args) => train::run(args),
        Command::Submit(args) => submit::run(&args),
        Command::Watch(args) => watch::run(&args),
        Command::AddSeeds(args) => add_seeds::run(&args),
        Command::AddArms(args) => add_arms::run(&args),
        Command::Clone(args) => submit::run_clone(&args),
        Command::Show(args) => show::run(&args),
        Command::Rename(args) => edit::rename(&args),
        Command::Archive(args) => edit::archive(true, &args),
        Command::Unarchive(args) => edit::archive(false, &args),
        Command::Experiments(args) => experiments::run(&args),
        Command::Jobs(args) => jobs::run(&args),
        Command::Cancel(args) => steer::run(Action::Cancel, &args),
        Command::Pause(args) => steer::run(Action::Pause, &args),
        Command::Resume(args) => steer::run(Action::Resume, &args),
        Command::Retry(args) => steer::run(Action::Retry, &args),
        Command::Priority(args) => priority::run(&args),
        Command::Delete(args) => delete::run(&args),
        Command::Logs(args) => logs::run(&args),
        Command::Compare(args) => compare::run(&args),
        Command::Tune(args) => tune::run(&args),
        Command::Workers(args) => workers::run(&args),
        Command::Sql(args) => sql::run(&args),
        Command::Export(args) => export::run(&args),
        Command::Report(args) => report::run(&args),
        Command::Import(args) => import::run(&args),
        Command::Recipes(args) => recipes::run(&args),
        Command::Spec(args) => schema::run(&args),
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
