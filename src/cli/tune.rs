//! `optlab tune show`: the trials and the choice of each arm of a tuned experiment.

use optlab_api_types::{ArmTuning, BestOf, Tuning};

use super::client::ServerArgs;
use super::table::table;
use super::{Failure, output, which};
use crate::report::{errors, saved, value};

#[derive(clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand)]
enum Command {
    /// Show the trials of each arm with their validation errors, and the choice
    Show(ShowArgs),
}

#[derive(clap::Args)]
struct ShowArgs {
    /// Id or name of the experiment; the newest of that name
    experiment: String,
    #[command(flatten)]
    server: ServerArgs,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let Command::Show(args) = &args.command;
    let client = args.server.client()?;
    let id = which::find(&client, &args.experiment)?;
    let tuning: Tuning = client.get(&format!("/experiments/{id}/tuning"))?;
    if args.json {
        return Ok(output::json(&tuning)?);
    }
    for arm in &tuning.arms {
        output::line(format!("{}\n{}", heading(arm), trials(arm)))?;
        for remark in remarks(arm) {
            output::line(remark)?;
        }
        output::line("")?;
    }
    let (trials, seeds) = (tuning.trials, tuning.seeds.len());
    Ok(output::line(format!("{trials} trials x {seeds} seeds per arm, judged on the validation set."))?)
}

fn heading(arm: &ArmTuning) -> String {
    match (arm.chosen, &arm.frozen_at) {
        (Some(trial), Some(at)) => format!("{}: trial {trial} is chosen, frozen at {at}", arm.arm),
        _ => format!("{}: no choice yet", arm.arm),
    }
}

/// A row per trial: its values, the errors by seed, and their mean.
fn trials(arm: &ArmTuning) -> String {
    let paths: Vec<&String> = arm.space.keys().collect();
    let mut header = vec!["rank", "trial"];
    header.extend(paths.iter().map(|path| path.as_str()));
    header.extend(["validation errors %", "mean %", ""]);
    let mut table = table(header, &[0, 1]);
    for trial in &arm.candidates {
        let mut row =
            vec![trial.rank.map_or("-".to_owned(), |rank| rank.to_string()), trial.trial.to_string()];
        row.extend(paths.iter().map(|path| trial.point.get(*path).map_or(String::new(), value)));
        row.extend([errors(trial), trial.score.map_or("-".to_owned(), |mean| format!("{mean:.2}"))]);
        row.push(if trial.chosen { "chosen".to_owned() } else { String::new() });
        table.add_row(row);
    }
    table.trim_fmt()
}

fn remarks(arm: &ArmTuning) -> Vec<String> {
    let mut remarks: Vec<String> = arm.warnings.clone();
    remarks.extend(arm.waits.iter().map(|waits| format!("No choice: {waits}.")));
    remarks.extend(saved(arm));
    if let (Some(one), Some(all)) = (arm.best_of.first(), arm.best_of.last()) {
        let of = |best: &BestOf| format!("{:.2}% ({:.2} to {:.2})", best.expected, best.low, best.high);
        let (one, trials, all) = (of(one), arm.best_of.len(), of(all));
        remarks.push(format!(
            "Expected best of 1 trial: {one}, of {trials}: {all}; in brackets, the 10th to 90th percentile."
        ));
    }
    remarks
}
