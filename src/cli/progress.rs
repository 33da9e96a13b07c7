//! The progress of an experiment until its end.

use std::fmt;
use std::time::Duration;

use indicatif::{HumanDuration, ProgressBar, ProgressStyle};
use optlab_spec::Resources;
use serde::Deserialize;
use tokio::time::Instant;

use super::client::{Client, ClientError};
use super::{jobs, output, waiting};

const ASK_EVERY: Duration = Duration::from_millis(500);
/// How long to wait for a server that restarts.
const PATIENCE: Duration = Duration::from_secs(60);
/// After this time without progress, the reason is printed.
const QUIET: Duration = Duration::from_secs(30);

/// An experiment in the server's answer.
#[derive(Deserialize)]
pub(super) struct Experiment {
    pub(super) id: i64,
    pub(super) name: String,
    pub(super) counts: Counts,
    step: u64,
    steps: u64,
    eta_seconds: Option<f64>,
    spec: Spec,
    /// Jobs that succeeded without all of their files.
    #[serde(skip)]
    incomplete: u64,
}

#[derive(Deserialize)]
struct Spec {
    resources: Resources,
}

/// Jobs by state.
#[derive(Clone, Copy, Deserialize, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) queued: u64,
    pub(super) running: u64,
    pub(super) paused: u64,
    succeeded: u64,
    pub(super) failed: u64,
    pub(super) cancelled: u64,
}

impl Experiment {
    pub(super) fn get(client: &Client, id: i64) -> Result<Self, ClientError> {
        client.get(&format!("/experiments/{id}"))
    }

    /// Whether every job has succeeded with all of its files.
    pub(super) fn is_well(&self) -> bool {
        let Counts { queued, running, paused, failed, cancelled, .. } = self.counts;
        queued + running + paused + failed + cancelled + self.incomplete == 0
    }

    /// Reports on standard error what its jobs wait for in vain.
    pub(super) fn warn(&self, client: &Client) {
        let Counts { queued, running, paused, .. } = self.counts;
        if queued > 0 {
            waiting::warn(client, self.spec.resources.device);
        } else if running == 0 && paused > 0 {
            output::note(format!(
                "optlab: {paused} jobs are paused; `optlab resume {}` resumes them",
                self.id
            ));
        }
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { queued, running, paused, succeeded, failed, cancelled } = *self;
        let states = [
            (succeeded, "succeeded"),
            (running, "running"),
            (queued, "queued"),
            (paused, "paused"),
            (failed, "failed"),
            (cancelled, "cancelled"),
        ];
        let some = states.iter().filter(|(count, _)| *count > 0);
        f.write_str(&some.map(|(count, state)| format!("{count} {state}")).collect::<Vec<_>>().join(", "))
    }
}

impl fmt::Display for Experiment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.counts.fmt(f)?;
        match self.eta_seconds {
            Some(seconds) => {
                let left = Duration::from_secs(seconds.round() as u64);
                write!(f, ", about {} left", HumanDuration(left))
            }
            None => Ok(()),
        }
    }
}

/// Shows the progress of an experiment until all its jobs have ended, and then why jobs failed.
pub(super) fn watch(client: &Client, id: i64) -> anyhow::Result<Experiment> {
    let style = ProgressStyle::with_template("{bar:32} {percent:>3}%  {msg}").expect("a valid template");
    let bar = ProgressBar::new(1).with_style(style);
    let mut heard = Instant::now();
    let mut moved = (Instant::now(), None);
    loop {
        match Experiment::get(client, id) {
            Ok(mut experiment) => {
                heard = Instant::now();
                bar.set_length(experiment.steps);
                bar.set_position(experiment.step);
                bar.set_message(experiment.to_string());
                let Counts { queued, running, paused, failed, .. } = experiment.counts;
                if queued + running + paused == 0 {
                    bar.finish_and_clear();
                    if failed > 0 {
                        jobs::tell_failures(client, id, failed);
                    }
                    experiment.incomplete =
                        jobs::warn_of_missing_files(client, id).map_err(ClientError::into_anyhow)?;
                    return Ok(experiment);
                }
                let place = Some((experiment.step, experiment.counts));
                if moved.1 != place {
                    moved = (heard, place);
                } else if running == 0 && moved.0.elapsed() > QUIET {
                    bar.suspend(|| experiment.warn(client));
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
