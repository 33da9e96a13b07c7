//! Behind a real nginx: event streams, the dashboard, sign-in and commands, at the root and under a prefix.

mod support;

use std::io::{BufRead, BufReader};
use std::process::Command;

use serde_json::json;
use support::nginx::Nginx;
use support::waiting::turn;
use support::{Answer, OPTLAB, Server, browse, small_experiment, token};
use tempfile::TempDir;

/// Only the address of the server.
fn bare(server: &Server) -> Nginx {
    Nginx::start(&format!("location / {{ proxy_pass {}; }}", origin(server)))
}

/// The prefix `/lab/optlab/`. If `strips`, the proxy removes it from requests.
fn in_folder(server: &Server, strips: bool) -> Nginx {
    let slash = if strips { "/" } else { "" };
    Nginx::start(&format!("location /lab/optlab/ {{ proxy_pass {}{slash}; }}", origin(server)))
}

/// The server's address without a prefix.
fn origin(server: &Server) -> &str {
    let end = server.address[7..].find('/').map_or(server.address.len(), |slash| slash + 7);
    &server.address[..end]
}

/// Uses the page in a browser, from an empty list to the end of an experiment.
fn watch(address: &str) {
    let mut browser = browse("proxy.mjs", address, &[]);
    BufReader::new(browser.stdout.take().unwrap()).lines().for_each(|line| println!("{}", line.unwrap()));
    assert!(browser.wait().unwrap().success());
}

#[test]
fn events_pass_a_proxy_without_delay() {
    let folder = TempDir::new().unwrap();
    let server = Server::start_with(&folder, &["--workers", "0"]);
    let nginx = bare(&server);
    let stream = ureq::get(format!("{}/api/v1/events", nginx.address)).call().unwrap();
    assert_eq!(stream.headers()["cache-control"], "no-store");
    let mut lines = BufReader::new(stream.into_body().into_reader()).lines().map(Result::unwrap);
    // Sent at once, so that a page can distinguish a quiet stream from a buffered one.
    assert_eq!(lines.next().as_deref(), Some("event: alive"));
    server.submit(&small_experiment(1, &[0]));
    assert!(lines.any(|line| line == "event: job"));
}

#[test]
fn the_page_works_behind_a_minimal_proxy() {
    let _turn = turn();
    let folder = TempDir::new().unwrap();
    let server = Server::start(&folder);
    let nginx = bare(&server);
    watch(&nginx.address);
}

#[test]
fn the_page_polls_behind_a_buffering_proxy() {
    let _turn = turn();
    let folder = TempDir::new().unwrap();
    let server = Server::start(&folder);
    let nginx = Nginx::start(&format!(
        "location / {{ proxy_pass {}; proxy_ignore_headers X-Accel-Buffering; }}",
        server.address
    ));
    watch(&nginx.address);
}

#[test]
fn the_page_works_under_a_prefix_that_the_proxy_strips() {
    let _turn = turn();
    let folder = TempDir::new().unwrap();
    let server = Server::start(&folder);
    let nginx = in_folder(&server, true);
    watch(&format!("{}/lab/optlab", nginx.address));
}

#[test]
fn the_page_works_under_a_configured_prefix() {
    let _turn = turn();
    let folder = TempDir::new().unwrap();
    let server = Server::start_with(&folder, &["--workers", "2", "--base-path", "/lab/optlab"]);
    assert!(server.address.ends_with("/lab/optlab"), "the log contains the prefix: {}", server.address);
    let nginx = in_folder(&server, false);
    watch(&format!("{}/lab/optlab", nginx.address));
}

#[test]
fn sign_in_works_under_a_prefix() {
    let _turn = turn();
    let folder = TempDir::new().unwrap();
    let secret = token(&folder, &["create", "reader"]);
    let server = Server::start_on("0.0.0.0:0", &folder, &["--workers", "0"]);
    let nginx = in_folder(&server, true);
    let address = format!("{}/lab/optlab", nginx.address);
    let mut browser = browse("sign-in.mjs", &address, &[&secret]);
    for line in BufReader::new(browser.stdout.take().unwrap()).lines() {
        if line.unwrap() == "the token may be revoked now" {
            token(&folder, &["revoke", "1"]);
        }
    }
    assert!(browser.wait().unwrap().success());
}

#[test]
fn a_sign_in_without_a_path_keeps_the_cookie_to_the_base_path() {
    let folder = TempDir::new().unwrap();
    let secret = token(&folder, &["create", "me"]);
    let server = Server::start_on("0.0.0.0:0", &folder, &["--workers", "0", "--base-path", "/lab/optlab"]);
    let body = json!({ "token": secret }).to_string();
    let session = |method: &str, body: &[u8]| {
        let address = format!("{}/api/v1/session", origin(&server));
        let request = ureq::http::Request::builder().method(method).uri(address).body(body.to_vec()).unwrap();
        support::answer(no_redirects().run(request))
    };
    let (signed_in, signed_out) = (session("POST", body.as_bytes()), session("DELETE", b""));
    for answer in [signed_in, signed_out] {
        let cookie = answer.headers["set-cookie"].to_str().unwrap();
        assert!(cookie.contains("; Path=/lab/optlab; "), "{cookie}");
    }
}

#[test]
fn no_address_of_the_server_leaves_the_prefix() {
    let folder = TempDir::new().unwrap();
    let server = Server::start_with(&folder, &["--workers", "0", "--base-path", "lab/optlab/"]);
    let get = |path: &str| -> Answer {
        support::answer(no_redirects().get(format!("{}{path}", origin(&server))).call())
    };
    for path in ["/lab/optlab/healthz", "/lab/optlab/api/v1/experiments", "/healthz", "/lab/optlab/jobs/1"] {
        assert_eq!(get(path).status, 200, "{path}");
    }
    for path in ["/lab/healthz", "/lab/optlabs/healthz", "/optlab/healthz", "/lab/optlab/lab/optlab/healthz"]
    {
        assert_eq!(get(path).status, 404, "{path}");
    }
    let location = |path: &str| get(path).headers["location"].to_str().unwrap().to_owned();
    assert_eq!(location("/lab/optlab"), "/lab/optlab/");
    assert_eq!(location("/lab/optlab/api/docs"), "docs/");
    assert_eq!(location("/api/docs"), "docs/");
    let description = get("/lab/optlab/api/openapi.json").json();
    assert_eq!(description["servers"], json!([{ "url": "/lab/optlab" }]));
    let home = |path: &str| {
        let text = get(path).text;
        text.split_once("<base href=\"").and_then(|(_, rest)| rest.split('"').next().map(str::to_owned))
    };
    for (path, up) in [("/", "./"), ("/sql", "./"), ("/jobs/1", "../"), ("/lab/optlab/experiments/1", "../")]
    {
        assert_eq!(home(path).as_deref(), Some(up), "{path}");
    }
}

#[test]
fn commands_reach_a_server_under_a_prefix() {
    let folder = TempDir::new().unwrap();
    let server = Server::start_with(&folder, &["--workers", "0"]);
    let nginx = in_folder(&server, true);
    let address = format!("{}/lab/optlab/", nginx.address);
    let optlab = |args: &[&str]| {
        let done = Command::new(OPTLAB).args(args).env("OPTLAB_SERVER", &address).output().unwrap();
        assert!(done.status.success(), "{args:?}: {done:?}");
        String::from_utf8(done.stdout).unwrap()
    };
    let told = optlab(&["submit", "digits-mlp"]);
    assert!(told.contains("/lab/optlab/experiments/1"), "{told}");
    assert!(optlab(&["experiments"]).contains("digits-mlp"));
}

#[test]
fn an_invalid_base_path_is_rejected() {
    for wrong in ["/a//b", "/a/../b", "/a b", "http://host/optlab", "/a;b"] {
        let refused = Command::new(OPTLAB).args(["serve", "--base-path", wrong]).output().unwrap();
        let said = String::from_utf8(refused.stderr).unwrap();
        assert_eq!(refused.status.code(), Some(2), "{wrong}: {said}");
        assert!(said.contains("--base-path") && said.contains("like /optlab"), "{said}");
    }
}

/// Does not follow redirects.
fn no_redirects() -> ureq::Agent {
    ureq::Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .build()
        .into()
}
