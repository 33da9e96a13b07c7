//! The trials and choices of a tuned experiment.

use maud::{Markup, html};
use optlab_api_types::{ArmTuning, StoppedEarly, Trial, Tuning};
use optlab_domain::EndReason;
use serde_json::Value;

use super::chart::Arms;

/// The trials of each arm, the best first, with its choice.
pub(super) fn section(tuning: &Tuning, arms: &Arms<'_>) -> Markup {
    let Tuning { trials, seeds, sampler, .. } = tuning;
    let mut paths: Vec<&str> = Vec::new();
    for path in tuning.arms.iter().flat_map(|arm| arm.space.keys()) {
        if !paths.contains(&path.as_str()) {
            paths.push(path);
        }
    }
    let warnings: Vec<&String> = tuning.arms.iter().flat_map(|arm| &arm.warnings).collect();
    html! {
        section id="tuning" {
            h2 { "Tuning" }
            p class="quiet" {
                "Each arm was chosen by its validation error from " (trials) " trials with " (seeds.len())
                @if seeds.len() == 1 { " seed" } @else { " seeds" } " (" (<&str>::from(*sampler)) " points). No trial saw the test set."
            }
            @for arm in &tuning.arms { @if let Some(sentence) = saved(arm) { p class="quiet" { (sentence) } } }
            @for arm in tuning.arms.iter().filter(|arm| arm.frozen_at.is_none()) {
                p { (arms.name(&arm.arm)) ": no choice" @if let Some(waits) = &arm.waits { ", " (waits) } @else { " yet" } "." }
            }
            @if !warnings.is_empty() { ul class="alarm" { @for warning in warnings { li { (warning) } } } }
            div class="wide" tabindex="0" { table id="trials" {
                thead { tr {
                    th scope="col" { "arm" } th scope="col" { "trial" }
                    @for path in &paths { th scope="col" { (path) } }
                    th scope="col" { "validation errors %, by seed" } th scope="col" { "mean %" } th scope="col" { "choice" }
                } }
                @for arm in &tuning.arms { tbody { (rows(arm, &paths, arms)) } }
            } }
        }
    }
}

fn rows(arm: &ArmTuning, paths: &[&str], arms: &Arms<'_>) -> Markup {
    html! {
        @for (place, trial) in arm.candidates.iter().enumerate() {
            tr {
                @if place == 0 { th scope="rowgroup" rowspan=(arm.candidates.len()) { (arms.name(&arm.arm)) } }
                td class="number" { (trial.trial) }
                @for path in paths {
                    td class="number" { (trial.point.get(*path).map_or_else(|| "-".to_owned(), value)) }
                }
                td class="number" { (errors(trial)) }
                td class="number" { (trial.score.map_or_else(|| "-".to_owned(), |mean| format!("{mean:.2}"))) }
                td { @if trial.chosen { strong { "chosen" } } }
            }
        }
    }
}

/// What early stopping has saved; `None` if nothing.
pub fn saved(arm: &ArmTuning) -> Option<String> {
    let StoppedEarly { trials, steps_saved, steps } =
        arm.stopped_early.filter(|stopped| stopped.trials > 0)?;
    let share = 100.0 * steps_saved as f64 / steps as f64;
    let were = if trials == 1 { "trial was" } else { "trials were" };
    Some(format!("{}: {trials} {were} stopped early, which saved {share:.0}% of the updates.", arm.arm))
}

/// A value of a tuned field, words without quotes.
pub fn value(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// The error of each seed of a trial, or why there is none.
pub fn errors(trial: &Trial) -> String {
    let runs = trial.runs.iter().map(|run| match (run.validation_error, run.end_reason) {
        (Some(error), Some(EndReason::StoppedEarly)) => format!("{error:.2} (stopped early)"),
        (Some(error), _) => format!("{error:.2}"),
        (None, Some(reason)) => reason.to_string(),
        (None, None) => run.state.to_string(),
    });
    runs.collect::<Vec<_>>().join(", ")
}
