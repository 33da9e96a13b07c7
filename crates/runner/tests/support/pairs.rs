//! Tables that hold every pair of options: most faults that need several options need two (Kuhn, Wallace and Gallo,
//! IEEE Transactions on Software Engineering 30(6), 2004).

use std::collections::BTreeSet;

/// Number of a factor, and of one of its options.
type Choice = (usize, usize);

/// Rows of one option for each factor, such that every two options that can stand together do so in some row. Of each
/// factor `sizes` says how many options there are, the first of which must go with any other of every factor but the first;
/// `valid` says which rows can be.
pub fn pairs(sizes: &[usize], valid: impl Fn(&[usize]) -> bool) -> Vec<Vec<usize>> {
    let choices =
        || (0..sizes.len()).flat_map(|factor| (0..sizes[factor]).map(move |option| (factor, option)));
    let mut missing: BTreeSet<(Choice, Choice)> =
        choices().flat_map(|a| choices().filter(move |b| a.0 < b.0).map(move |b| (a, b))).collect();
    let mut rows = Vec::new();
    while let Some((a, b)) = missing.pop_first() {
        let start = |first| {
            let mut row = vec![0; sizes.len()];
            row[0] = first;
            (row[a.0], row[b.0]) = (a.1, b.1);
            row
        };
        // Two that cannot stand together in a plain row may do so with another option of the first factor.
        let Some(mut row) = (0..sizes[0]).map(start).find(|row| valid(row)) else { continue };
        for factor in (0..sizes.len()).filter(|factor| ![a.0, b.0].contains(factor)) {
            let with = |option| {
                let mut row = row.clone();
                row[factor] = option;
                row
            };
            // Among equals another one each time.
            let options = (0..sizes[factor]).map(|option| (option + rows.len()) % sizes[factor]);
            let candidates = options.map(with).filter(|row| valid(row));
            row = candidates
                .max_by_key(|row| missing.iter().filter(|pair| holds(row, pair)).count())
                .unwrap_or(row);
        }
        missing.retain(|pair| !holds(&row, pair));
        rows.push(row);
    }
    rows
}

fn holds(row: &[usize], (a, b): &(Choice, Choice)) -> bool {
    row[a.0] == a.1 && row[b.0] == b.1
}
