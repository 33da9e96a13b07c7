//! The comparison as a table on a terminal and in Markdown.

use comfy_table::presets;
use comfy_table::{CellAlignment, Table, TableStyle};

use optlab_api_types::{ArmResult, Comparison, Difference};

use super::notes::notes;

pub(super) fn plain(comparison: &Comparison) -> String {
    table(comparison, presets::NOTHING).to_string()
}

/// The table with its notes.
pub(super) fn markdown(comparison: &Comparison) -> String {
    let table = table(comparison, presets::ASCII_MARKDOWN);
    let mut text = format!("{table}\n\n{}", comparison.verdict);
    for note in notes(comparison) {
        text.push_str(&format!("\n\n{note}"));
    }
    text
}

fn table(comparison: &Comparison, style: TableStyle) -> Table {
    let mut table = Table::new();
    let header = [
        "arm".to_owned(),
        "method".to_owned(),
        "n".to_owned(),
        comparison.metric.heading().to_owned(),
        "energy".to_owned(),
        "seconds".to_owned(),
        "pairs".to_owned(),
        format!("vs {} [95%]", baseline(comparison)),
        "p".to_owned(),
        "p by flips".to_owned(),
        "effect".to_owned(),
    ];
    let columns = header.len();
    table.load_style(style).set_header(header);
    for arm in &comparison.arms {
        table.add_row(row(comparison, arm));
    }
    for index in 2..columns {
        let column = table.column_mut(index).expect("the header has this many");
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

fn row(comparison: &Comparison, arm: &ArmResult) -> [String; 11] {
    let or_dash = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
    let of_test = |show: fn(&Difference) -> String| or_dash(arm.difference.as_ref().map(show));
    [
        arm.arm.clone(),
        arm.method.clone(),
        arm.n.to_string(),
        or_dash(mean_and_std(comparison, arm, "±")),
        or_dash(arm.energy.map(|energy| format!("{energy:.4}"))),
        or_dash(arm.seconds.map(|seconds| format!("{seconds:.1}"))),
        or_dash(arm.pairs.map(|pairs| pairs.to_string())),
        or_dash(difference(comparison, arm)),
        of_test(|difference| probability(difference.p_adjusted)),
        of_test(|difference| probability(difference.sign_flip.p_adjusted)),
        or_dash(
            arm.difference
                .and_then(|difference| difference.effect_size)
                .map(|effect| format!("{effect:+.2}")),
        ),
    ]
}

/// The name of the baseline.
pub(super) fn baseline(comparison: &Comparison) -> &str {
    comparison.baseline.as_deref().unwrap_or("no baseline")
}

/// The mean and, for several seeds, the standard deviation after `sign`.
pub(super) fn mean_and_std(comparison: &Comparison, arm: &ArmResult, sign: &str) -> Option<String> {
    let metric = comparison.metric;
    let mean = metric.shown(arm.mean?);
    Some(match arm.std {
        Some(std) => format!("{mean} {sign} {}", metric.shown(std)),
        None => mean,
    })
}

/// The difference, without an interval if it cannot be tested.
fn difference(comparison: &Comparison, arm: &ArmResult) -> Option<String> {
    let shown = |value| comparison.metric.shown_difference(value);
    let mean = shown(arm.mean_difference?);
    Some(match &arm.difference {
        Some(difference) => {
            let star = if difference.significant { " *" } else { "" };
            format!("{mean} [{}, {}]{star}", shown(difference.low), shown(difference.high))
        }
        None => mean,
    })
}

fn probability(p: f64) -> String {
    if p < 0.001 { "< 0.001".to_owned() } else { format!("{p:.3}") }
}
