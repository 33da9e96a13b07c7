//! Links in the documents, and the files and tests that ARCHITECTURE.md and the decisions name.

use std::fs;
use std::path::{Path, PathBuf};

use super::map::{PARENTS, quoted, root};

/// All documents in a folder.
fn documents(folder: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(root().join(folder)).unwrap().map(|entry| entry.unwrap().path());
    entries.filter(|path| path.extension().is_some_and(|ending| ending == "md")).collect()
}

/// The reason why a reference such as `tests/store/queue.rs::a_test` is wrong.
fn mistake(reference: &str) -> Option<String> {
    let (path, test) =
        reference.split_once("::").map_or((reference, None), |(path, test)| (path, Some(test)));
    let path = root().join(path);
    if !path.exists() {
        return Some(format!("{reference} does not exist"));
    }
    let test = test?;
    let is_there = fs::read_to_string(path).unwrap().contains(&format!("fn {test}("));
    (!is_there).then(|| format!("{reference}: no such test"))
}

#[test]
fn named_files_and_tests_exist() {
    let mut checked = 0;
    let mut mistakes = Vec::new();
    for document in [vec![root().join("ARCHITECTURE.md")], documents("docs/decisions")].concat() {
        let text = fs::read_to_string(&document).unwrap();
        let is_path = |text: &&str| PARENTS.iter().any(|parent| text.starts_with(&format!("{parent}/")));
        for reference in quoted(&text).into_iter().filter(is_path) {
            checked += 1;
            mistakes.extend(mistake(reference).map(|mistake| format!("{}: {mistake}", document.display())));
        }
    }
    assert!(mistakes.is_empty(), "{mistakes:#?}");
    assert!(checked > 50, "only {checked} references were found");
}

#[test]
fn links_lead_to_files() {
    let folders = ["", "docs", "docs/decisions", "web", "benches/peers"];
    for document in folders.iter().flat_map(|folder| documents(folder)) {
        let text = fs::read_to_string(&document).unwrap();
        for link in text.split("](").skip(1).map(|rest| rest.split(')').next().unwrap()) {
            let file = link.split('#').next().unwrap();
            let target = document.parent().unwrap_or(Path::new("")).join(file);
            let is_elsewhere = link.starts_with("http") || file.is_empty();
            assert!(is_elsewhere || target.exists(), "{} links to {link}", document.display());
        }
    }
}
