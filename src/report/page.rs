//! The page.

use maud::{DOCTYPE, Markup, PreEscaped, html};
use optlab_api_types::Experiment;
use optlab_domain::{Counts, HeldOut, JobState, Standing, counted};

use super::chart::{Arms, chart};
use super::{Report, cells, headings, notes, tables, tuning};

/// The colours of the dashboard, and the rules of the page.
const TOKENS: &str = include_str!("../../web/src/tokens.css");
const STYLE: &str = include_str!("report.css");
/// Nothing is loaded and no script runs, whatever the texts of the experiment contain.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'";

/// The page of `report`, as HTML.
pub fn page(report: &Report) -> String {
    let Experiment { summary, .. } = &report.experiment;
    let arms = Arms::new(&summary.arms, report.comparison.baseline.as_deref());
    let style = [TOKENS, STYLE, &arms.rules()].concat();
    let markup = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                title { (summary.name) " #" (summary.id) " · optlab report" }
                style { (PreEscaped(style)) }
            }
            body {
                main {
                    (head(report))
                    (result(report, &arms))
                    section id="charts" {
                        h2 { "Curves" }
                        @if report.curves.is_empty() {
                            p { "No job has recorded a point." }
                        } @else {
                            p class="quiet" { "Line: mean over the seeds, thinner where seeds are missing. Band: ± 1 sample standard deviation." }
                            p class="legend" { @for arm in &summary.arms { span { (arms.name(&arm.name)) } " " } }
                            div class="charts" {
                                @for (number, curves) in report.curves.iter().enumerate() {
                                    (chart(number, curves, &arms, longest(report)))
                                }
                            }
                        }
                    }
                    (tables::statistics(&report.comparison, &arms))
                    @if let Some(trials) = &report.tuning { (tuning::section(trials, &arms)) }
                    (tables::differences(&report.comparison))
                    (tables::jobs(report))
                    (tables::environments(&report.environments))
                    (spec(report))
                }
                footer class="quiet" {
                    "Made " time datetime=(report.made_at) { (day_and_time(&report.made_at)) }
                    " by optlab " (env!("CARGO_PKG_VERSION")) "."
                }
            }
        }
    };
    markup.into_string()
}

fn head(report: &Report) -> Markup {
    let Experiment { summary, spec, .. } = &report.experiment;
    html! {
        header {
            h1 { (summary.name) " " span class="quiet" { "#" (summary.id) } }
            p class="quiet" {
                (spec.train.data.name) ", " (spec.train.model.kind()) " · submitted "
                time datetime=(summary.created_at) { (day_and_time(&summary.created_at)) }
                @for tag in &summary.tags { " · " bdi { (tag) } }
                @if summary.archived { " · archived" }
            }
            @let provenance = &report.experiment.provenance;
            @if let Some(commit) = provenance.commit() { p class="quiet" { "Commit " code id="commit" { (commit) } } }
            @if let Some(line) = &provenance.command_line { p class="quiet text" { "Command " code id="command" { (line) } } }
            p id="state" { (states(summary.counts)) }
            @if summary.counts.unfinished() > 0 {
                p class="alarm" { "Not all jobs had ended when this report was made. Its figures may change." }
            }
            @if !summary.notes.is_empty() { p id="notes" class="text" { (summary.notes) } }
        }
    }
}

fn result(report: &Report, arms: &Arms<'_>) -> Markup {
    let comparison = &report.comparison;
    html! {
        section id="result" {
            h2 { "Result" }
            p class="verdict" {
                @let badge = by_standing(report).first().map(|(standing, _)| capitalised(&in_words(*standing)));
                @if let Some(badge) = &badge { span class="badge" { (badge) } " " }
                span id="verdict" { (without_badge(&comparison.verdict, badge.as_deref())) }
            }
            p id="standings" class="quiet" { (decided(report)) " " (standings(report)) }
            @if !report.warnings.is_empty() {
                h3 class="alarm" { "Warnings" }
                ul id="warnings" {
                    @for warning in &report.warnings {
                        li { "Job " (warning.job_id) " (" (warning.arm) ", seed " (warning.seed) "): " (warning.detail) }
                    }
                }
            }
            div class="wide" tabindex="0" {
                table id="arms" {
                    thead { tr { @for heading in headings(comparison) { th scope="col" { (heading) } } th scope="col" { "standing" } } }
                    tbody {
                        @for arm in &comparison.arms {
                            tr {
                                @for (index, cell) in cells(comparison, arm).iter().enumerate() {
                                    @if index == 0 { th scope="row" { (arms.name(cell)) } } @else { td class=[(index > 1).then_some("number")] { (cell) } }
                                }
                                td { (standing(report, &arm.arm, arm.standing)) }
                            }
                        }
                    }
                }
            }
            @for note in notes(comparison) { p class="quiet" { (note) } }
        }
    }
}

/// Which figure and which set decided, and what a conclusion needs.
fn decided(report: &Report) -> String {
    let comparison = &report.comparison;
    let set = comparison.metric.evaluated().map_or("", |evaluated| match evaluated.set {
        HeldOut::Test => " on the test set",
        HeldOut::Validation => " on the validation set",
    });
    let baseline = comparison.baseline.as_ref().map(|arm| format!(" against {arm}")).unwrap_or_default();
    let metric = comparison.metric.to_string().replace('_', " ");
    let needed = comparison.pairs_needed;
    format!("Decided by {metric}{set}{baseline}; a conclusion needs {needed} pairs of seeds.")
}

/// The best news first: the standing that the verdict begins with.
const ORDER: [Standing; 6] = [
    Standing::Better,
    Standing::Different,
    Standing::NoClearDifference,
    Standing::Worse,
    Standing::TooFewSeeds,
    Standing::NotComparable,
];

/// The verdict without the words that the badge before it has already.
fn without_badge<'a>(verdict: &'a str, badge: Option<&str>) -> &'a str {
    let rest = badge.and_then(|badge| verdict.strip_prefix(badge));
    let rest = rest.map(|rest| rest.strip_prefix(" to tell").unwrap_or(rest));
    rest.and_then(|rest| rest.strip_prefix(": ")).unwrap_or(verdict)
}

/// The arms of each standing.
fn by_standing(report: &Report) -> Vec<(Standing, Vec<&str>)> {
    let of = |standing| {
        let arms = report.comparison.arms.iter().filter(move |arm| arm.standing == Some(standing));
        (standing, arms.map(|arm| arm.arm.as_str()).collect::<Vec<_>>())
    };
    ORDER.into_iter().map(of).filter(|(_, arms)| !arms.is_empty()).collect()
}

fn standings(report: &Report) -> String {
    let listed = by_standing(report).into_iter();
    let listed =
        listed.map(|(standing, arms)| format!("{}: {}.", capitalised(&in_words(standing)), arms.join(", ")));
    listed.collect::<Vec<_>>().join(" ")
}

fn standing(report: &Report, arm: &str, standing: Option<Standing>) -> String {
    let is_baseline = report.comparison.baseline.as_deref() == Some(arm);
    standing.map_or_else(|| if is_baseline { "baseline" } else { "-" }.to_owned(), in_words)
}

fn in_words(standing: Standing) -> String {
    standing.to_string().replace('_', " ")
}

fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// `15 jobs: 14 succeeded, 1 failed`.
fn states(counts: Counts) -> String {
    let states: Vec<(JobState, i64)> = counts.by_state().filter(|(_, jobs)| *jobs > 0).collect();
    let all: i64 = states.iter().map(|(_, jobs)| jobs).sum();
    let listed: Vec<String> = states.iter().map(|(state, jobs)| format!("{jobs} {state}")).collect();
    format!("{}: {}", counted(all, "job"), listed.join(", "))
}

fn spec(report: &Report) -> Markup {
    let spec = &report.experiment.spec;
    html! {
        section id="spec" {
            h2 { "Spec" }
            @if let Some(submitted) = &report.submitted {
                h3 { "As submitted" }
                pre id="submitted" { (submitted.trim_end()) }
            }
            h3 { "Resolved" }
            p class="quiet" { "Every default is spelled out in `train`. An arm has the fields in which it differs from it." }
            pre id="resolved" { (spec.to_toml().unwrap_or_else(|| json(spec)).trim_end()) }
        }
    }
}

fn json(spec: &optlab_spec::ExperimentSpec) -> String {
    serde_json::to_string_pretty(spec).unwrap_or_default()
}

/// The number of steps of the longest job.
fn longest(report: &Report) -> i64 {
    report.jobs.iter().map(|job| job.record.steps).max().unwrap_or_default()
}

/// `2026-03-01 12:30:05 UTC`, of a time as RFC 3339.
fn day_and_time(time: &str) -> String {
    match time.get(..19) {
        Some(seconds) => format!("{} UTC", seconds.replace('T', " ")),
        None => time.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_verdict_does_not_repeat_its_badge() {
        for (verdict, badge, shown) in [
            ("No clear difference: a differs", Some("No clear difference"), "a differs"),
            ("Too few seeds to tell: 5 are needed", Some("Too few seeds"), "5 are needed"),
            ("Too early to tell: 5 are needed", Some("Too few seeds"), "Too early to tell: 5 are needed"),
            ("a leads", Some("Better"), "a leads"),
            ("No baseline: none", None, "No baseline: none"),
        ] {
            assert_eq!(without_badge(verdict, badge), shown);
        }
    }
}
