//! The house's rules inside the root package: who may import whom (see ARCHITECTURE.md).

use std::fs;
use std::path::{Path, PathBuf};

/// Each module, and the modules that it may name. The file `lib.rs` names all.
const RULES: &[(&str, &[&str])] = &[
    ("stats", &[]),
    ("clock", &[]),
    ("telemetry", &[]),
    ("artifacts", &[]),
    ("store", &["stats", "clock"]),
    ("exchange", &["store"]),
    ("worker", &["store", "artifacts", "clock"]),
    ("api", &["store", "exchange", "artifacts", "stats", "clock"]),
    ("config", &["worker", "api"]),
    ("cli", &["api", "worker", "store", "exchange", "artifacts", "stats", "clock", "config", "telemetry"]),
];

fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { sources(&path) } else { vec![path] }).collect()
}

/// The modules that the text names by `crate::`.
fn named(text: &str) -> Vec<String> {
    let code =
        text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
    let word = |rest: &str| rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
    let mut names = Vec::new();
    for rest in code.split("crate::").skip(1) {
        match rest.strip_prefix('{') {
            Some(group) => {
                let group = group.split(';').next().unwrap();
                names.extend(group.split([',', '{', '}']).map(|item| word(item.trim())));
            }
            None => names.push(word(rest)),
        }
    }
    names
}

#[test]
fn modules_import_only_what_they_may() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let modules: Vec<&str> = RULES.iter().map(|(module, _)| *module).collect();
    let mut checked = 0;
    for path in sources(&src).into_iter().filter(|path| path.extension().is_some_and(|ending| ending == "rs"))
    {
        let within = path.strip_prefix(&src).unwrap();
        let module = within.iter().next().unwrap().to_str().unwrap().trim_end_matches(".rs");
        if ["lib", "main"].contains(&module) {
            continue;
        }
        let (_, allowed) =
            RULES.iter().find(|(name, _)| *name == module).unwrap_or_else(|| panic!("no rule for {module}"));
        for name in named(&fs::read_to_string(&path).unwrap()) {
            let foreign = modules.contains(&name.as_str()) && name != module;
            assert!(
                !foreign || allowed.contains(&name.as_str()),
                "{}: {module} must not import {name}",
                within.display()
            );
            checked += usize::from(foreign);
        }
    }
    assert!(checked > 20, "only {checked} imports were seen: does this test still read the code?");
}

#[test]
fn only_the_store_speaks_sql() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for path in sources(&src) {
        let in_store = path.strip_prefix(&src).unwrap().starts_with("store");
        let text = fs::read_to_string(&path).unwrap_or_default();
        let driver = ["sqlx::", "rusqlite::"].into_iter().find(|driver| text.contains(driver));
        assert!(in_store || driver.is_none(), "{} uses {driver:?}", path.display());
    }
}

#[test]
fn nothing_in_the_service_is_unsafe() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let is_unsafe = |path: &PathBuf| fs::read_to_string(path).unwrap_or_default().contains("unsafe_code");
    let found: Vec<PathBuf> = sources(&src).into_iter().filter(is_unsafe).collect();
    assert!(found.is_empty(), "unsafe code in {found:?}");
}

#[test]
fn imports_in_groups_are_seen() {
    assert_eq!(named("use crate::{api, store::{Job, Lease}, worker};")[..2], ["api", "store"]);
    assert!(named("use crate::{api, store::{Job, Lease}, worker};").contains(&"worker".to_owned()));
    assert_eq!(named("use crate::store::Job;\n// crate::api"), ["store"]);
}
