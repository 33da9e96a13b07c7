//! Markdown tables.

/// Prints one row.
pub fn row(cells: impl IntoIterator<Item = String>) {
    println!("| {} |", cells.into_iter().collect::<Vec<_>>().join(" | "));
}

/// Prints a row of titles and the line below it.
pub fn head(titles: impl IntoIterator<Item = String>) {
    let titles: Vec<String> = titles.into_iter().collect();
    let count = titles.len();
    row(titles);
    row(vec!["---".to_owned(); count]);
}
