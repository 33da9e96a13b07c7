//! The report as Markdown.

use std::fmt::Write;

use serde_json::Value;

use crate::record::Row;
use crate::report::{PartReport, Report};

/// The whole report.
pub fn document(report: &Report) -> String {
    let Report { optlab, commit, device, device_name, tiny, .. } = report;
    let sizes = if *tiny { ", tiny sizes" } else { "" };
    let mut text =
        format!("# gpu-check: {device_name} ({device}{sizes}), optlab {optlab}, commit {commit}\n\n");
    for part in &report.parts {
        let _ = writeln!(text, "- {}", summary(part));
    }
    for reported in &report.parts {
        let _ = write!(text, "\n{}", part(reported));
    }
    text
}

/// One line about a part.
pub fn summary(part: &PartReport) -> String {
    let failed = part.rows.iter().filter(|row| row.passed == Some(false)).count();
    let checked = part.rows.iter().filter(|row| row.passed.is_some()).count();
    let rows = match (checked, failed) {
        (0, _) => String::new(),
        (_, 0) => format!(", {checked} checks"),
        _ => format!(", {failed} of {checked} checks failed"),
    };
    format!("{}: {} after {:.1} s{rows}", part.name.word(), part.verdict.word(), part.seconds)
}

/// The tables of a part, and its error.
pub fn part(part: &PartReport) -> String {
    let mut text = format!("## {}\n\n{}\n", part.name.title(), summary(part));
    let mut titles: Vec<&str> = Vec::new();
    for row in &part.rows {
        if !titles.contains(&row.table.as_str()) {
            titles.push(&row.table);
        }
    }
    for title in titles {
        let rows: Vec<&Row> = part.rows.iter().filter(|row| row.table == title).collect();
        let _ = write!(text, "\n### {title}\n\n{}", table(&rows));
    }
    if let Some(error) = &part.error {
        let _ = write!(text, "\nThe end of its log:\n\n~~~\n{}\n~~~\n", error.trim_end());
    }
    text
}

/// Rows of one table, with the columns of all of them.
fn table(rows: &[&Row]) -> String {
    let mut columns: Vec<&str> = Vec::new();
    for name in rows.iter().flat_map(|row| row.cells.keys()) {
        if !columns.contains(&name.as_str()) {
            columns.push(name);
        }
    }
    let is_checked = rows.iter().any(|row| row.passed.is_some());
    let mut heads: Vec<String> = columns.iter().map(|name| name.replace('_', " ")).collect();
    heads.extend(is_checked.then(|| "passed".to_owned()));
    let mut text = line(&heads) + &line(&vec!["---".to_owned(); heads.len()]);
    for row in rows {
        let mut cells: Vec<String> =
            columns.iter().map(|name| row.cells.get(*name).map_or_else(String::new, cell)).collect();
        let passed = match row.passed {
            Some(true) => "yes",
            Some(false) => "NO",
            None => "",
        };
        cells.extend(is_checked.then(|| passed.to_owned()));
        text += &line(&cells);
    }
    text
}

fn line(cells: &[String]) -> String {
    format!("| {} |\n", cells.join(" | "))
}

/// The longest text in a table; the whole is in the JSON file.
const LONGEST_CELL: usize = 200;

fn cell(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::String(text) => {
            let text: String = text.chars().take(LONGEST_CELL).collect();
            text.replace('|', "\\|").replace('\n', " ")
        }
        Value::Number(number) if number.is_f64() => number_cell(number.as_f64().unwrap_or(f64::NAN)),
        other => other.to_string(),
    }
}

fn number_cell(number: f64) -> String {
    match number.abs() {
        0.0 => "0".to_owned(),
        0.01..1e5 => format!("{number:.2}"),
        _ => format!("{number:.1e}"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::part::Part;
    use crate::report::Verdict;

    #[test]
    fn a_table_has_the_columns_of_all_its_rows() {
        let row = |passed, cells: Value| Row {
            table: "errors".to_owned(),
            passed,
            cells: cells.as_object().unwrap().clone(),
        };
        let rows = vec![
            row(Some(true), json!({ "transform": "cayley", "d": 27, "weight_error": 1.27e-7 })),
            row(Some(false), json!({ "transform": "lowdin", "error": "a | b\nc" })),
        ];
        let (seconds, error) = (1.0, Some("frame #0".to_owned()));
        let reported = PartReport { name: Part::Transforms, verdict: Verdict::Failed, seconds, error, rows };
        let text = part(&reported);
        assert!(text.contains("1 of 2 checks failed"), "{text}");
        assert!(text.contains("| transform | d | weight error | error | passed |"), "{text}");
        assert!(text.contains("| cayley | 27 | 1.3e-7 |  | yes |"), "{text}");
        assert!(text.contains(r"| lowdin |  |  | a \| b c | NO |"), "{text}");
        assert!(text.contains("frame #0"), "{text}");
    }
}
