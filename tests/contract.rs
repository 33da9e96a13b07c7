//! What others build on, as snapshots: the OpenAPI document and the resolved form of a spec. A change that shows up
//! here is a change for users; `cargo insta review` accepts it.

mod support;

use serde_json::{Value, json};
use support::Server;
use tempfile::TempDir;

#[test]
fn the_interface_is_described_and_its_page_is_served() {
    let folder = TempDir::new().unwrap();
    let server = Server::start_with(&folder, &["--workers", "0"]);
    let mut description = server.read("/api/openapi.json");
    description["info"]["version"] = json!("");
    insta::assert_json_snapshot!("openapi", description);
    let page = server.get("/api/docs/");
    assert!(page.status == 200 && page.text.contains("swagger"), "{page:?}");
    // Every path of the description is a route, whatever its answer to an id that does not exist.
    for path in description["paths"].as_object().unwrap().keys().filter(|path| !path.ends_with("/events")) {
        let answer = server.get(&path.replace("{id}", "1").replace("{name}", "digits-mlp"));
        assert!(!answer.text.contains("/api/docs lists"), "{path}: {answer:?}");
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

    // What is stored can be submitted again and means the same.
    let spec = answer.json()["spec"].clone();
    let again = server.post("/api/v1/experiments?dry_run=true", &spec);
    assert_eq!(again.json()["spec"], spec);
}

#[test]
fn a_job_has_the_fields_that_it_always_had() {
    let folder = TempDir::new().unwrap();
    let server = Server::start_with(&folder, &["--workers", "0"]);
    let id = server.submit(&support::small_experiment(1, &[0]));
    let mut job = server.jobs(id).remove(0);
    job["created_at"] = Value::from("[time]");
    insta::assert_json_snapshot!("job", job);
}
