//! Reading the manifests, and checking them against the schemas.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use serde::Deserialize;
use serde_json::Value;

/// A document of a file.
#[derive(Deserialize)]
pub struct Manifest {
    /// The name of the file.
    pub file: String,
    pub document: Value,
}

/// Checks the files; returns their documents, or the errors.
pub fn check(files: &[PathBuf]) -> Result<Vec<Manifest>, String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/kubernetes");
    let python = folder.join(".venv/bin/python");
    let done = Command::new(&python).arg(folder.join("check.py")).args(files).output();
    let done = done.unwrap_or_else(|error| panic!("{}: {error}; run `make setup-test`", python.display()));
    if !done.status.success() {
        return Err(String::from_utf8(done.stderr).unwrap());
    }
    Ok(serde_json::from_slice(&done.stdout).unwrap())
}

/// Every document of `deploy/kubernetes`.
pub fn manifests() -> &'static [Manifest] {
    static MANIFESTS: LazyLock<Vec<Manifest>> = LazyLock::new(|| {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/kubernetes");
        let files: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        check(&files).unwrap_or_else(|errors| panic!("{errors}"))
    });
    &MANIFESTS
}

/// The document of this kind, whose name ends with `name`.
pub fn manifest(kind: &str, name: &str) -> &'static Value {
    let is_it = |document: &&Value| {
        document["kind"] == kind && document["metadata"]["name"].as_str().unwrap_or_default().ends_with(name)
    };
    let mut found = manifests().iter().map(|manifest| &manifest.document).filter(is_it);
    let document = found.next().unwrap_or_else(|| panic!("no {kind} {name}"));
    assert!(found.next().is_none(), "several {kind} {name}");
    document
}

/// The spec of each pod, by the name of what starts it.
pub fn pods() -> Vec<(&'static str, &'static Value)> {
    let templates = ["/spec/template/spec", "/spec/jobTargetRef/template/spec", "/spec"];
    let pods = manifests().iter().filter_map(|Manifest { document, .. }| {
        let mut specs = templates.iter().filter_map(|path| document.pointer(path));
        let spec = specs.find(|spec| spec.get("containers").is_some())?;
        Some((document["metadata"]["name"].as_str().unwrap(), spec))
    });
    pods.collect()
}

/// Copies of the value, each with another field misspelt, and the path of that field. The keys of maps are no fields, and
/// neither are labels, whose names have a slash.
pub fn misspelt(value: &Value) -> Vec<(String, Value)> {
    const MAPS: [&str; 3] = ["data", "requests", "limits"];
    let mut copies = Vec::new();
    match value {
        Value::Object(fields) => {
            for (name, inner) in fields {
                if name.contains('/') {
                    continue;
                }
                let mut changed = fields.clone();
                changed.remove(name);
                changed.insert(format!("{name}s"), inner.clone());
                copies.push((name.clone(), Value::Object(changed)));
                if MAPS.contains(&name.as_str()) {
                    continue;
                }
                for (path, inner) in misspelt(inner) {
                    let mut changed = fields.clone();
                    changed.insert(name.clone(), inner);
                    copies.push((format!("{name}.{path}"), Value::Object(changed)));
                }
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                for (path, item) in misspelt(item) {
                    let mut changed = items.clone();
                    changed[index] = item;
                    copies.push((format!("{index}.{path}"), Value::Array(changed)));
                }
            }
        }
        _ => {}
    }
    copies
}
