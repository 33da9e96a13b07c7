//! Terminal output of a run: its device, a progress bar and the result.

use indicatif::{ProgressBar, ProgressStyle};
use optlab_spec::JobSpec;
use optlab_spec::protocol::{Environment, Point, Summary};

use super::folder::RunFolder;
use crate::cli::figures::Figures;
use crate::cli::output;

/// The progress bar, and the figures beside it.
pub(super) struct Screen {
    bar: ProgressBar,
    last: Figures,
}

impl Screen {
    /// For a run that starts after `step` updates.
    pub(super) fn new(job: &JobSpec, environment: &Environment, step: u64) -> anyhow::Result<Self> {
        let Environment { device, device_name, libtorch, threads, .. } = environment;
        output::line(format!(
            "{} with seed {} on {device} ({device_name}), {threads} {}, libtorch {libtorch}",
            job.arm,
            job.seed,
            if *threads == 1 { "thread" } else { "threads" }
        ))?;
        // The bar takes the rest of the terminal's width.
        let template = "{wide_bar} {pos}/{len}  {msg}  {eta} left";
        let style = ProgressStyle::with_template(template).expect("a valid template");
        let bar = ProgressBar::new(job.train.total_steps()).with_style(style).with_position(step);
        bar.reset_eta();
        Ok(Self { bar, last: Figures::default() })
    }

    pub(super) fn note(&mut self, points: &[Point], step: u64) {
        points.iter().for_each(|point| self.last.note(point));
        self.bar.set_position(step);
        self.bar.set_message(self.last.in_short());
    }

    /// Prints a note without disturbing the bar.
    pub(super) fn say(&self, message: &str) {
        self.bar.suspend(|| output::note(message));
    }

    /// Finishes the bar in its present state.
    pub(super) fn abandon(&self) {
        self.bar.abandon();
    }

    pub(super) fn finish(&self, folder: &RunFolder, summary: &Summary) -> anyhow::Result<()> {
        self.bar.finish();
        let Summary { seconds, parameters_trained, .. } = summary;
        output::line(format!(
            "{}  ({seconds:.1} s, {parameters_trained} parameters trained)
Files: {}
Weights: {}",
            self.last.in_full(),
            folder.path().display(),
            folder.path().join("weights.safetensors").display()
        ))
    }
}
