//! Specs with one mistake each.

use serde_json::{Value, json};
use tempfile::TempDir;

use super::support::Server;
use super::{EXPERIMENTS, good, is_problem, with};

fn without(pointer: &str) -> Value {
    let (parent, field) = pointer.rsplit_once('/').unwrap();
    let mut spec = good();
    spec.pointer_mut(parent).unwrap().as_object_mut().unwrap().remove(field).unwrap();
    spec
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
        (with("/seeds", json!([1, 1])), "/seeds", "1 is repeated"),
        (with("/seeds", json!([-1])), "/seeds/0", "from 0 to 4294967295, is -1"),
        (with("/seeds", json!([4_294_967_296_u64])), "/seeds/0", "from 0 to 4294967295"),
        (with("/seeds", json!("0")), "/seeds", "must be a list"),
        (with("/seeds", json!(many_seeds)), "/seeds", "has 10001"),
        // Names that a command line would misinterpret.
        (with("/name", json!("17")), "/name", "must not be only digits"),
        (with("/name", json!("-rf")), "/name", "must not begin with `-`"),
        (with("/name", json!(".")), "/name", "must not be `.` or `..`"),
        (with("/name", json!("..")), "/name", "must not be `.` or `..`"),
        (with("/arms", arms(&["-a"])), "/arms/0/name", "must not begin with `-`"),
        (with("/arms", arms(&[".."])), "/arms/0/name", "must not be `.` or `..`"),
        (with("/arms", json!([])), "/arms", "1 to 1000 entries"),
        (with("/arms", arms(&["a", "a"])), "/arms", "`a` is not unique"),
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
        (with("/train/steps", json!(5)), "/train/epochs", "are both set"),
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
