//! Access: on a loopback address, only this machine; elsewhere, only clients with a token.

mod support;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::{Command, Output};

use serde_json::json;
use support::postgres::Postgres;
use support::waiting::{STUCK, wait_until};
use support::{Answer, OPTLAB, Server, small_experiment, token};
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

#[test]
fn a_browser_signs_in_with_a_cookie() {
    let folder = TempDir::new().unwrap();
    let secret = token(&folder, &["create", "me"]);
    let server = Server::start_on(EVERYWHERE, &folder, &["--workers", "0"]);
    let sign_in = |token: &str, headers: &[(&str, &str)]| {
        server.send("POST", SESSION, headers, json!({ "token": token }).to_string().as_bytes())
    };
    is_problem(&sign_in("optlab_", &[]), 401, "no-token");
    is_problem(&server.send("POST", SESSION, &[], b"{}"), 400, "malformed");
    is_problem(&sign_in(&secret, &[("origin", "http://elsewhere.example")]), 403, "foreign-origin");
    let answer = sign_in(&secret, &[]);
    assert_eq!(answer.status, 204, "{answer:?}");
    let cookie = answer.headers["set-cookie"].to_str().unwrap();
    let (value, attributes) = cookie.split_once("; ").unwrap();
    assert_eq!(attributes, "Path=/; Max-Age=2592000; HttpOnly; SameSite=Strict");
    assert_eq!(get(&server, SESSION, "cookie", value).json(), json!({ "scope": "read", "signed_in": true }));
    // Each proxy appends the scheme by which it was reached; the first is the browser's.
    let is_secure = |schemes: &str| {
        let answer = sign_in(&secret, &[("x-forwarded-proto", schemes)]);
        answer.headers["set-cookie"].to_str().unwrap().ends_with("; Secure")
    };
    for schemes in ["https", "https, http", "HTTPS,http", " https , https"] {
        assert!(is_secure(schemes), "{schemes}");
    }
    for schemes in ["http", "http, https", "", "httpsx"] {
        assert!(!is_secure(schemes), "{schemes}");
    }
    let out = server.send("DELETE", SESSION, &[], b"");
    assert!(out.headers["set-cookie"].to_str().unwrap().starts_with("optlab_session=; Path=/; Max-Age=0"));

    // A page under a path of a host limits the cookie to that path.
    let sign_in_at = |path: &str| {
        let body = json!({ "token": &secret, "path": path }).to_string();
        server.send("POST", SESSION, &[], body.as_bytes())
    };
    let cookie = sign_in_at("/lab/optlab/").headers["set-cookie"].to_str().unwrap().to_owned();
    assert!(cookie.contains("; Path=/lab/optlab; "), "{cookie}");
    let out = server.send("DELETE", &format!("{SESSION}?path=/lab/optlab/"), &[], b"");
    assert!(
        out.headers["set-cookie"]
            .to_str()
            .unwrap()
            .starts_with("optlab_session=; Path=/lab/optlab; Max-Age=0")
    );
    is_problem(&sign_in_at("/lab; Domain=example"), 422, "invalid-parameter");
}

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

#[test]
fn every_answer_has_security_and_cache_headers() {
    let folder = TempDir::new().unwrap();
    let secret = bearer(&token(&folder, &["create", "me", "--scope", "write"]));
    let open = Server::start_on(EVERYWHERE, &folder, &["--workers", "0"]);
    let here = TempDir::new().unwrap();
    let local = Server::start_with(&here, &["--workers", "0"]);
    let description = local.read("/api/openapi.json");
    let mut asked = 0;
    let mut check = |server: &Server, method: &str, path: &str, headers: &[(&str, &str)], kept: &str| {
        let (status, answer) = server.head_of(method, path, headers);
        let said = |name: &str| answer.get(name).map(|value| value.to_str().unwrap().to_owned());
        let what = format!("{method} {path}, {status}");
        assert_eq!(said("x-content-type-options").as_deref(), Some("nosniff"), "{what}");
        assert_eq!(said("x-frame-options").as_deref(), Some("DENY"), "{what}");
        assert_eq!(said("content-security-policy").as_deref(), Some("frame-ancestors 'none'"), "{what}");
        assert_eq!(said("cache-control").as_deref(), Some(kept), "{what}");
        asked += 1;
    };
    for (path, methods) in description["paths"].as_object().unwrap() {
        let url = path.replace("{id}", "1").replace("{name}", "digits-mlp");
        for method in methods.as_object().unwrap().keys().map(|method| method.to_uppercase()) {
            check(&local, &method, &url, &[], "no-store");
            check(&open, &method, &url, &[], "no-store");
            check(&open, &method, &url, &[("authorization", &secret)], "no-store");
        }
    }
    for path in [
        "/api/openapi.json",
        "/api/docs",
        "/api/docs/",
        "/api/docs/swagger-ui.css",
        "/nothing",
        "/assets/nothing",
    ] {
        check(&local, "GET", path, &[], "no-store");
    }
    check(&local, "BREW", "/", &[], "no-store");
    check(&local, "GET", "/healthz", &[("host", "rebound.example")], "no-store");
    for path in ["/", "/jobs/1"] {
        check(&local, "GET", path, &[], "no-cache");
    }
    // The names of assets change with their content.
    let page = local.get("/").text;
    let asset = page.split('"').find(|word| word.starts_with("./assets/")).unwrap();
    check(&local, "GET", &asset[1..], &[], "public, max-age=31536000, immutable");
    assert!(asked > 100, "only {asked} answers were checked");
}

#[test]
fn paths_cannot_reach_other_files() {
    let folder = TempDir::new().unwrap();
    let server = Server::start_with(&folder, &["--workers", "0"]);
    let job = server.jobs(server.submit(&small_experiment(1, &[0]))).remove(0)["id"].clone();
    for name in [
        "..%2f..%2fetc%2fpasswd",
        "%2fetc%2fpasswd",
        "..",
        "..%5c..%5coptlab.db",
        "a%00b",
        "%2e%2e%2foptlab.db",
    ] {
        let answer = server.get(&format!("/api/v1/jobs/{job}/artifacts/{name}"));
        is_problem(&answer, 404, "not-found");
    }
    for path in ["/api/v1/recipes/..%2fCargo.toml", "/assets/..%2f..%2foptlab.db", "/assets//etc/passwd"] {
        is_problem(&server.get(path), 404, "not-found");
    }
}

#[test]
fn no_token_is_in_the_log_or_the_database() {
    let folder = TempDir::new().unwrap();
    let secret = token(&folder, &["create", "me", "--scope", "write"]);
    let server = Server::start_logging("trace", EVERYWHERE, &folder, &["--workers", "0"]);
    assert_eq!(get(&server, EXPERIMENTS, "authorization", &bearer(&secret)).status, 200);
    assert_eq!(get(&server, EXPERIMENTS, "cookie", &format!("optlab_session={secret}")).status, 200);
    let body = json!({ "token": &secret }).to_string();
    assert_eq!(server.send("POST", SESSION, &[], body.as_bytes()).status, 204);
    let log = server.kill_for_its_log();
    assert!(
        log.contains("TRACE") && log.contains("/api/v1/session"),
        "this log is not verbose enough:\n{log}"
    );
    assert!(!log.contains(&secret), "{log}");
    for file in std::fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_file())
    {
        let bytes = std::fs::read(&file).unwrap();
        assert!(!bytes.windows(secret.len()).any(|window| window == secret.as_bytes()), "{}", file.display());
    }
}

#[test]
fn no_password_of_the_database_is_in_the_log() {
    let folder = TempDir::new().unwrap();
    let url = Postgres::shared().database().replace("optlab@", "optlab:hunter2@");
    let args = ["--workers", "0", "--artifacts", "files", "--database-url", &url];
    let server = Server::start_logging("trace", "127.0.0.1:0", &folder, &args);
    server.submit(&small_experiment(1, &[0]));
    let log = server.kill_for_its_log();
    assert!(log.contains("TRACE") && log.contains("INSERT INTO"), "this log is not verbose enough:\n{log}");
    assert!(!log.contains("hunter2"), "{log}");
    for command in [["migrate", "--log=trace"], ["token", "list"]] {
        let url = "postgres://me:hunter2@nowhere.invalid/optlab";
        let output = optlab(&folder, &[&command[..], &["--database-url", url]].concat());
        assert!(!output.status.success());
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(
            said.contains("postgres://...@nowhere.invalid/optlab") && !said.contains("hunter2"),
            "{said}"
        );
    }
    // A password with an unescaped `@`, `/` or `?`, and a misspelt parameter.
    for password in
        ["hunt@er2", "hunt/er2", "hunt?er2", "12/er2", "12?er2=x", "x@nowhere.invalid/optlab?pasword=er2&x="]
    {
        let url = format!("postgres://me:{password}@nowhere.invalid/optlab");
        let output = optlab(&folder, &["migrate", "--log=trace", "--database-url", &url]);
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(
            !output.status.success() && !said.contains("er2") && !said.contains("hunt"),
            "{password}: {said}"
        );
    }
    let help =
        Command::new(OPTLAB).args(["serve", "--help"]).env("OPTLAB_DATABASE_URL", &url).output().unwrap();
    assert!(help.status.success() && !String::from_utf8_lossy(&help.stdout).contains("hunter2"));
}
