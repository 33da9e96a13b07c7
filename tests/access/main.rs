//! Access: on a loopback address, only this machine; elsewhere, only clients with a token.

#[path = "../support/mod.rs"]
mod support;

mod tokens;
mod sign_in;
mod origins;
mod headers;
mod secrets;

use std::process::{Command, Output};

use support::{Answer, OPTLAB, Server};
use tempfile::TempDir;

const EVERYWHERE: &str = "0.0.0.0:0";
const EXPERIMENTS: &str = "/api/v1/experiments";
const SESSION: &str = "/api/v1/session";

fn optlab(folder: &TempDir, args: &[&str]) -> Output {
    Command::new(OPTLAB).args(args).current_dir(folder.path()).output().unwrap()
}

fn bearer(token: &str) -> String {
    format!("Bearer {token}")
}

fn get(server: &Server, path: &str, name: &str, value: &str) -> Answer {
    server.send("GET", path, &[(name, value)], b"")
}

#[track_caller]
fn is_problem(answer: &Answer, status: u16, kind: &str) {
    assert_eq!(
        (answer.status, answer.content_type.as_str()),
        (status, "application/problem+json"),
        "{answer:?}"
    );
    assert_eq!(answer.json()["type"], format!("urn:optlab:problem:{kind}"));
}
