//! Tokens: which requests need one, and what each allows.

use std::process::Command;

use serde_json::json;
use tempfile::TempDir;

use super::support::waiting::wait_until;
use super::support::{OPTLAB, Server, small_experiment, token};
use super::{EVERYWHERE, EXPERIMENTS, SESSION, bearer, get, is_problem, optlab};

#[test]
fn a_server_on_a_public_address_requires_a_token_to_start() {
    let folder = TempDir::new().unwrap();
    let refused = || optlab(&folder, &["serve", "--listen", EVERYWHERE, "--workers", "0"]);
    let output = refused();
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).unwrap();
    let command = "optlab token create NAME --scope write --database-url sqlite:optlab.db";
    assert!(said.contains(command), "{said}");

    // The suggested command works, until the token is revoked.
    let words: Vec<&str> = command.split(' ').skip(1).collect();
    assert!(optlab(&folder, &words).status.success());
    Server::start_on(EVERYWHERE, &folder, &["--workers", "0"]).kill();
    token(&folder, &["revoke", "1"]);
    assert_eq!(refused().status.code(), Some(1));
}

#[test]
fn every_route_but_health_and_sign_in_requires_a_token() {
    let folder = TempDir::new().unwrap();
    let secret = token(&folder, &["create", "me"]);
    let server = Server::start_on(EVERYWHERE, &folder, &["--workers", "0"]);
    let authorization = bearer(&secret);
    let description = get(&server, "/api/openapi.json", "authorization", &authorization).json();
    let mut asked = 0;
    for (path, methods) in description["paths"].as_object().unwrap() {
        let url = path.replace("{id}", "1").replace("{name}", "digits-mlp");
        for method in methods.as_object().unwrap().keys().map(|method| method.to_uppercase()) {
            if ["/healthz", "/readyz"].contains(&path.as_str()) || path == SESSION && method != "GET" {
                continue;
            }
            let answer = server.send(&method, &url, &[], b"{}");
            is_problem(&answer, 401, "no-token");
            assert_eq!(answer.headers["www-authenticate"], "Bearer");
            asked += 1;
        }
    }
    assert!(asked > 20, "only {asked} routes were requested");
    for path in ["/api/openapi.json", "/api/docs/"] {
        is_problem(&server.get(path), 401, "no-token");
        assert_eq!(get(&server, path, "authorization", &authorization).status, 200);
    }
    for path in ["/healthz", "/readyz", "/", "/experiments/1"] {
        assert_eq!(server.get(path).status, 200, "{path}");
    }
    // With tokens, the server may have any host name.
    assert_eq!(get(&server, "/healthz", "host", "optlab.example").status, 200);
}

/// A read is a GET, or the query, which is sent by POST because of its length.
#[test]
fn every_route_that_writes_needs_the_scope_write() {
    let folder = TempDir::new().unwrap();
    let reader = bearer(&token(&folder, &["create", "reader", "--scope", "read"]));
    let server = Server::start_on(EVERYWHERE, &folder, &["--workers", "0"]);
    let description = get(&server, "/api/openapi.json", "authorization", &reader).json();
    let mut refused = 0;
    for (path, methods) in description["paths"].as_object().unwrap() {
        let url = path.replace("{id}", "1").replace("{name}", "digits-mlp");
        for (method, operation) in methods.as_object().unwrap() {
            let method = method.to_uppercase();
            let is_read = method == "GET" || path == "/api/v1/query" || operation["security"].is_null();
            let (status, _) = server.head_of(&method, &url, &[("authorization", &reader)]);
            assert_eq!(status == 403, !is_read, "{method} {path}: {status}");
            assert_ne!(status, 401, "{method} {path}");
            refused += usize::from(!is_read);
        }
    }
    assert!(refused > 10, "only {refused} routes write");
}

#[test]
fn a_token_grants_its_scope_until_it_is_revoked() {
    let folder = TempDir::new().unwrap();
    let reader = bearer(&token(&folder, &["create", "reader", "--scope", "read"]));
    let writer = bearer(&token(&folder, &["create", "writer", "--scope", "write"]));
    let server = Server::start_on(EVERYWHERE, &folder, &["--workers", "0"]);
    let submit = |authorization: &str| {
        let body = small_experiment(1, &[0]).to_string();
        server.send("POST", EXPERIMENTS, &[("authorization", authorization)], body.as_bytes())
    };
    is_problem(&submit(&reader), 403, "read-only");
    assert_eq!(submit(&writer).status, 201);
    for authorization in [&reader, &writer] {
        let list = get(&server, EXPERIMENTS, "authorization", authorization).json();
        assert_eq!(list["items"].as_array().unwrap().len(), 1);
    }
    let wrong = [
        bearer(&format!("optlab_{}", "0".repeat(64))),
        bearer(""),
        "Basic eDp5".to_owned(),
        reader.replace("Bearer ", ""),
    ];
    for authorization in &wrong {
        is_problem(&get(&server, EXPERIMENTS, "authorization", authorization), 401, "no-token");
    }

    token(&folder, &["revoke", "1"]);
    wait_until("the revoked token is rejected", || {
        get(&server, EXPERIMENTS, "authorization", &reader).status == 401
    });
    assert_eq!(get(&server, EXPERIMENTS, "authorization", &writer).status, 200);
    assert!(!optlab(&folder, &["token", "revoke", "9"]).status.success());
    let list: serde_json::Value = serde_json::from_str(&token(&folder, &["list", "--json"])).unwrap();
    assert_eq!((&list[0]["name"], &list[1]["scope"]), (&json!("reader"), &json!("write")));
    assert!(list[0]["revoked_at"].is_string() && list[1]["revoked_at"].is_null(), "{list:#}");
}

#[test]
fn commands_send_the_token_of_their_environment() {
    let folder = TempDir::new().unwrap();
    let secret = token(&folder, &["create", "me", "--scope", "write"]);
    let server = Server::start_on(EVERYWHERE, &folder, &["--workers", "0"]);
    let submit = |token: &str| {
        let mut command = Command::new(OPTLAB);
        command.args(["submit", "digits-mlp", "--server", &server.address]).env("OPTLAB_TOKEN", token);
        command.output().unwrap()
    };
    assert!(submit(&secret).status.success());
    let refused = submit("");
    assert_eq!(refused.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("OPTLAB_TOKEN"), "{refused:?}");
}
