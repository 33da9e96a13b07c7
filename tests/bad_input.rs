//! Invalid requests are answered with a 4xx problem+json that states the mistake, never with a 5xx or silence.

mod support;

use serde_json::{Value, json};
use support::{Answer, Server};
use tempfile::TempDir;

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

fn without(pointer: &str) -> Value {
    let (parent, field) = pointer.rsplit_once('/').unwrap();
    let mut spec = good();
    spec.pointer_mut(parent).unwrap().as_object_mut().unwrap().remove(field).unwrap();
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

#[test]
fn invalid_specs_are_rejected_with_the_path_of_the_field() {
    let folder = TempDir::new().unwrap();
    let server = Server::start_with(&folder, &["--workers", "0"]);
    assert_eq!(server.post(EXPERIMENTS, &good()).status, 201);
    let many_seeds: Vec<u64> = (0..10_001).collect();
    let arms = |names: &[&str]| {
        names.iter().map(|name| json!({ "name": name, "method": { "kind": "baseline" } })).collect::<Value>()
    };
    let wide = json!([8193, 8]);
    let cases: Vec<(Value, &str, &str)> = vec![
        // Not a table, empty, unknown fields and typos.
        (json!([]), "", "must be a table, is a list"),
        (json!("digits-mlp"), "", "must be a table"),
        (json!({}), "/name", "is missing"),
        (with("/colour", json!(1)), "/colour", "unknown field"),
        (with("/sedes", json!([1])), "/sedes", "did you mean `seeds`?"),
        (with("/train/epohcs", json!(1)), "/train/epohcs", "did you mean `epochs`?"),
        (with("/train/model/hiden", json!([1])), "/train/model/hiden", "did you mean `hidden`?"),
        (
            with("/arms/0/method/transfrom", json!("cayley")),
            "/arms/0/method/transfrom",
            "did you mean `transform`?",
        ),
        (with("/resources/gpu", json!(1)), "/resources/gpu", "known here: `device` or `threads`"),
        // Names.
        (without("/name"), "/name", "is missing"),
        (with("/name", json!("")), "/name", "1 to 100 letters"),
        (with("/name", json!("../../etc/passwd")), "/name", "letters, digits"),
        (with("/name", json!("a b")), "/name", "letters, digits"),
        (with("/name", json!("x".repeat(101))), "/name", "(101 bytes)"),
        (with("/name", json!(7)), "/name", "is 7"),
        (with("/arms/0/name", json!("a/b")), "/arms/0/name", "letters, digits"),
        (with("/tags", json!(["ok", "<script>"])), "/tags/1", "letters, digits"),
        // Seeds, jobs and arms.
        (with("/seeds", json!([])), "/seeds", "1 to 10000 entries"),
        (with("/seeds", json!([1, 1])), "/seeds", "1 stands more than once"),
        (with("/seeds", json!([-1])), "/seeds/0", "from 0 to 4294967295, is -1"),
        (with("/seeds", json!([4_294_967_296_u64])), "/seeds/0", "from 0 to 4294967295"),
        (with("/seeds", json!("0")), "/seeds", "must be a list"),
        (with("/seeds", json!(many_seeds)), "/seeds", "has 10001"),
        // Names that a command line would misinterpret.
        (with("/name", json!("17")), "/name", "must have more than digits"),
        (with("/name", json!("-rf")), "/name", "must not begin with `-`"),
        (with("/name", json!(".")), "/name", "must not be `.` or `..`"),
        (with("/name", json!("..")), "/name", "must not be `.` or `..`"),
        (with("/arms", arms(&["-a"])), "/arms/0/name", "must not begin with `-`"),
        (with("/arms", arms(&[".."])), "/arms/0/name", "must not be `.` or `..`"),
        (with("/arms", json!([])), "/arms", "1 to 1000 entries"),
        (with("/arms", arms(&["a", "a"])), "/arms", "`a` stands more than once"),
        (without("/arms"), "/arms", "is missing"),
        (
            with("/arms/0/method", json!({})),
            "/arms/0/method/kind",
            "`baseline`, `opt`, `mhe` or `soft_orthogonal`",
        ),
        (with("/arms/0/method/kind", json!("optt")), "/arms/0/method/kind", "did you mean `opt`?"),
        (
            with("/arms/0/method/transform", json!("caley")),
            "/arms/0/method/transform",
            "did you mean `cayley`?",
        ),
        (with("/arms/0/method/init", json!("zero")), "/arms/0/method/init", "`identity`"),
        (
            with("/arms/0/method/beta", json!(1)),
            "/arms/0/method/beta",
            "belongs to transform = \\\"relaxed\\\"",
        ),
        (with("/arms/0/method", json!("opt")), "/arms/0/method", "like { kind = \\\"opt\\\" }"),
        (with("/arms/0/method/kind", json!("baseline")), "/arms/0/method/transform", "belongs to kind = "),
        (with("/arms/0/method/init", json!(1)), "/arms/0/method/init", "is 1 (arm `a`)"),
        (
            with("/arms/0/method/stochastic", json!({ "inner_steps": 12 })),
            "/arms/0/method/stochastic/inner_steps",
            "at most 11, the updates of train.epochs = 1, is 12",
        ),
        (
            with("/arms/0/method/layers", json!(["hidden2", "classifier"])),
            "/arms/0/method/layers/1",
            "must be a layer that the method trains (`hidden1`)",
        ),
        (with("/arms/0/train", json!(3)), "/arms/0/train", "must be a table of fields"),
        (with("/arms/0/train", json!({ "batch_size": 0 })), "/arms/0/train/batch_size", "from 1 to 1442"),
        // Numbers.
        (with("/train/epochs", json!(0)), "/train/epochs", "from 1"),
        (with("/train/epochs", json!(-5)), "/train/epochs", "is -5"),
        (with("/train/epochs", json!(1.5)), "/train/epochs", "a whole number"),
        (with("/train/epochs", json!("3")), "/train/epochs", "is \\\"3\\\""),
        (with("/train/epochs", json!(1e300)), "/train/epochs", "a whole number"),
        (with("/train/epochs", json!(10_000_000)), "/train/epochs", "from 1 to 1000000"),
        (
            with("/train/epochs", json!(1_000_000)).tap(|spec| spec["train"]["batch_size"] = json!(1)),
            "/train/epochs",
            "updates; at most",
        ),
        (with("/train/steps", json!(5)), "/train/epochs", "stand both"),
        (without("/train/epochs"), "/train/epochs", "both missing"),
        (with("/train/batch_size", json!(1443)), "/train/batch_size", "from 1 to 1442"),
        (with("/train/label_smoothing", json!(1.0)), "/train/label_smoothing", "from 0 to 0.99"),
        (with("/train/log_every_steps", json!(0)), "/train/log_every_steps", "from 1"),
        (
            with("/train/evaluate_every", json!("day")),
            "/train/evaluate_every",
            "\\\"epoch\\\" or a number of steps",
        ),
        (
            with("/train/optimizer/learning_rate", json!(-0.1)),
            "/train/optimizer/learning_rate",
            "from 0 to 1000",
        ),
        (with("/train/optimizer/momentum", json!(1)), "/train/optimizer/momentum", "from 0 to 0.9999"),
        (with("/train/optimizer/kind", json!("sdg")), "/train/optimizer/kind", "did you mean `sgd`?"),
        (
            with("/train/schedule", json!({ "kind": "step", "milestones": [0.5, 0.5] })),
            "/train/schedule/milestones",
            "ascending",
        ),
        (
            with("/train/schedule", json!({ "kind": "step", "milestones": [2] })),
            "/train/schedule/milestones/0",
            "between 0 and 1",
        ),
        (with("/train/schedule/warmup", json!(1)), "/train/schedule/warmup", "from 0 to 0.99"),
        (with("/train/optimizer/kind", json!("adam_w")), "/train/optimizer/kind", "did you mean `adamw`?"),
        (with("/train/clip_norm", json!(-1)), "/train/clip_norm", "from 0.000001 to 1000000"),
        (with("/train/average_decay", json!(1)), "/train/average_decay", "from 0 to 0.999999"),
        (with("/train/precision", json!("float16")), "/train/precision", "did you mean `bfloat16`?"),
        (with("/train/energy/power", json!(3)), "/train/energy/power", "from 0 to 2"),
        (with("/train/energy/half_space", json!("no")), "/train/energy/half_space", "true or false"),
        (with("/priority", json!(1e18)), "/priority", "from -1000000 to 1000000"),
        (with("/max_attempts", json!(0)), "/max_attempts", "from 1"),
        (with("/time_limit_seconds", json!(0)), "/time_limit_seconds", "from 1"),
        (with("/resources/threads", json!(0)), "/resources/threads", "from 1"),
        (with("/resources/device", json!("tpu")), "/resources/device", "`any`, `cpu` or `cuda`"),
        (with("/resources/device", json!("gpu")), "/resources/device", "did you mean `cuda`?"),
        (with("/train/optimizer/lr", json!(1)), "/train/optimizer/lr", "did you mean `learning_rate`?"),
        (with("/train/schedule", json!("cosine")), "/train/schedule", "like { kind = \\\"cosine\\\" }"),
        (with("/train/data", json!("digits")), "/train/data", "like { name = \\\"digits\\\" }"),
        (with("/version", json!(2)), "/version", "from 1 to 1"),
        // Data and network.
        (without("/train"), "/train", "is missing"),
        (without("/train/data"), "/train/data", "is missing"),
        (with("/train/data", json!({ "name": "mnits" })), "/train/data/name", "did you mean `mnist`?"),
        (with("/train/data", json!({ "name": "../digits" })), "/train/data/name", "letters, digits"),
        (with("/train/model", json!({ "kind": "mpl" })), "/train/model/kind", "did you mean `mlp`?"),
        (with("/train/model/hidden", json!([])), "/train/model/hidden", "1 to 16 entries"),
        (with("/train/model/hidden", json!([0])), "/train/model/hidden/0", "from 1 to 65536"),
        (with("/train/model/hidden", json!([65_537])), "/train/model/hidden/0", "from 1 to 65536"),
        (with("/train/model/hidden", json!(vec![8; 17])), "/train/model/hidden", "has 17"),
        (with("/train/model/hidden", wide), "/arms/0/method/layers", "length 8193, and at most 8192"),
        // Recipes.
        (json!({ "recipe": "digits" }), "/recipe", "unknown recipe"),
        (json!({ "recipe": "../mnist-mlp" }), "/recipe", "letters, digits"),
        (json!({ "recipe": 3 }), "/recipe", "is 3"),
        (json!({ "recipe": "digits-mlp", "override": {} }), "/override", "did you mean `overrides`?"),
        (json!({ "recipe": "digits-mlp", "overrides": [1] }), "/overrides", "must be a table"),
        (
            json!({ "recipe": "digits-mlp", "overrides": { "train": { "epochs": 0 } } }),
            "/train/epochs",
            "from 1",
        ),
    ];
    assert!(cases.len() > 50);
    for (spec, pointer, says) in cases {
        let answer = server.post(EXPERIMENTS, &spec);
        is_problem(&answer, 422, says);
        let errors = answer.json()["errors"].clone();
        let pointers: Vec<&str> =
            errors.as_array().unwrap().iter().map(|error| error["pointer"].as_str().unwrap()).collect();
        assert!(pointers.contains(&pointer), "{pointer} is not among {pointers:?}");
    }
    // None of these was stored.
    assert_eq!(server.read(EXPERIMENTS)["items"].as_array().unwrap().len(), 1);
}

trait Tap: Sized {
    fn tap(self, change: impl FnOnce(&mut Self)) -> Self;
}

impl Tap for Value {
    fn tap(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }
}

#[test]
fn all_mistakes_are_reported_at_once() {
    let folder = TempDir::new().unwrap();
    let server = Server::start_with(&folder, &["--workers", "0"]);
    let mut spec = with("/train/epochs", json!(0));
    spec["arms"][0]["method"]["transform"] = json!("x");
    spec["sedes"] = json!([]);
    spec["seeds"] = json!([-1, 2, "x"]);
    let errors = server.post(EXPERIMENTS, &spec).json()["errors"].clone();
    let pointers: Vec<&Value> = errors.as_array().unwrap().iter().map(|error| &error["pointer"]).collect();
    assert_eq!(pointers, ["/seeds/0", "/seeds/2", "/train/epochs", "/arms/0/method/transform", "/sedes"]);
}

#[test]
fn an_unknown_kind_is_the_only_mistake_of_its_table() {
    let folder = TempDir::new().unwrap();
    let server = Server::start_with(&folder, &["--workers", "0"]);
    let cnn = json!({ "kind": "cnn7", "width": 8 });
    let relaxed = json!({ "kind": "opt", "transform": "relaxd", "beta": 0.1 });
    for (pointer, value, told) in [
        ("/arms/0/method", json!({ "kind": "optt", "transform": "cayley" }), "/arms/0/method/kind"),
        ("/arms/0/method", relaxed, "/arms/0/method/transform"),
        ("/train/model", cnn, "/train/model/kind"),
        ("/train/optimizer", json!({ "kind": "adagrad", "beta1": 0.9 }), "/train/optimizer/kind"),
    ] {
        let errors = server.post(EXPERIMENTS, &with(pointer, value)).json()["errors"].clone();
        let pointers: Vec<&Value> =
            errors.as_array().unwrap().iter().map(|error| &error["pointer"]).collect();
        assert_eq!(pointers, [told], "{errors}");
    }
}

#[test]
fn answers_about_long_mistakes_are_bounded() {
    let folder = TempDir::new().unwrap();
    let server = Server::start_with(&folder, &["--workers", "0"]);
    let toml: Headers<'_> = &[("content-type", "application/toml")];
    let (long, longer) = ("x".repeat(40_000), "x".repeat(400_000));
    let with_nul = json!({ (longer.as_str()): vec!["\0"; 90] });
    let unknown: serde_json::Map<_, _> = (0..9000).map(|n| (format!("{n}/field"), json!(1))).collect();
    let bodies: Vec<(Headers<'_>, String, u16, &str)> = vec![
        (&[], with("/seeds", json!(vec!["x"; 9000])).to_string(), 422, "mistakes; the first: /seeds/0: "),
        (&[], Value::Object(unknown).to_string(), 422, "mistakes that are not listed: "),
        (&[], with_nul.to_string(), 422, "mistakes that are not listed: 40"),
        (&[], with("/train/precision", json!(longer)).to_string(), 422, "(400000 bytes)"),
        (toml, format!("a = 1\nb = '{longer}"), 400, "line 2, column 400006: "),
        (toml, format!("{longer} = 1\n{longer} = 2"), 400, "line 2, column 1: "),
        (toml, format!("{longer} = [{}nan]", "0, ".repeat(100)), 422, "must be finite"),
    ];
    for (headers, body, status, says) in bodies {
        let answer = server.send("POST", EXPERIMENTS, headers, body.as_bytes());
        assert!(answer.text.len() < 50_000, "{says}: {} bytes", answer.text.len());
        is_problem(&answer, status, says);
    }
    for (path, status) in [(format!("/{long}"), 404), (format!("{EXPERIMENTS}?{long}=1"), 400)] {
        let answer = server.get(&path);
        assert!(answer.text.len() < 5000, "{} bytes", answer.text.len());
        is_problem(&answer, status, "bytes left out");
    }
}

#[test]
fn an_experiment_cannot_be_renamed_to_a_misleading_name() {
    let folder = TempDir::new().unwrap();
    let server = Server::start_with(&folder, &["--workers", "0"]);
    let experiment = format!("{EXPERIMENTS}/{}", server.submit(&good()));
    for (name, says) in [
        ("5", "must have more than digits"),
        ("-rf", "must not begin with `-`"),
        (".", "must not be `.` or `..`"),
        ("..", "must not be `.` or `..`"),
    ] {
        let edit = json!({ "name": name }).to_string();
        is_problem(&server.send("PATCH", &experiment, &[], edit.as_bytes()), 422, says);
    }
    assert_eq!(server.read(&experiment)["name"], "good");
}

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
        (&[], b"{\"seeds\": [0], \"seeds\": [1]}".to_vec(), 400, "the field \\\"seeds\\\" stands twice"),
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
        ("DELETE", "/api/v1/experiments", 405, "does not answer DELETE"),
        ("PUT", "/api/v1/jobs/1", 405, "does not answer PUT"),
        ("POST", "/healthz", 405, "does not answer POST"),
        ("GET", "/api/v1/experiments?limit=0", 422, "from 1 to 1000"),
        ("GET", "/api/v1/experiments?limit=-1", 422, "is -1"),
        ("GET", "/api/v1/experiments?limit=x", 400, "query string: limit: "),
        ("GET", "/api/v1/experiments?limt=5", 400, "unknown field `limt`"),
        ("GET", "/api/v1/experiments?cursor=abc", 400, "cursor"),
        ("GET", "/api/v1/jobs?state=sleeping", 422, "must be one of queued, running"),
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
