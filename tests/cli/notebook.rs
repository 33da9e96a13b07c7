//! Commands that keep the list of experiments in order.

use std::fs;
use std::process::Command;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::support::{OPTLAB, Server, small_experiment};
use super::{err, out};

struct Client {
    folder: TempDir,
    server: Server,
}

impl Client {
    fn start() -> Self {
        let folder = TempDir::new().unwrap();
        let server = Server::start_with(&folder, &["--workers", "0"]);
        Self { folder, server }
    }

    fn run(&self, args: &[&str]) -> std::process::Output {
        let mut command = Command::new(OPTLAB);
        command.args(args).current_dir(self.folder.path()).env("OPTLAB_SERVER", &self.server.address);
        command.output().unwrap()
    }

    #[track_caller]
    fn succeed(&self, args: &[&str]) -> String {
        let output = self.run(args);
        assert!(output.status.success(), "{args:?}: {}", err(&output));
        out(&output)
    }

    #[track_caller]
    fn fail(&self, args: &[&str], status: i32) -> String {
        let output = self.run(args);
        assert_eq!(output.status.code(), Some(status), "{args:?}: {}", err(&output));
        err(&output)
    }
}

/// Runs git in a folder, as a person without settings.
fn git(folder: &std::path::Path, args: &[&str]) {
    let mut git = Command::new("git");
    git.args(["-c", "user.name=x", "-c", "user.email=x@example.org"]).args(args).current_dir(folder);
    let output = git.output().unwrap();
    assert!(output.status.success(), "{args:?}: {}", err(&output));
}

#[test]
fn a_submission_keeps_its_commit_and_its_command_without_secrets() {
    let client = Client::start();
    let folder = client.folder.path();
    let submit = |more: &[&str], path: Option<&str>| {
        let mut command = Command::new(OPTLAB);
        let address = client.server.address.replace("http://", "http://me:hunter2@");
        command.args(["submit", "digits-mlp", "--server", &address, "--json"]).args(more).current_dir(folder);
        // The search for a repository stops here, wherever the folder is.
        command.env("OPTLAB_TOKEN", "secret-token").env("GIT_CEILING_DIRECTORIES", folder.parent().unwrap());
        path.map(|path| command.env("PATH", path));
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", err(&output));
        let id = serde_json::from_slice::<Value>(&output.stdout).unwrap()["id"].clone();
        client.server.read(&format!("/api/v1/experiments/{id}"))["provenance"].clone()
    };
    let outside = submit(&["--set", "notes=it has a secret-token in ü"], None);
    assert_eq!((&outside["commit_hash"], &outside["commit_dirty"]), (&Value::Null, &Value::Null));
    let address = client.server.address.replace("http://", "http://...@");
    let line = format!("optlab submit digits-mlp --server {address}/ --json --set 'notes=it has a ... in ü'");
    assert_eq!(outside["command_line"], line);

    git(folder, &["init", "--quiet"]);
    assert_eq!(submit(&[], None)["commit_hash"], Value::Null, "there is no commit yet");
    fs::write(folder.join("code.py"), "1").unwrap();
    git(folder, &["add", "code.py"]);
    git(folder, &["commit", "--quiet", "--message", "first"]);
    git(folder, &["tag", "v1"]);
    let clean = submit(&[], None);
    let hash = clean["commit_hash"].as_str().unwrap().to_owned();
    assert_eq!(
        (hash.len(), &clean["commit_dirty"]),
        (40, &Value::Bool(false)),
        "new files are no changes: {clean}"
    );
    fs::write(folder.join("code.py"), "2").unwrap();
    assert_eq!(submit(&[], None)["commit_dirty"], true);
    assert_eq!(submit(&[], Some("/nowhere"))["commit_hash"], Value::Null, "git is not installed");

    let shown = client.succeed(&["show", "4"]);
    assert!(
        shown.contains(&format!("Commit: {hash} with uncommitted changes\nCommand: optlab submit ")),
        "{shown}"
    );
    assert!(!shown.contains("hunter2"), "{shown}");
}

#[test]
fn an_experiment_is_deleted_by_its_id_or_its_only_name() {
    let client = Client::start();
    for _ in 0..2 {
        client.server.submit(&small_experiment(1, &[0]));
    }
    let refused = client.fail(&["delete", "1"], 2);
    assert!(refused.contains("--yes confirms it"), "{refused}");
    let refused = client.fail(&["delete", "small", "--yes"], 2);
    assert!(refused.contains("the experiments 2, 1 have the name `small`; give an id"), "{refused}");
    assert_eq!(client.succeed(&["delete", "#1", "--yes"]), "Experiment 1 `small` is deleted.\n");
    assert!(client.fail(&["show", "1"], 1).contains("there is no experiment 1"));
    let deleted: Value =
        serde_json::from_str(&client.succeed(&["delete", "small", "--yes", "--json"])).unwrap();
    assert_eq!(deleted, json!({ "id": 2, "name": "small" }));
    assert!(client.fail(&["delete", "small", "--yes"], 1).contains("there is no experiment `small`"));
}

#[test]
fn a_deletion_over_http_requires_the_name() {
    let client = Client::start();
    let id = client.server.submit(&small_experiment(1, &[0]));
    for (query, status) in [("", 400), ("?name=x", 409), ("?name=small&force=true", 400)] {
        let path = format!("/api/v1/experiments/{id}{query}");
        assert_eq!(client.server.send("DELETE", &path, &[], b"").status, status, "{query}");
    }
    assert_eq!(client.server.jobs(id).len(), 3);
}

#[test]
fn an_experiment_is_renamed_archived_and_found_again() {
    let client = Client::start();
    client.server.submit(&small_experiment(1, &[0]));
    assert_eq!(client.succeed(&["rename", "small", "first"]), "Experiment 1 `first` has its new name.\n");
    assert!(client.fail(&["rename", "first", "not a name"], 2).contains("/name: "));
    let archived = client.succeed(&["archive", "first"]);
    assert_eq!(archived, "Experiment 1 `first` is archived; lists leave it out.\n");
    let empty = client.run(&["experiments"]);
    assert_eq!((out(&empty).as_str(), err(&empty).contains("no experiments")), ("", true));
    assert!(client.succeed(&["experiments", "--archived"]).contains("first"));
    assert!(client.succeed(&["show", "first"]).contains("3 queued, archived"));
    client.succeed(&["unarchive", "first"]);
    assert!(client.succeed(&["experiments"]).contains("first"));
}

#[test]
fn mistakes_of_set_are_reported_as_they_were_typed() {
    let client = Client::start();
    let wrong = ["--set", "train.optimizer.lerning_rate=1"];
    for command in [&["submit", "digits-mlp"][..], &["train", "digits-mlp", "--arm", "opt-cayley"]] {
        let told = client.fail(&[command, &wrong].concat(), 2);
        assert!(told.contains("train.optimizer.lerning_rate: ") && !told.contains("/train/"), "{told}");
        assert!(told.contains("did you mean `learning_rate`?"), "{told}");
    }
    // Fields of a file have their line and column, also in an arm whose neighbours were left out.
    let file = include_str!("../../recipes/digits-mlp.toml").replace("epochs = 60", "epochs = 0");
    let file = file + "\n[[arms]]\nname = \"last\"\nmethod = { kind = \"baseline\" }\nnotes = \"\"\n";
    fs::write(client.folder.path().join("wrong.toml"), &file).unwrap();
    let line = |of: &str| file.lines().position(|line| line.starts_with(of)).unwrap() + 1;
    for command in [["submit", "wrong.toml", "--arm", "last"], ["train", "wrong.toml", "--arm", "last"]] {
        let told = client.fail(&command, 2);
        assert!(told.contains(&format!("wrong.toml:{}:1: /train/epochs: ", line("epochs"))), "{told}");
        assert!(told.contains(&format!("wrong.toml:{}:1: /arms/0/notes: ", line("notes"))), "{told}");
    }
    let told = client.fail(&["submit", "digits-mlp", "--set", "arms.opt-cayley.train.batch_size=[8, 16]"], 2);
    let hint = "is a list; to compare several values, give each one an arm of its own (arm `opt-cayley`)";
    assert!(told.contains("arms.opt-cayley.train.batch_size: ") && told.contains(hint), "{told}");
    assert!(err(&client.run(&["jobs", "--state", "failed"])).contains("no jobs match"));
}

#[test]
fn arms_are_added_shown_and_copied_with_what_they_inherit() {
    let client = Client::start();
    let recipe = small_experiment(1, &[0, 1]);
    client.server.submit(&recipe);
    let file = |name: &str, text: &str| fs::write(client.folder.path().join(name), text).unwrap();
    file("mine.toml", &format!("# Why.\n{}", include_str!("../../recipes/digits-mlp.toml")));
    file(
        "arms.toml",
        "# Later.\n[[arms]]\nname = \"large\"\nmethod = { kind = \"baseline\" }\ntrain = { batch_size = 256 }\n",
    );
    client.succeed(&["submit", "mine.toml", "--json"]);
    for (id, seeds) in [("1", 2), ("2", 5)] {
        let added: Value =
            serde_json::from_str(&client.succeed(&["add-arms", id, "arms.toml", "--json"])).unwrap();
        assert_eq!(added["counts"]["queued"], 4 * seeds, "{added}");
        let large = &added["spec"]["arms"][3];
        assert_eq!((&large["name"], &large["train"]["batch_size"]), (&json!("large"), &json!(256)));
        assert_eq!(large["train"]["optimizer"], added["spec"]["train"]["optimizer"]);
        let again = client.fail(&["add-arms", id, "arms.toml"], 2);
        assert!(again.contains("must have unique names; `large` is not unique"), "{again}");
    }
    let shown = client.succeed(&["show", "2"]);
    for part in ["# Why.", "# Later.", "large", "5 queued", "Submitted 20"] {
        assert!(shown.contains(part), "{part} is missing in {shown}");
    }
    let json: Value = serde_json::from_str(&client.succeed(&["show", "2", "--json"])).unwrap();
    assert_eq!(json["experiment"]["arms"][3]["name"], "large");
    assert!(json["comparison"]["verdict"].is_string() && json["submission"]["text"].is_string());
    // A copy inherits as the original does.
    client.succeed(&["clone", "1", "--set", "train.optimizer.learning_rate=0.3", "--set", "name=copy"]);
    let copy = client.server.read("/api/v1/experiments/3");
    for arm in copy["spec"]["arms"].as_array().unwrap() {
        assert_eq!(arm["train"]["optimizer"]["learning_rate"], 0.3, "{arm}");
    }
    assert_eq!((&copy["name"], copy["arms"].as_array().unwrap().len()), (&json!("copy"), 4));
}
