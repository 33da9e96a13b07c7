//! The fields in which the arms of a copied experiment differ.

use serde_json::json;
use tempfile::TempDir;

use super::support::Server;

#[test]
fn a_copy_inherits_the_same_fields_and_different_rates_are_named() {
    let folder = TempDir::new().unwrap();
    let server = Server::start_with(&folder, &["--workers", "0"]);
    let toml = r#"
        name = "original" # its own comment
        train = { epochs = 1, data = { name = "digits" }, model = { kind = "mlp", hidden = [8] } }
        [[arms]]
        name = "baseline"
        method = { kind = "baseline" }
        [[arms]]
        name = "opt"
        method = { kind = "opt", transform = "cayley" }
    "#;
    let submit = |content_type: &str, text: &str| {
        let answer =
            server.send("POST", "/api/v1/experiments", &[("content-type", content_type)], text.as_bytes());
        assert_eq!(answer.status, 201, "{answer:?}");
        answer.json()["id"].as_i64().unwrap()
    };
    let rates = |experiment: i64| {
        let comparison = server.read(&format!("/api/v1/experiments/{experiment}/comparison"));
        let fields = comparison["differences"].as_array().unwrap();
        let rates = fields.iter().find(|field| field["pointer"] == "/method/learning_rate");
        rates.map(|field| field["values"].clone())
    };
    let original = submit("application/toml", toml);
    let submission = server.read(&format!("/api/v1/experiments/{original}/submission"));
    assert_eq!(submission["text"], toml);

    // The optimizer's rate is raised in a copy, and both arms follow.
    let mut copy = submission["draft"].clone();
    copy["train"]["optimizer"] = json!({ "learning_rate": 0.5 });
    let copy = submit("application/json", &copy.to_string());
    let arms = server.read(&format!("/api/v1/experiments/{copy}"))["spec"]["arms"].clone();
    for arm in arms.as_array().unwrap() {
        assert_eq!(arm["train"]["optimizer"]["learning_rate"], 0.5, "{arm}");
    }
    assert_eq!(arms[1]["method"]["learning_rate"], 0.5);
    assert_eq!((rates(original), rates(copy)), (None, None));

    // In the resolved spec every rate is spelled out, so the rate of the other arm does not change.
    let mut resolved = server.read(&format!("/api/v1/experiments/{original}"))["spec"].clone();
    resolved["arms"][0]["train"]["optimizer"]["learning_rate"] = json!(0.5);
    let unequal = submit("application/json", &resolved.to_string());
    assert_eq!(rates(unequal), Some(json!({ "baseline": 0.5, "opt": 0.1 })));

    let gone = server.get("/api/v1/experiments/99/submission");
    assert_eq!(gone.status, 404, "{gone:?}");
}
