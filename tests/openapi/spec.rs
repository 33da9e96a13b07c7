//! The schema of specs, which `optlab spec schema` prints and the OpenAPI document contains, matches the parser of
//! specs: the parser rejects what the schema rejects, and the schema has every field.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use optlab_spec::{lay_over, recipes, submission};
use serde_json::{Map, Value, json};
use tempfile::TempDir;

use crate::support::processes::optlab;

/// Whether each document fits the schema, by a third-party validator.
fn fits(documents: &[Value]) -> Vec<bool> {
    let folder = TempDir::new().unwrap();
    let schema = folder.path().join("schema.json");
    let printed = optlab().args(["spec", "schema"]).output().unwrap();
    assert!(printed.status.success(), "{printed:?}");
    fs::write(&schema, printed.stdout).unwrap();
    let home = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/openapi");
    let mut validator = Command::new(home.join(".venv/bin/python"));
    validator.arg(home.join("valid.py")).arg(&schema).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut validator = validator.spawn().expect("`make setup-test` installs the validator");
    let lines: String = documents.iter().map(|document| format!("{document}\n")).collect();
    let mut input = validator.stdin.take().unwrap();
    let sender = std::thread::spawn(move || input.write_all(lines.as_bytes()).unwrap());
    let output = validator.wait_with_output().unwrap();
    sender.join().unwrap();
    let verdicts = String::from_utf8(output.stdout).unwrap();
    let verdicts: Vec<bool> = verdicts.lines().map(|line| line.parse().unwrap()).collect();
    assert_eq!(verdicts.len(), documents.len());
    verdicts
}

/// The files of the repository that show specs.
fn documentation() -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let pages = fs::read_dir(root.join("docs")).unwrap().map(|entry| entry.unwrap().path());
    let pages = pages.filter(|path| path.extension().is_some_and(|ending| ending == "md"));
    pages.chain([root.join("README.md")]).map(|path| fs::read_to_string(path).unwrap()).collect()
}

/// Specs as people write them: the recipes, and the whole examples of the documentation.
fn written() -> Vec<Value> {
    let recipes = recipes::ALL.iter().map(recipes::Recipe::value);
    let pages = documentation();
    let blocks = pages.iter().flat_map(|page| page.split("```toml\n").skip(1));
    let blocks = blocks.map(|block| block.split("```").next().unwrap());
    let examples = blocks.filter(|block| block.contains("[[arms]]"));
    let examples: Vec<Value> = examples.map(|toml| submission::parse_toml(toml).unwrap()).collect();
    assert!(!examples.is_empty());
    recipes.chain(examples).collect()
}

fn resolved(spec: &Value) -> Value {
    let spec = submission::resolve(spec).unwrap_or_else(|refusal| panic!("{refusal}\n{spec:#}"));
    serde_json::to_value(spec).unwrap()
}

#[test]
fn every_recipe_and_example_fits_as_written_and_as_resolved() {
    let written = written();
    let resolved = written.iter().map(resolved);
    let all: Vec<Value> = written.iter().cloned().chain(resolved).collect();
    for (document, fits) in all.iter().zip(fits(&all)) {
        assert!(fits, "{document:#}");
    }
}

/// A small experiment in which each table of the documentation can be tried.
fn base() -> Value {
    json!({
        "name": "tried",
        "train": { "epochs": 1, "data": { "name": "cifar-10" }, "model": { "kind": "cnn6", "width": 4 } },
        "arms": [
            { "name": "one", "method": { "kind": "opt", "transform": "cayley" }, "train": {} },
            { "name": "two", "method": { "kind": "baseline" } },
        ],
    })
}

/// `spec` with `table` in place of the one at `pointer`.
fn with(mut spec: Value, pointer: &str, table: Value) -> Value {
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    spec.pointer_mut(parent).unwrap()[name] = table;
    spec
}

/// Every inline table of the documentation in place of each table of a spec, alone and merged with the present one.
fn tried() -> Vec<Value> {
    let pages = documentation();
    let tables = pages.iter().flat_map(|page| page.split('`')).filter(|code| code.starts_with("{ "));
    let tables =
        tables.filter_map(|code| Some(submission::parse_toml(&format!("it = {code}")).ok()?["it"].take()));
    let tables: Vec<Value> = tables.collect();
    assert!(tables.len() >= 10, "{tables:#?}");
    let places = [
        "/checkpoint",
        "/resources",
        "/train/data",
        "/train/model",
        "/train/optimizer",
        "/train/schedule",
        "/train/energy",
        "/arms/0/train/model",
        "/arms/0/train/optimizer",
        "/arms/0/method",
        "/arms/0/method/stochastic",
    ];
    let mut tried = vec![base()];
    for place in places {
        for table in &tables {
            tried.push(with(base(), place, table.clone()));
            let there = base().pointer(place).cloned().unwrap_or_else(|| json!({}));
            tried.push(with(base(), place, lay_over(there, table.clone())));
        }
    }
    tried
}

/// Every document that differs from `spec` in one value, which is replaced by values of other types.
fn changed(spec: &Value) -> Vec<Value> {
    let others =
        [json!(null), json!(true), json!(-1), json!(1), json!(0.5), json!("word"), json!([]), json!({})];
    let pointers = pointers(spec).into_iter().filter(|pointer| !pointer.is_empty());
    pointers.flat_map(|pointer| others.clone().map(|other| put(spec, &pointer, other))).collect()
}

fn put(spec: &Value, pointer: &str, value: Value) -> Value {
    let mut spec = spec.clone();
    *spec.pointer_mut(pointer).unwrap() = value;
    spec
}

/// The pointer of every value of a document.
fn pointers(value: &Value) -> Vec<String> {
    let below =
        |name: &str, value| pointers(value).into_iter().map(move |rest| format!("/{name}{rest}")).collect();
    let inner: Vec<Vec<String>> = match value {
        Value::Object(fields) => fields.iter().map(|(name, value)| below(name, value)).collect(),
        Value::Array(items) => {
            items.iter().enumerate().map(|(i, value)| below(&i.to_string(), value)).collect()
        }
        _ => Vec::new(),
    };
    [String::new()].into_iter().chain(inner.concat()).collect()
}

#[test]
fn the_parser_rejects_what_the_schema_rejects() {
    let mut documents = tried();
    for spec in [base(), resolved(&base())] {
        documents.extend(changed(&spec));
    }
    let mut refused = 0;
    for (document, fits) in documents.iter().zip(fits(&documents)) {
        let accepted = submission::resolve(document).is_ok();
        assert!(fits || !accepted, "the schema refuses what is accepted: {document:#}");
        refused += usize::from(!fits);
    }
    assert!(refused > documents.len() / 4, "{refused} of {}", documents.len());
}

#[test]
fn an_unknown_field_is_rejected_in_every_table() {
    let (mut documents, mut places) = (Vec::new(), Vec::new());
    for spec in written().iter().flat_map(|spec| [spec.clone(), resolved(spec)]) {
        for pointer in pointers(&spec) {
            if let Some(Value::Object(table)) = spec.pointer(&pointer) {
                let mut table: Map<String, Value> = table.clone();
                table.insert("surprise".to_owned(), json!(1));
                // The schema leaves open what was written for a tuned arm.
                places.push(pointer.contains("/source/"));
                documents.push(put(&spec, &pointer, table.into()));
            }
        }
    }
    for ((document, is_open), fits) in documents.iter().zip(places).zip(fits(&documents)) {
        let accepted = submission::resolve(document).is_ok();
        assert!(fits == is_open && !accepted, "by the schema {fits}, by optlab {accepted}: {document:#}");
    }
}

#[test]
fn a_field_that_the_schema_requires_is_required() {
    let spec = base();
    let mut documents = Vec::new();
    for (pointer, name) in [
        ("", "name"),
        ("", "train"),
        ("", "arms"),
        ("/arms/0", "name"),
        ("/arms/0", "method"),
        ("/arms/0/method", "kind"),
        ("/arms/0/method", "transform"),
    ] {
        let mut without = spec.clone();
        without.pointer_mut(pointer).unwrap().as_object_mut().unwrap().remove(name);
        documents.push(without);
    }
    documents.push(with(spec, "/arms/0/method/stochastic", json!({ "fraction": 0.5 })));
    for (document, fits) in documents.iter().zip(fits(&documents)) {
        assert!(!fits && submission::resolve(document).is_err(), "{document:#}");
    }
}
