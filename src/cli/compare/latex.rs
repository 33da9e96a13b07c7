//! The comparison as a table for a paper: booktabs, significantly better figures in bold, mean and standard deviation.

use optlab_api_types::{ArmResult, Comparison};
use optlab_domain::Standing;

use crate::report::{baseline, mean_and_std, notes};

pub(super) fn tabular(comparison: &Comparison) -> String {
    let rows: Vec<String> = comparison.arms.iter().map(|arm| row(comparison, arm)).collect();
    let notes: Vec<String> = [BOLD.to_owned()].into_iter().chain(notes(comparison)).collect();
    let notes: Vec<String> = notes.iter().map(|note| format!("% {note}")).collect();
    format!(
        "% \\usepackage{{booktabs}}\n% {verdict}\n{notes}\n\\begin{{tabular}}{{lrrr}}\n\\toprule\nArm & $n$ & {heading} & Difference from \
         {baseline} [95\\%] \\\\\n\\midrule\n{rows}\n\\bottomrule\n{missing}\\end{{tabular}}",
        verdict = comparison.verdict,
        notes = notes.join("\n"),
        heading = escaped(&capitalised(&comparison.metric.heading().replace('%', "(%)"))),
        baseline = escaped(baseline(comparison)),
        rows = rows.join("\n"),
        missing = missing(comparison),
    )
}

/// The rule for bold figures.
const BOLD: &str = "Bold: better than the baseline, with p below 0.05.";

fn row(comparison: &Comparison, arm: &ArmResult) -> String {
    let figure = mean_and_std(comparison, arm, "\\pm").map_or_else(dash, |figure| {
        let is_better = arm.standing == Some(Standing::Better);
        if is_better { format!("$\\mathbf{{{figure}}}$") } else { format!("${figure}$") }
    });
    let shown = |value| comparison.metric.shown_difference(value);
    let difference = match (&arm.difference, arm.mean_difference) {
        (Some(difference), _) => {
            let star = if difference.significant { "^{*}" } else { "" };
            let (mean, low, high) = (shown(difference.mean), shown(difference.low), shown(difference.high));
            format!("${mean}{star}$ $[{low}, {high}]$")
        }
        (None, Some(mean)) => format!("${}$", shown(mean)),
        (None, None) => dash(),
    };
    format!("{} & {} & {figure} & {difference} \\\\", escaped(&arm.arm), arm.n)
}

/// Whether a line belongs to the table and is no comment.
fn missing(comparison: &Comparison) -> String {
    let cells: Vec<String> = comparison
        .missing
        .iter()
        .map(|cell| {
            let why = cell.end_reason.map_or(cell.state.into(), <&str>::from);
            format!("{} seed {} ({why})", cell.arm, cell.seed)
        })
        .collect();
    if cells.is_empty() {
        return String::new();
    }
    let cells = escaped(&cells.join(", "));
    format!(
        "\\multicolumn{{4}}{{p{{0.9\\linewidth}}}}{{\\footnotesize Missing, with their pairs: {cells}.}} \\\\\n"
    )
}

fn dash() -> String {
    "--".to_owned()
}

/// Escapes the special characters of TeX that occur in names and headings.
fn escaped(text: &str) -> String {
    text.replace('%', "\\%").replace('_', "\\_")
}

fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
