//! The tables below the charts.

use std::collections::BTreeMap;

use maud::{Markup, html};
use optlab_api_types::{ArmResult, Comparison, Difference, SpecDifference};
use optlab_spec::protocol::Environment;
use serde_json::Value;

use super::Report;
use super::cells::p_better;
use super::chart::Arms;

const STATISTICS: [&str; 13] = [
    "arm",
    "pairs",
    "mean difference",
    "std",
    "95% by t",
    "95% by bootstrap",
    "p",
    "p adjusted",
    "p by flips",
    "adjusted",
    "effect (d_z)",
    "seeds for 80% power",
    "P(better), 95%",
];

/// Every figure of the tests, and the figures of the seeds.
pub(super) fn statistics(comparison: &Comparison, arms: &Arms<'_>) -> Markup {
    let metric = comparison.metric;
    let compared: Vec<&ArmResult> = comparison.arms.iter().filter(|arm| arm.pairs.is_some()).collect();
    html! {
        section id="statistics" {
            h2 { "Paired statistics" }
            @if let (Some(baseline), false) = (&comparison.baseline, compared.is_empty()) {
                p class="quiet" { "Differences of the " (metric.heading()) " from " (baseline) ", paired by seed." }
                div class="wide" tabindex="0" {
                    table id="pairs" {
                        thead { tr { @for heading in STATISTICS { th scope="col" { (heading) } } } }
                        tbody {
                            @for arm in compared {
                                tr {
                                    th scope="row" { (arms.name(&arm.arm)) }
                                    @for cell in tests(comparison, arm) { td class="number" { (cell) } }
                                }
                            }
                        }
                    }
                }
            }
            h3 { "Figures of the seeds" }
            div class="wide" tabindex="0" { table id="seeds" {
                thead { tr { th scope="col" { "arm" } th scope="col" { (metric.heading()) ", by seed" } } }
                tbody {
                    @for arm in &comparison.arms {
                        tr {
                            th scope="row" { (arms.name(&arm.arm)) }
                            td {
                                @for of_seed in &arm.values {
                                    span class="seed" { span class="quiet" { (of_seed.seed) ": " } (metric.shown(of_seed.value)) } " "
                                }
                                @if arm.values.is_empty() { "-" }
                            }
                        }
                    }
                }
            } }
        }
    }
}

fn tests(comparison: &Comparison, arm: &ArmResult) -> [String; 12] {
    let metric = comparison.metric;
    let or_dash = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
    let test = arm.difference.as_ref();
    let of = |show: &dyn Fn(&Difference) -> String| or_dash(test.map(show));
    let signed = |value| metric.shown_difference(value);
    let bootstrap = test.and_then(|test| Some((test.bootstrap_low?, test.bootstrap_high?)));
    [
        or_dash(arm.pairs.map(|pairs| pairs.to_string())),
        or_dash(arm.mean_difference.map(signed)),
        of(&|test| metric.shown(test.std)),
        of(&|test| format!("{} to {}", signed(test.low), signed(test.high))),
        or_dash(bootstrap.map(|(low, high)| format!("{} to {}", signed(low), signed(high)))),
        of(&|test| p(test.p_value)),
        of(&|test| p(test.p_adjusted)),
        of(&|test| p(test.sign_flip.p_value)),
        of(&|test| p(test.sign_flip.p_adjusted)),
        or_dash(test.and_then(|test| test.effect_size).map(|effect| format!("{effect:+.2}"))),
        match test {
            Some(Difference { seeds_needed: Some(seeds), .. }) => seeds.to_string(),
            Some(Difference { effect_size: Some(_), .. }) => "over 10,000".to_owned(),
            _ => "-".to_owned(),
        },
        or_dash(arm.wins.as_ref().map(p_better)),
    ]
}

/// A probability with four decimals, or two significant digits if it is tiny.
fn p(value: f64) -> String {
    if value < 1e-4 { format!("{value:.1e}") } else { format!("{value:.4}") }
}

/// Every field in which arms differ, with the arms of each value.
pub(super) fn differences(comparison: &Comparison) -> Markup {
    html! {
        @if !comparison.differences.is_empty() {
            section id="differences" {
                h2 { "Fields in which the arms differ" }
                div class="wide" tabindex="0" { table {
                    thead { tr { th scope="col" { "field" } th scope="col" { "value" } th scope="col" { "arms" } } }
                    @for field in &comparison.differences {
                        @let values = by_value(comparison, field);
                        tbody {
                            @for (index, (value, arms)) in values.iter().enumerate() {
                                tr {
                                    @if index == 0 {
                                        th scope="rowgroup" rowspan=(values.len()) { (field.pointer[1..].replace('/', ".")) }
                                    }
                                    td { code { (value) } }
                                    td class="arms" { (arms.join(", ")) }
                                }
                            }
                        }
                    }
                } }
            }
        }
    }
}

/// The values of a field with their arms, in the order of the arms.
fn by_value<'a>(comparison: &'a Comparison, field: &SpecDifference) -> Vec<(String, Vec<&'a str>)> {
    let mut values: Vec<(String, Vec<&str>)> = Vec::new();
    for arm in &comparison.arms {
        let Some(value) = field.values.get(&arm.arm) else { continue };
        let text = match value {
            Value::Null => "none".to_owned(),
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        match values.iter_mut().find(|(known, _)| *known == text) {
            Some((_, arms)) => arms.push(&arm.arm),
            None => values.push((text, vec![&arm.arm])),
        }
    }
    values
}

/// The jobs that have failed, were cancelled or lack something.
pub(super) fn jobs(report: &Report) -> Markup {
    let troubled = |job: &&optlab_api_types::Job| {
        job.record.end_reason.is_some_and(|why| why.is_failure()) || job.record.error.is_some()
    };
    let troubled: Vec<_> = report.jobs.iter().filter(troubled).collect();
    html! {
        section id="jobs" {
            h2 { "Failures" }
            @if troubled.is_empty() {
                p { "No job has failed." }
            } @else {
                div class="wide" tabindex="0" { table id="failures" {
                    thead { tr { @for heading in ["job", "arm", "seed", "state", "attempts", "step", "reason"] { th scope="col" { (heading) } } } }
                    tbody {
                        @for job in troubled {
                            @let record = &job.record;
                            tr {
                                th scope="row" { (record.id) }
                                td { (record.arm) }
                                td class="number" { (record.seed) }
                                td { (record.state) }
                                td class="number" { (record.attempt) }
                                td class="number" { (record.step) " of " (record.steps) }
                                td class="text" {
                                    @if let Some(reason) = record.end_reason { (reason.to_string().replace('_', " ")) }
                                    @if let Some(error) = &record.error { ": " (error) }
                                }
                            }
                        }
                    }
                } }
            }
        }
    }
}

/// The environments with the number of jobs that were trained in each.
pub(super) fn environments(environments: &[Environment]) -> Markup {
    let mut jobs: BTreeMap<[String; 5], usize> = BTreeMap::new();
    for Environment { optlab, libtorch, device, device_name, threads } in environments {
        let cells = [optlab, libtorch, device, device_name, &threads.to_string()].map(ToString::to_string);
        *jobs.entry(cells).or_default() += 1;
    }
    html! {
        section id="environments" {
            h2 { "Environments" }
            @if jobs.is_empty() {
                p { "No job has started." }
            } @else {
                div class="wide" tabindex="0" { table {
                    thead { tr { @for heading in ["optlab", "libtorch", "device", "name", "threads", "jobs"] { th scope="col" { (heading) } } } }
                    tbody {
                        @for (cells, jobs) in &jobs {
                            tr { @for cell in cells { td { (cell) } } td class="number" { (jobs) } }
                        }
                    }
                } }
            }
        }
    }
}
