//! Requests that are malformed or name something that does not exist.

use serde_json::json;
use tempfile::TempDir;

use super::support::Server;
use super::{EXPERIMENTS, Headers, good, is_problem};

#[test]
fn malformed_requests_are_rejected() {
    let folder = TempDir::new().unwrap();
    let server = Server::start_with(&folder, &["--workers", "0"]);
    let toml = [("content-type", "application/toml")];
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let bodies: Vec<(Headers<'_>, Vec<u8>, u16, &str)> = vec![
        (&[], b"".to_vec(), 400, "not JSON"),
        (&[], b"{".to_vec(), 400, "line 1"),
        (&[], b"{\"name\": nan}".to_vec(), 400, "not JSON"),
        (&[], b"{\"train\": {\"epochs\": 1e999}}".to_vec(), 400, "number out of range"),
        (&[], b"\xff\xfe\x00".to_vec(), 400, "not JSON"),
        (&[], deep.into_bytes(), 400, "not JSON"),
        (&[], b"name = \"toml\"".to_vec(), 400, "not JSON"),
        (&[], b"{\"seeds\": [0], \"seeds\": [1]}".to_vec(), 400, "the field \\\"seeds\\\" is set twice"),
        (&[], b"null".to_vec(), 422, "must be a table, is null"),
        (&toml, b"name = ".to_vec(), 400, "not TOML"),
        (&toml, b"a = 1\na = 2".to_vec(), 400, "not TOML"),
        (&toml, b"\xff".to_vec(), 400, "not TOML"),
        (&toml, b"{\"name\": 1}".to_vec(), 400, "not TOML"),
        (&toml, b"name = \"x\"\nseeds = [nan]".to_vec(), 422, "/seeds/0"),
        (
            &toml,
            b"train = { optimizer = { learning_rate = inf } }".to_vec(),
            422,
            "/train/optimizer/learning_rate",
        ),
        (&[("origin", "http://elsewhere.example")], good().to_string().into_bytes(), 403, "another site"),
        (&toml, b"name = \"x\"\nseeds = 2026-01-01".to_vec(), 422, "/seeds"),
        (&[], vec![b' '; 10_000_000], 413, "at most 1000000 bytes"),
        (&toml, vec![b'#'; 1_000_001], 413, "at most 1000000 bytes"),
        (&[("idempotency-key", "")], good().to_string().into_bytes(), 400, "Idempotency-Key"),
        (
            &[("optlab-provenance", "optlab submit")],
            good().to_string().into_bytes(),
            400,
            "Optlab-Provenance must be an object of JSON in ASCII",
        ),
        (
            &[("optlab-provenance", "{\"commit_hash\": \"main\"}")],
            good().to_string().into_bytes(),
            400,
            "has a `commit_hash` that is not 40 or 64 hexadecimal digits",
        ),
        (
            &[("optlab-provenance", "{\"command_line\": \"a\\u0000\"}")],
            good().to_string().into_bytes(),
            400,
            "must not contain the character U+0000",
        ),
    ];
    for (headers, body, status, says) in bodies {
        is_problem(&server.send("POST", EXPERIMENTS, headers, &body), status, says);
    }
    let requests: &[(&str, &str, u16, &str)] = &[
        ("GET", "/api/v1/nothing", 404, "/api/docs"),
        ("GET", "/nothing", 404, "there is no /nothing"),
        ("GET", "/api/docs/nothing", 404, "/api/docs lists"),
        ("GET", "/assets/../Cargo.toml", 404, "there is no"),
        ("GET", "/assets/%2e%2e/%2e%2e/Cargo.toml", 404, "there is no"),
        ("GET", "/api/v1/recipes/nothing", 404, "unknown recipe"),
        ("GET", "/api/v1/recipes/..%2f..%2fetc%2fpasswd", 404, "unknown recipe"),
        ("GET", "/api/v1/experiments/x", 404, "path"),
        ("GET", "/api/v1/experiments/-1", 404, "no experiment -1"),
        ("GET", "/api/v1/experiments/99999999999999999999", 404, "path: `99999999999999999999` is not an id"),
        ("GET", "/api/v1/jobs/first/metrics", 404, "path: `first` is not an id"),
        ("GET", "/api/v1/experiments/7", 404, "no experiment 7"),
        ("GET", "/api/v1/experiments/7/curves", 404, "no experiment 7"),
        ("GET", "/api/v1/experiments/7/comparison", 404, "no experiment 7"),
        ("POST", "/api/v1/experiments/7/cancel", 404, "no experiment 7"),
        ("POST", "/api/v1/experiments/7/retry", 404, "no experiment 7"),
        ("GET", "/api/v1/jobs/7", 404, "no job 7"),
        ("GET", "/api/v1/jobs/7/metrics", 404, "no job 7"),
        ("POST", "/api/v1/jobs/7/cancel", 404, "no job 7"),
        ("DELETE", "/api/v1/experiments", 405, "does not support DELETE"),
        ("PUT", "/api/v1/jobs/1", 405, "does not support PUT"),
        ("POST", "/healthz", 405, "does not support POST"),
        ("GET", "/api/v1/experiments?limit=0", 422, "from 1 to 1000"),
        ("GET", "/api/v1/experiments?limit=-1", 422, "is -1"),
        ("GET", "/api/v1/experiments?limit=x", 400, "query string: limit: "),
        ("GET", "/api/v1/experiments?limt=5", 400, "unknown field `limt`"),
        ("GET", "/api/v1/experiments?cursor=abc", 400, "cursor"),
        ("GET", "/api/v1/jobs?state=sleeping", 422, "must be one of running, queued"),
        ("GET", "/api/v1/jobs?experiment=%00", 422, "experiment"),
        ("GET", "/api/v1/events?experiment=one", 400, "experiment"),
    ];
    for &(method, path, status, says) in requests {
        is_problem(&server.send(method, path, &[], b""), status, says);
    }
    for path in [EXPERIMENTS, "/api/v1/imports"] {
        let send = |encoding| server.send("POST", path, &[("content-encoding", encoding)], b"{");
        is_problem(&send("gzip"), 415, "without `Content-Encoding`");
        assert_ne!(send("identity").status, 415, "{path}");
    }
    let id = server.submit(&good());
    let (experiment, job) =
        (format!("{EXPERIMENTS}/{id}"), format!("/api/v1/jobs/{}", server.jobs(id)[0]["id"]));
    let requests = [
        ("GET", format!("{experiment}/curves?series=test/acuracy"), 422, "no series \\\"test/acuracy\\\""),
        ("GET", format!("{experiment}/curves?points=0"), 422, "from 1 to 10000"),
        (
            "GET",
            format!("{experiment}/comparison?metric=beauty"),
            422,
            "must be one of test_error, best_test_error",
        ),
        ("GET", format!("{experiment}/comparison?baseline=z"), 422, "must be one of a"),
        ("GET", format!("{experiment}/comparison?last=0"), 422, "from 1 to 1000"),
        ("GET", format!("{experiment}/comparison?lst=5"), 400, "unknown field `lst`"),
        ("GET", format!("{job}/metrics?points=99999999999"), 422, "from 1 to 10000"),
        ("GET", format!("{job}/metrics?series=';DROP TABLE jobs"), 422, "there is no series"),
        ("GET", format!("{job}/metrics?after_step=-9"), 422, "after_step"),
        ("PATCH", experiment.clone(), 400, "not JSON"),
    ];
    for (method, path, status, says) in requests {
        is_problem(&server.send(method, &path.replace([' ', '\''], "%20"), &[], b""), status, says);
    }
    for (body, says) in [
        (r#"{"name": ""}"#, "/name"),
        (r#"{"note": "x"}"#, "did you mean `notes`"),
        (r#"{"priority": 1.5}"#, "/priority"),
        (r#"{"priority": 1000001}"#, "from -1000000"),
        ("[]", "a table"),
    ] {
        is_problem(&server.send("PATCH", &experiment, &[], body.as_bytes()), 422, says);
    }
    server.send("POST", &format!("{job}/cancel"), &[], b"");
    assert_eq!(server.get("/readyz").status, 200);
}

#[test]
fn an_experiment_cannot_be_renamed_to_a_misleading_name() {
    let folder = TempDir::new().unwrap();
    let server = Server::start_with(&folder, &["--workers", "0"]);
    let experiment = format!("{EXPERIMENTS}/{}", server.submit(&good()));
    for (name, says) in [
        ("5", "must not be only digits"),
        ("-rf", "must not begin with `-`"),
        (".", "must not be `.` or `..`"),
        ("..", "must not be `.` or `..`"),
    ] {
        let edit = json!({ "name": name }).to_string();
        is_problem(&server.send("PATCH", &experiment, &[], edit.as_bytes()), 422, says);
    }
    assert_eq!(server.read(&experiment)["name"], "good");
}
