//! Many connections to a server that may open few files: it still answers, trains and stops.

mod support;

use std::io::{Read, Write};
use std::net::TcpStream;

use serde_json::Value;
use support::processes::signal;
use support::waiting::{STUCK, wait_until};
use support::{Server, small_experiment};
use tempfile::TempDir;

const FILES: u32 = 64;

/// Opens a connection and sends `text`.
fn connection(server: &Server, text: &str) -> TcpStream {
    let mut stream = TcpStream::connect(server.address.trim_start_matches("http://")).unwrap();
    stream.set_read_timeout(Some(STUCK)).unwrap();
    stream.write_all(text.as_bytes()).unwrap();
    stream
}

/// The head of the answer; empty if the connection was closed without one.
fn head(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    let mut byte = [0];
    while !bytes.ends_with(b"\r\n\r\n") && matches!(stream.read(&mut byte), Ok(1)) {
        bytes.push(byte[0]);
    }
    String::from_utf8(bytes).unwrap()
}

fn ask(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n")
}

#[test]
fn an_answer_before_the_end_of_the_body_closes_the_connection() {
    let folder = TempDir::new().unwrap();
    let server = Server::start_with(&folder, &["--workers", "0"]);
    let ends = |request: &str, length: usize, body: &str| {
        let head_of_request =
            format!("{request} HTTP/1.1\r\nhost: localhost\r\ncontent-length: {length}\r\n\r\n");
        let answer = head(&mut connection(&server, &format!("{head_of_request}{body}")));
        assert!(answer.starts_with("HTTP/1.1 "), "{request}: {answer:?}");
        answer.contains("connection: close")
    };
    let query = r#"{"sql": "SELECT 1"}"#;
    for (request, length) in [
        ("GET /api/v1/jobs", 2),
        ("POST /api/v1/jobs/1/cancel", 2),
        ("POST /nothing", 9),
        ("PUT /healthz", 1),
    ] {
        assert!(ends(request, length, ""), "{request}");
    }
    for (request, body) in
        [("GET /api/v1/jobs", ""), ("POST /api/v1/jobs/1/cancel", ""), ("POST /api/v1/query", query)]
    {
        assert!(!ends(request, body.len(), body), "{request}");
    }
}

#[test]
fn idle_connections_are_closed_for_new_ones() {
    let folder = TempDir::new().unwrap();
    let mut server = Server::start_with_files(FILES, &folder, &["--workers", "1"]);
    let id = server.submit(&small_experiment(1, &[0]));
    // A silent connection, one in the middle of a head, and one kept open after an answer.
    let held: Vec<TcpStream> = ["", "GET / HTTP/1.1\r\nhost: localh", &ask("/healthz")]
        .iter()
        .flat_map(|text| std::iter::repeat_n(text, 40))
        .map(|text| connection(&server, text))
        .collect();
    assert_eq!(server.get("/healthz").status, 200);
    assert_eq!(server.get("/readyz").status, 200);
    server.wait_for_success(id);
    assert!(signal(server.child.id(), "TERM"));
    assert!(server.child.wait().unwrap().success());
    drop(held);
}

#[test]
fn health_checks_are_answered_when_all_connections_are_in_use() {
    let folder = TempDir::new().unwrap();
    let server = Server::start_with_files(FILES, &folder, &["--workers", "1"]);
    let id = server.submit(&small_experiment(1, &[0]));
    // All of them stay open; the server closes the rejected ones.
    let mut streams: Vec<TcpStream> = (0..100).map(|_| connection(&server, &ask("/api/v1/events"))).collect();
    let heads: Vec<String> = streams.iter_mut().map(head).collect();
    let count = |status: &str| heads.iter().filter(|head| head.starts_with(status)).count();
    let (served, refused) = (count("HTTP/1.1 200"), count("HTTP/1.1 503"));
    assert!(served >= 8 && served + refused == heads.len(), "{served} served, {refused} refused: {heads:?}");
    let refusal = heads.iter().find(|head| head.starts_with("HTTP/1.1 503")).unwrap();
    for line in ["content-type: application/problem+json", "retry-after: ", "connection: close"] {
        assert!(refusal.contains(line), "{line} is missing: {refusal}");
    }
    for path in ["/healthz", "/readyz"] {
        assert_eq!(server.get(path).status, 200, "{path}");
    }
    let refused = server.get("/api/v1/jobs");
    assert_eq!(refused.status, 503);
    assert_eq!(refused.json()["type"], "urn:optlab:problem:crowded");
    // The accepted stream continues, and the worker trains.
    let mut text = String::new();
    while !text.contains("\"state\":\"succeeded\"") {
        let mut part = [0; 4096];
        let read = streams[0].read(&mut part).unwrap();
        text.push_str(&String::from_utf8_lossy(&part[..read]));
        assert!(read > 0, "no job has succeeded: {text}");
    }
    drop(streams);
    wait_until("requests are served after the crowd has gone", || server.get("/api/v1/jobs").status == 200);
    let jobs: Vec<Value> = server.wait_for_success(id);
    assert_eq!(jobs.len(), 3);
}
