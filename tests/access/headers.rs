//! Headers of every answer.

use tempfile::TempDir;

use super::support::{Server, token};
use super::{EVERYWHERE, bearer};

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
