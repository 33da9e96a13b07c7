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

/// All files below a folder.
pub fn sources(folder: &Path) -> Vec<PathBuf> {
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

/// The source files below `folder` that contain one of `texts`.
fn using(folder: &str, texts: &[&str]) -> Vec<String> {
    let contains = |path: &PathBuf| {
        let text = fs::read_to_string(path).unwrap_or_default();
        texts.iter().any(|found| text.contains(found))
    };
    let found = sources(&root().join(folder)).into_iter().filter(contains);
    let mut found: Vec<String> =
        found.map(|path| path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned()).collect();
    found.sort();
    found
}

/// Fails if source files outside of `folder` contain one of `texts`, or none in it does.
fn only_in(folder: &str, texts: &[&str]) {
    let (inside, outside): (Vec<_>, Vec<_>) =
        using("src", texts).into_iter().partition(|path| Path::new(path).starts_with(folder));
    assert!(outside.is_empty() && !inside.is_empty(), "{texts:?}: {outside:?}");
}

#[test]
fn only_the_store_uses_database_drivers() {
    only_in("src/store", &["sqlx::", "use sqlx", "sqlx_macros", "rusqlite"]);
}

#[test]
fn only_commands_use_anyhow() {
    only_in("src/cli", &["anyhow"]);
}

/// The lint rejects unsafe code, unless a file allows it.
#[test]
fn the_service_has_no_unsafe_code() {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    assert!(manifest.contains("unsafe_code = \"deny\""));
    assert_eq!(using("src", &["unsafe_code"]), [""; 0]);
}

/// Variables of the environment are settings, which are read once, at the start of a process.
#[test]
fn only_settings_read_the_environment() {
    let service = [
        "src/artifacts/bucket.rs",
        "src/cli/client.rs",
        "src/config/layers.rs",
        // The variables of a Slurm job are Slurm's own.
        "src/config/machine.rs",
        // Slurm's commands do not get what a person has set for them.
        "src/pilots/slurm.rs",
    ];
    assert_eq!(using("src", &["env::var"]), service);
    let crates = [
        "crates/data/src/library.rs",
        "crates/gpu-check/src/parts/environment.rs",
        "crates/net/src/proxy.rs",
        // CUDA_VISIBLE_DEVICES is CUDA's own, which also reads it when a device is used.
        "crates/runner/src/environment.rs",
        // CUBLAS_WORKSPACE_CONFIG is NVIDIA's own, and a runner keeps the one that a person has set.
        "crates/spec/src/protocol/environment.rs",
    ];
    let mut used = using("crates", &["env::var"]);
    used.retain(|path| path.contains("/src/"));
    assert_eq!(used, crates);
    assert_eq!(using("crates/runner/src", &["from_env()"]), ["crates/runner/src/main.rs"]);
}

#[test]
fn imports_in_groups_are_found() {
    assert_eq!(named("use crate::{api, store::{Job, Lease}, worker};")[..2], ["api", "store"]);
    assert!(named("use crate::{api, store::{Job, Lease}, worker};").contains(&"worker".to_owned()));
    assert_eq!(named("use crate::store::Job;\n// crate::api"), ["store"]);
}
