//! The comparison as a table on a terminal and in Markdown.

use comfy_table::presets;
use comfy_table::{CellAlignment, Table, TableStyle};

use optlab_api_types::Comparison;

use crate::report::{cells, headings, notes};

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
    let header = headings(comparison);
    let columns = header.len();
    table.load_style(style).set_header(header);
    for arm in &comparison.arms {
        table.add_row(cells(comparison, arm));
    }
    for index in 2..columns {
        let column = table.column_mut(index).expect("the header has this many");
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}
