//! Experiments that are copied from another, with changes.

use std::fs;
use std::process::Command;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::support::{OPTLAB, Server};
use super::{err, optlab};

/// For each arm, the learning rate of the rotations, if there are any, and of the other tensors.
fn rates(spec: &Value) -> Vec<[Value; 2]> {
    let of_arm = |arm: &Value| {
        [&arm["method"]["learning_rate"], &arm["train"]["optimizer"]["learning_rate"]].map(Value::clone)
    };
    spec["arms"].as_array().unwrap().iter().map(of_arm).collect()
}

#[test]
fn a_rate_that_is_set_in_a_copy_reaches_every_arm_that_inherited_it() {
    let folder = TempDir::new().unwrap();
    let server = Server::start_with(&folder, &["--workers", "0"]);
    let client = |args: &[&str]| {
        let mut optlab = Command::new(OPTLAB);
        optlab.args(args).current_dir(folder.path()).env("OPTLAB_SERVER", &server.address);
        let output = optlab.output().unwrap();
        assert!(output.status.success(), "{args:?}: {}", err(&output));
        output
    };
    let submission = |id: i64| server.read(&format!("/api/v1/experiments/{id}/submission"));
    let spec = |id: i64| server.read(&format!("/api/v1/experiments/{id}"))["spec"].clone();

    let file = "# Mine.\nname = \"mine\"\nseeds = [0]\n\n[train]\nepochs = 1\ndata = { name = \"digits\" }
model = { kind = \"mlp\", hidden = [8] }\n\n[[arms]]\nname = \"baseline\"\nmethod = { kind = \"baseline\" }\n
[[arms]]\nname = \"opt\"\nmethod = { kind = \"opt\", transform = \"cayley\" }\n";

    fs::write(folder.path().join("mine.toml"), file).unwrap();
    client(&["submit", "mine.toml"]);
    assert_eq!(submission(1)["text"], file, "the server has the file as it is");
    assert_eq!(rates(&spec(1)), [[Value::Null, json!(0.1)], [json!(0.1), json!(0.1)]]);

    // A dry run of TOML prints TOML, which resolves to the same spec.
    let resolved = client(&["submit", "mine.toml", "--set", "seeds=[0]", "--dry-run"]).stdout;
    fs::write(folder.path().join("resolved.toml"), &resolved).unwrap();
    assert!(String::from_utf8_lossy(&resolved).contains("\n[[arms]]\nname = \"opt\"\n"), "{resolved:?}");
    let again = client(&["submit", "resolved.toml", "--dry-run", "--json"]).stdout;
    assert_eq!(serde_json::from_slice::<Value>(&again).unwrap()["spec"], spec(1));
    fs::remove_file(folder.path().join("resolved.toml")).unwrap();

    client(&["submit", "--from", "mine"]);
    assert_eq!((&submission(2)["text"], spec(2)), (&json!(file), spec(1)));
    client(&["add-seeds", "mine", "7"]);
    client(&["submit", "--from", "#2", "--set", "train.optimizer.learning_rate=0.5"]);
    assert_eq!(rates(&spec(3)), [[Value::Null, json!(0.5)], [json!(0.5), json!(0.5)]]);
    assert_eq!(spec(3)["seeds"], json!([0, 7]));

    // A recipe is also a file. A copy of its experiment keeps the fields that were set.
    client(&["submit", "digits-mlp"]);
    assert!(submission(4)["text"].as_str().unwrap().starts_with("# Does OPT help a small"));
    client(&["submit", "digits-mlp", "--arm", "opt-cayley", "--set", "train.epochs=2"]);
    let checked =
        client(&["submit", "--from", "5", "--set", "train.optimizer.learning_rate=0.7", "--dry-run"]);
    let checked: Value = serde_json::from_slice(&checked.stdout).unwrap();
    assert_eq!(checked["spec"]["train"]["epochs"], 2);
    assert_eq!(rates(&checked["spec"]), [[json!(0.7), json!(0.7)]]);

    for (args, says) in
        [(&["submit"][..], "--from"), (&["submit", "mine.toml", "--from", "1"], "cannot be used")]
    {
        let refused = optlab(&folder, args);
        assert_eq!(refused.status.code(), Some(2), "{args:?}");
        assert!(err(&refused).contains(says), "{args:?}: {}", err(&refused));
    }
}
