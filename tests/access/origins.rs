//! Requests to other host names and from other sites.

use std::io::{Read, Write};
use std::net::TcpStream;

use serde_json::json;
use tempfile::TempDir;

use super::support::waiting::STUCK;
use super::support::{Server, small_experiment};
use super::{EXPERIMENTS, SESSION, get, is_problem};

#[test]
fn a_loopback_server_needs_no_token_and_rejects_other_hosts() {
    let folder = TempDir::new().unwrap();
    let server = Server::start_with(&folder, &["--workers", "0"]);
    assert_eq!(server.read(SESSION), json!({ "scope": "write", "signed_in": false }));
    for host in ["localhost", "localhost:8080", "127.0.0.1:1", "127.9.9.9", "[::1]:8080"] {
        assert_eq!(get(&server, EXPERIMENTS, "host", host).status, 200, "{host}");
    }
    // A page on another site whose host name resolves to this server.
    for path in [EXPERIMENTS, "/", "/healthz", "/api/openapi.json", "/nothing"] {
        is_problem(&get(&server, path, "host", "rebound.example:8080"), 421, "foreign-host");
    }
    let origin = |origin: &str| {
        let headers = [("host", "localhost:8080"), ("origin", origin)];
        server.send("POST", EXPERIMENTS, &headers, small_experiment(1, &[0]).to_string().as_bytes())
    };
    for foreign in ["http://elsewhere.example", "http://localhost:9090", "null"] {
        is_problem(&origin(foreign), 403, "foreign-origin");
    }
    assert_eq!(origin("http://localhost:8080").status, 201);
}

#[test]
fn a_write_through_a_proxy_that_changes_the_host_is_checked_by_fetch_metadata() {
    let folder = TempDir::new().unwrap();
    let server = Server::start_with(&folder, &["--workers", "0"]);
    let write = |site: Option<&str>| {
        let site = site.map(|site| ("sec-fetch-site", site));
        let headers = [("host", "localhost:8080"), ("origin", "https://lab.example")];
        let headers: Vec<_> = headers.into_iter().chain(site).collect();
        server.send("POST", EXPERIMENTS, &headers, small_experiment(1, &[0]).to_string().as_bytes())
    };
    // Browsers send the header over https and on this machine.
    assert_eq!(write(Some("same-origin")).status, 201);
    for elsewhere in ["same-site", "cross-site", "anything"] {
        is_problem(&write(Some(elsewhere)), 403, "foreign-origin");
    }
    let unsaid = write(None);
    is_problem(&unsaid, 403, "foreign-origin");
    let detail = unsaid.json()["detail"].as_str().unwrap().to_owned();
    for word in ["https://lab.example", "localhost:8080", "proxy_set_header Host $http_host;"] {
        assert!(detail.contains(word), "{word} is missing: {detail}");
    }
    // A browser may send no origin.
    let without = server.send("POST", EXPERIMENTS, &[("sec-fetch-site", "same-site")], b"{}");
    is_problem(&without, 403, "foreign-origin");
    assert!(!without.text.contains("``"), "{without:?}");
    assert!(without.text.contains("Sec-Fetch-Site: same-site"), "{without:?}");
    // The browser's header can also reject a write.
    let headers =
        [("host", "localhost:8080"), ("origin", "http://localhost:8080"), ("sec-fetch-site", "cross-site")];
    is_problem(&server.send("POST", EXPERIMENTS, &headers, b"{}"), 403, "foreign-origin");
}

#[test]
fn every_form_of_request_target_is_checked_for_its_host() {
    let folder = TempDir::new().unwrap();
    let server = Server::start_with(&folder, &["--workers", "0"]);
    let send = |bytes: &[u8]| {
        let mut stream = TcpStream::connect(server.address.trim_start_matches("http://")).unwrap();
        stream.set_read_timeout(Some(STUCK)).unwrap();
        stream.write_all(bytes).unwrap();
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        String::from_utf8_lossy(&answer).into_owned()
    };
    let get = |target: &str, hosts: &[&str]| {
        let hosts: String = hosts.iter().map(|host| format!("host: {host}\r\n")).collect();
        send(format!("GET {target} HTTP/1.1\r\nconnection: close\r\n{hosts}\r\n").as_bytes())
    };
    assert!(get("/healthz", &["localhost"]).starts_with("HTTP/1.1 200"));
    assert!(get("http://localhost/healthz", &["localhost"]).starts_with("HTTP/1.1 200"));
    for (target, hosts) in [
        ("/healthz", &["rebound.example"][..]),
        ("/healthz", &["localhost", "rebound.example"]),
        ("http://rebound.example/healthz", &["localhost"]),
        ("http://rebound.example/healthz", &[]),
    ] {
        let answer = get(target, hosts);
        assert!(answer.starts_with("HTTP/1.1 421"), "{target} {hosts:?}: {answer}");
    }
    // HTTP/2 has another field for the host. The server does not speak it; a proxy uses HTTP/1.
    let settings = [0, 0, 0, 4, 0, 0, 0, 0, 0];
    let answer = send(&[b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", &settings[..]].concat());
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{answer:?}");
}
