//! Invalid requests are answered with a 4xx problem+json that states the mistake, never with a 5xx or silence.

#[path = "../support/mod.rs"]
mod support;

mod specs;
mod reports;
mod requests;

use serde_json::{Value, json};
use support::Answer;

type Headers<'a> = &'a [(&'a str, &'a str)];

const EXPERIMENTS: &str = "/api/v1/experiments";

fn good() -> Value {
    json!({
        "name": "good",
        "seeds": [0],
        "train": {
            "epochs": 1,
            "data": { "name": "digits" },
            "model": { "kind": "mlp", "hidden": [8] },
            "optimizer": { "kind": "sgd" },
            "schedule": { "kind": "constant" },
            "energy": {},
        },
        "resources": {},
        "arms": [{ "name": "a", "method": { "kind": "opt", "transform": "cayley" } }],
    })
}

/// A valid spec with the field at `pointer` set to `value`.
fn with(pointer: &str, value: Value) -> Value {
    let (parent, field) = pointer.rsplit_once('/').unwrap();
    let mut spec = good();
    spec.pointer_mut(parent).unwrap()[field] = value;
    spec
}

/// Asserts that the answer is a problem with this status and that its text contains `says`.
fn is_problem(answer: &Answer, status: u16, says: &str) {
    assert_eq!(answer.status, status, "{answer:?}");
    assert_eq!(answer.content_type, "application/problem+json", "{answer:?}");
    let problem = answer.json();
    assert_eq!(problem["status"], status);
    assert!(problem["type"].as_str().unwrap().starts_with("urn:optlab:problem:"), "{answer:?}");
    assert!(problem["detail"].as_str().unwrap().len() > 5, "{answer:?}");
    assert!(answer.text.contains(says), "`{says}` is missing: {}", answer.text);
}
