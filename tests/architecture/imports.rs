//! Imports between the modules of the root package, as the map of ARCHITECTURE.md allows them, and between crates.

use std::fs;
use std::path::{Path, PathBuf};

use super::map::{Row, quoted, root, rows};

/// A module of the root package, and the modules that it may import.
struct Rule {
    module: String,
    allowed: Vec<String>,
}

/// The rules of the map, in its order.
fn rules() -> Vec<Rule> {
    let rows: Vec<Row> = rows().into_iter().filter(|row| row.places[0].starts_with("src/")).collect();
    let modules: Vec<String> = rows.iter().map(|row| module(&row.places[0]).to_owned()).collect();
    let allowed = |row: &Row| match row.last.as_str() {
        "all" => modules.clone(),
        last => quoted(last).into_iter().map(str::to_owned).collect(),
    };
    rows.iter()
        .zip(&modules)
        .map(|(row, module)| Rule { module: module.clone(), allowed: allowed(row) })
        .collect()
}

/// The module of a path below `src/`.
fn module(place: &str) -> &str {
    let rest = place.trim_start_matches("src/");
    rest.split('/').next().unwrap().trim_end_matches(".rs")
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { sources(&path) } else { vec![path] }).collect()
}

/// The modules that the text imports by `crate::`.
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
fn modules_import_only_what_the_map_allows() {
    let rules = rules();
    let mut checked = 0;
    for path in sources(&root().join("src")) {
        let within = path.strip_prefix(root()).unwrap().to_str().unwrap();
        let module = module(within);
        if ["lib", "main"].contains(&module) {
            continue;
        }
        let rule = rules.iter().find(|rule| rule.module == module);
        let rule = rule.unwrap_or_else(|| panic!("the map has no row for {module}"));
        for name in named(&fs::read_to_string(&path).unwrap_or_default()) {
            let foreign = name != module && rules.iter().any(|rule| rule.module == name);
            assert!(!foreign || rule.allowed.contains(&name), "{within}: {module} must not import {name}");
            checked += usize::from(foreign);
        }
    }
    assert!(checked > 20, "only {checked} imports were found");
}

#[test]
fn crates_import_only_what_the_map_says() {
    for row in rows().into_iter().filter(|row| row.places[0].starts_with("crates/")) {
        let manifest = fs::read_to_string(root().join(&row.places[0]).join("Cargo.toml")).unwrap();
        let imports =
            manifest.lines().filter_map(|line| line.strip_prefix("optlab-")?.split(['.', ' ']).next());
        let (mut imports, mut listed): (Vec<&str>, Vec<&str>) = (imports.collect(), quoted(&row.last));
        imports.sort_unstable();
        listed.sort_unstable();
        assert_eq!(imports, listed, "imports of {:?}", row.places);
    }
}

#[test]
fn the_service_does_not_depend_on_libtorch() {
    let crates = fs::read_dir(root().join("crates")).unwrap().map(|entry| entry.unwrap().path());
    let with_libtorch = ["opt", "runner", "gpu-check"];
    let crates = crates.filter(|path| !with_libtorch.iter().any(|name| path.ends_with(name)));
    for folder in crates.chain([root().to_owned()]) {
        let manifest = fs::read_to_string(folder.join("Cargo.toml")).unwrap();
        // The root manifest pins the version for the workspace.
        let package = manifest.split("[package]").nth(1).unwrap();
        let torch =
            package.lines().find(|line| ["tch", "torch-sys"].iter().any(|name| line.starts_with(name)));
        assert_eq!(torch, None, "{}", folder.display());
    }
}

/// Fails if a source file below `src` contains one of `texts` and is not below `src/exempt`.
fn only_in(exempt: &str, texts: &[&str]) {
    let src = root().join("src");
    for path in sources(&src) {
        let text = fs::read_to_string(&path).unwrap_or_default();
        let found = texts.iter().find(|found| text.contains(**found));
        let is_exempt = path.strip_prefix(&src).unwrap().starts_with(exempt);
        assert!(is_exempt || found.is_none(), "{} uses {found:?}", path.display());
    }
}

#[test]
fn only_the_store_uses_database_drivers() {
    only_in("store", &["sqlx::", "rusqlite::"]);
}

#[test]
fn only_commands_use_anyhow() {
    only_in("cli", &["anyhow::"]);
}

#[test]
fn the_service_has_no_unsafe_code() {
    only_in("nowhere", &["unsafe_code"]);
}

/// Variables of the environment are settings, which are read once, while the command line is parsed.
#[test]
fn only_settings_read_the_environment() {
    let readers = ["src/config/layers.rs", "src/artifacts/bucket.rs", "src/cli/client.rs"];
    let mut found = 0;
    for path in sources(&root().join("src")) {
        let reads = fs::read_to_string(&path).unwrap_or_default().contains("env::var");
        let within = path.strip_prefix(root()).unwrap().to_str().unwrap();
        assert!(!reads || readers.contains(&within), "{within} reads the environment");
        found += usize::from(reads);
    }
    assert_eq!(found, readers.len());
}

#[test]
fn imports_in_groups_are_found() {
    assert_eq!(named("use crate::{api, store::{Job, Lease}, worker};")[..2], ["api", "store"]);
    assert!(named("use crate::{api, store::{Job, Lease}, worker};").contains(&"worker".to_owned()));
    assert_eq!(named("use crate::store::Job;\n// crate::api"), ["store"]);
}
