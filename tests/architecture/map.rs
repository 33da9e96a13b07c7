//! The map of ARCHITECTURE.md: one row per folder.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// Folders whose subfolders each have a row.
pub const PARENTS: [&str; 6] = ["crates", "src", "web/src", "tests", "benches", "docs"];

/// A row of the map.
pub struct Row {
    /// Folders, which end with a slash, and files.
    pub places: Vec<String>,
    /// The last cell.
    pub last: String,
}

/// The root of the repository.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The rows of all tables whose first cell is a place.
pub fn rows() -> Vec<Row> {
    let text = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let rows = text.lines().filter(|line| line.starts_with("| `")).map(|line| {
        let cells: Vec<&str> = line.trim_matches('|').split('|').collect();
        let places = quoted(cells[0]).into_iter().map(str::to_owned).collect();
        Row { places, last: cells.last().unwrap().trim().to_owned() }
    });
    rows.collect()
}

/// The texts between backticks.
pub fn quoted(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

/// The names of the folders in `parent`, without hidden ones.
fn folders(parent: &str) -> Vec<String> {
    let entries = fs::read_dir(root().join(parent)).unwrap().map(|entry| entry.unwrap().path());
    let names = entries.filter(|path| path.is_dir()).map(|path| path.file_name().unwrap().to_owned());
    names.map(|name| name.into_string().unwrap()).filter(|name| !name.starts_with('.')).collect()
}

#[test]
fn every_folder_has_a_row_and_every_row_a_place() {
    let listed: BTreeSet<String> = rows().into_iter().flat_map(|row| row.places).collect();
    let ignored = fs::read_to_string(root().join(".gitignore")).unwrap();
    let mut expected: BTreeSet<String> = PARENTS
        .iter()
        .flat_map(|parent| folders(parent).into_iter().map(move |name| format!("{parent}/{name}/")))
        .collect();
    for name in folders("") {
        let is_ignored = ignored.lines().any(|line| line.trim_matches('/') == name);
        if !is_ignored && !PARENTS.iter().any(|parent| parent.split('/').next() == Some(&name)) {
            expected.insert(format!("{name}/"));
        }
    }
    let missing: Vec<&String> = expected.difference(&listed).collect();
    assert!(missing.is_empty(), "ARCHITECTURE.md has no row for {missing:?}");
    let gone: Vec<&String> = listed.iter().filter(|place| !root().join(place).exists()).collect();
    assert!(gone.is_empty(), "ARCHITECTURE.md has rows for {gone:?}, which do not exist");
}
