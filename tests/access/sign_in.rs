//! The sign-in of a browser.

use serde_json::json;
use tempfile::TempDir;

use super::support::{Server, token};
use super::{EVERYWHERE, SESSION, get, is_problem};

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
