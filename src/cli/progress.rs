//! The progress of an experiment until its end.

use std::time::Duration;

use indicatif::{HumanDuration, ProgressBar, ProgressStyle};
use optlab_api_types::{Experiment, ExperimentSummary, Tuning, TuningProgress};
use optlab_domain::{Counts, ExperimentId, counted};
use tokio::time::Instant;

use super::client::Client;
use super::client_error::ClientError;
use super::{outcome, output, waiting};

const ASK_EVERY: Duration = Duration::from_millis(500);
/// How long to wait for a server that restarts.
const PATIENCE: Duration = Duration::from_secs(60);
/// After this time without progress, the reason is printed.
const QUIET: Duration = Duration::from_secs(30);

/// An experiment all of whose jobs have ended.
pub(super) struct Ended {
    pub(super) experiment: Experiment,
    /// Number of jobs that succeeded without all of their files.
    incomplete: usize,
}

impl Ended {
    /// Whether every job has succeeded with all of its files, except trials, of which each arm needs one.
    pub(super) fn is_well(&self) -> bool {
        let ExperimentSummary { counts, tuning, .. } = &self.experiment.summary;
        // A failed trial is a result: its settings do not work.
        let expected = tuning.map_or(0, |tuning| tuning.trials.failed);
        let is_tuned = tuning.is_none_or(|tuning| tuning.frozen == tuning.arms);
        counts.failed + counts.cancelled == expected && is_tuned && self.incomplete == 0
    }
}

pub(super) fn get(client: &Client, id: ExperimentId) -> Result<Experiment, ClientError> {
    client.get(&format!("/experiments/{id}"))
}

/// Prints an experiment after a change, as JSON or in a line.
pub(super) fn print(client: &Client, experiment: &Experiment, as_json: bool) -> anyhow::Result<()> {
    if as_json {
        return output::json(experiment);
    }
    let summary = &experiment.summary;
    output::line(format!("Experiment {} `{}`: {}", summary.id, summary.name, state(summary)))?;
    warn(client, experiment);
    Ok(())
}

/// Reports on standard error why the jobs of an experiment cannot continue.
pub(super) fn warn(client: &Client, experiment: &Experiment) {
    let Counts { queued, running, paused, .. } = experiment.summary.counts;
    if queued > 0 {
        waiting::warn(client, experiment.spec.resources.device);
        if running == 0 && experiment.summary.tuning.is_some() {
            warn_of_rungs(client, experiment.summary.id);
        }
    } else if running == 0 && paused > 0 {
        let id = experiment.summary.id;
        let paused = counted(paused, "paused job");
        output::note(format!("optlab: the experiment has {paused}; `optlab resume {id}` goes on"));
    }
}

/// Reports on standard error which arms wait at a rung for a person.
fn warn_of_rungs(client: &Client, id: ExperimentId) {
    // Without an answer, the next request of the command reports the failure.
    let Ok(tuning) = client.get::<Tuning>(&format!("/experiments/{id}/tuning")) else { return };
    for arm in tuning.arms {
        if let Some(waits) = arm.waits {
            output::note(format!("optlab: no choice for {}: {waits}", arm.arm));
        }
    }
}

/// `1 running, 3 succeeded`.
pub(super) fn counts(counts: Counts) -> String {
    let some = counts.by_state().filter(|(_, count)| *count > 0);
    some.map(|(state, count)| format!("{count} {state}")).collect::<Vec<_>>().join(", ")
}

/// The counts, how far the arms are tuned, and the time that is left.
pub(super) fn state(experiment: &ExperimentSummary) -> String {
    let mut counts = counts(experiment.counts);
    if let Some(TuningProgress { trials, arms, frozen, .. }) = &experiment.tuning {
        let all: i64 = trials.by_state().map(|(_, count)| count).sum();
        let ended = all - trials.unfinished();
        counts.push_str(&format!(" ({ended} of {all} trials ended, {frozen} of {arms} choices frozen)"));
    }
    match experiment.eta_seconds {
        Some(seconds) => {
            let left = Duration::from_secs(seconds.round() as u64);
            format!("{counts}, about {} left", HumanDuration(left))
        }
        None => counts,
    }
}

/// Shows the progress of an experiment until all its jobs have ended, and then why jobs failed.
pub(super) fn watch(client: &Client, id: ExperimentId) -> anyhow::Result<Ended> {
    let style = ProgressStyle::with_template("{bar:32} {percent:>3}%  {msg}").expect("a valid template");
    let bar = ProgressBar::new(1).with_style(style);
    let mut heard = Instant::now();
    let mut moved = (Instant::now(), None);
    loop {
        match get(client, id) {
            Ok(experiment) => {
                heard = Instant::now();
                let now = &experiment.summary;
                bar.set_length(now.steps as u64);
                bar.set_position(now.step as u64);
                bar.set_message(state(now));
                let is_due = now.tuning.is_some_and(|tuning| tuning.due > 0);
                if now.counts.unfinished() == 0 && !is_due {
                    bar.finish_and_clear();
                    if now.counts.failed > 0 {
                        outcome::tell_failures(client, id, now.counts.failed);
                    }
                    let incomplete =
                        outcome::warn_of_missing_files(client, id).map_err(ClientError::into_anyhow)?;
                    return Ok(Ended { experiment, incomplete });
                }
                let place = Some((now.step, now.counts));
                if moved.1 != place {
                    moved = (heard, place);
                } else if now.counts.running == 0 && moved.0.elapsed() > QUIET {
                    bar.suspend(|| warn(client, &experiment));
                    moved.0 = heard;
                }
            }
            Err(ClientError::Unreachable(text)) if heard.elapsed() < PATIENCE => {
                bar.set_message(output::clean(&format!("waiting for the server: {text}")));
            }
            Err(error) => return Err(error.into_anyhow()),
        }
        std::thread::sleep(ASK_EVERY);
    }
}
