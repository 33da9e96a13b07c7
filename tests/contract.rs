//! Snapshots of public contracts: the OpenAPI document and the resolved form of a spec. A change here is a change for
//! users; `cargo insta review` accepts it.

mod support;

use std::collections::BTreeSet;

use serde_json::{Value, json};
use support::Server;
use tempfile::TempDir;

#[test]
fn the_openapi_document_and_its_page_are_served() {
    let folder = TempDir::new().unwrap();
    let server = Server::start_with(&folder, &["--workers", "0"]);
    let mut description = server.read("/api/openapi.json");
    description["info"]["version"] = json!("");
    insta::assert_json_snapshot!("openapi", description);
    let page = server.get("/api/docs/");
    assert!(page.status == 200 && page.text.contains("swagger"), "{page:?}");
    // Every path of the document is a route, whatever it answers for an unknown id.
    for path in description["paths"].as_object().unwrap().keys().filter(|path| !path.ends_with("/events")) {
        let answer = server.get(&path.replace("{id}", "1").replace("{name}", "digits-mlp"));
        assert!(!answer.text.contains("/api/docs lists all routes"), "{path}: {answer:?}");
    }
}

/// Visits every object of a document, with its path.
fn visit<'a>(value: &'a Value, path: &str, see: &mut impl FnMut(&str, &'a serde_json::Map<String, Value>)) {
    match value {
        Value::Object(fields) => {
            see(path, fields);
            fields.iter().for_each(|(name, field)| visit(field, &format!("{path}/{name}"), see));
        }
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(index, item)| visit(item, &format!("{path}/{index}"), see));
        }
        _ => {}
    }
}

#[test]
fn the_openapi_document_is_complete() {
    let folder = TempDir::new().unwrap();
    let server = Server::start_with(&folder, &["--workers", "0"]);
    let description = server.read("/api/openapi.json");
    visit(&description, "", &mut |path, fields| {
        if let Some(reference) = fields.get("$ref").and_then(Value::as_str) {
            assert!(description.pointer(&reference[1..]).is_some(), "{path} refers to {reference}");
        }
    });
    let mut ids = BTreeSet::new();
    for (path, methods) in description["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let called = format!("{method} {path}");
            assert!(
                ids.insert(operation["operationId"].as_str().unwrap()),
                "{called}: duplicate operation id"
            );
            let is_open = ["/healthz", "/readyz"].contains(&path.as_str())
                || path.ends_with("/session") && method != "get";
            assert_eq!(operation["security"].is_array(), !is_open, "{called}");
            for (status, response) in operation["responses"].as_object().unwrap() {
                let response = match response["$ref"].as_str() {
                    Some(reference) => description.pointer(&reference[1..]).unwrap(),
                    None => response,
                };
                assert!(
                    !response["description"].as_str().unwrap_or_default().is_empty(),
                    "{called} {status}"
                );
                let is_problem = response["content"].get("application/problem+json").is_some();
                assert_eq!(is_problem, status.as_str() >= "400", "{called} {status}: {response:#}");
            }
            let has = |status: &str| operation["responses"].get(status).is_some();
            assert!(is_open || has("401") && has("503"), "{called}");
            assert!(method == "get" || has("403"), "{called}");
            assert!(
                operation.get("requestBody").is_none() || has("400") && has("413") && has("422"),
                "{called}"
            );
            for parameter in operation["parameters"].as_array().into_iter().flatten() {
                let schema = &parameter["schema"];
                let schema = schema.get("items").unwrap_or(schema);
                let bounds = ["minimum", "pattern", "enum"].map(|bound| schema.get(bound).is_some());
                let is_free = ["series", "dry_run", "archived", "where", "Range", "Last-Event-ID"]
                    .contains(&parameter["name"].as_str().unwrap());
                assert!(is_free || bounds.contains(&true), "{called}: {parameter:#}");
            }
        }
    }
}

#[test]
fn a_recipe_resolves_to_a_spec_with_every_default() {
    let folder = TempDir::new().unwrap();
    let server = Server::start_with(&folder, &["--workers", "0"]);
    let toml = r#"
        name = "short"
        train = { epochs = 2, data = { name = "digits" }, model = { kind = "mlp", hidden = [8] } }
        [[arms]]
        name = "baseline"
        method = { kind = "baseline" }
        [[arms]]
        name = "opt-faster"
        method = { kind = "opt", transform = "cayley" }
        train = { optimizer = { learning_rate = 0.5 } }
    "#;
    let toml_type = [("content-type", "application/toml")];
    let answer = server.send("POST", "/api/v1/experiments?dry_run=true", &toml_type, toml.as_bytes());
    assert_eq!(answer.status, 200, "{answer:?}");
    insta::assert_json_snapshot!("resolved", answer.json());

    // A stored spec can be submitted again and resolves to itself.
    let spec = answer.json()["spec"].clone();
    let again = server.post("/api/v1/experiments?dry_run=true", &spec);
    assert_eq!(again.json()["spec"], spec);
}

#[test]
fn the_fields_of_a_job_are_stable() {
    let folder = TempDir::new().unwrap();
    let server = Server::start_with(&folder, &["--workers", "0"]);
    let id = server.submit(&support::small_experiment(1, &[0]));
    let mut job = server.jobs(id).remove(0);
    job["created_at"] = Value::from("[time]");
    insta::assert_json_snapshot!("job", job);
}
