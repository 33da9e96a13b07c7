//! Tables without lines, with right-aligned figures, wrapped at the width of the terminal.

use comfy_table::presets::NOTHING;
use comfy_table::{CellAlignment, ColumnConstraint, ContentArrangement, Table};

use super::output;

/// A table under a header; the columns of these indices hold figures.
pub(super) fn table<'a>(header: impl IntoIterator<Item = &'a str>, figures: &[usize]) -> Table {
    let mut table = Table::new();
    table.load_style(NOTHING).set_header(header.into_iter().collect::<Vec<_>>());
    for index in figures {
        if let Some(column) = table.column_mut(*index) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}

/// Prints names with descriptions, wrapped at the width of the terminal.
pub(super) fn print_list<const N: usize>(rows: impl IntoIterator<Item = [String; N]>) -> anyhow::Result<()> {
    let mut table = Table::new();
    table.load_style(NOTHING).set_content_arrangement(ContentArrangement::Dynamic).add_rows(rows);
    if let Some(names) = table.column_mut(0) {
        names.set_constraint(ColumnConstraint::ContentWidth);
    }
    output::line(table.trim_fmt())
}
