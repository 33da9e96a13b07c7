//! Commands fail if their output cannot be written, and their output contains no terminal control characters.

mod support;

use std::fs::File;
use std::io::pipe;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};
use support::{OPTLAB, Server, runner, small_experiment};
use tempfile::TempDir;

/// A folder and a server for commands.
struct Place<'a> {
    folder: &'a Path,
    address: &'a str,
}

impl Place<'_> {
    fn run(&self, args: &[&str], stdout: Stdio, stderr: Stdio) -> Output {
        let mut command = Command::new(OPTLAB);
        command
            .args(args)
            .current_dir(self.folder)
            .env("OPTLAB_SERVER", self.address)
            .env("HOME", self.folder);
        command
            .stdin(Stdio::null())
            .stdout(stdout)
            .stderr(stderr)
            .spawn()
            .unwrap()
            .wait_with_output()
            .unwrap()
    }
}

fn full() -> Stdio {
    Stdio::from(File::options().write(true).open("/dev/full").unwrap())
}

/// A pipe without a reader.
fn unread() -> Stdio {
    let (reader, writer) = pipe().unwrap();
    drop(reader);
    Stdio::from(writer)
}

fn said(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Every command that prints and ends, each way in which it prints. `1` is an experiment whose jobs have ended, and 1
/// one of its jobs.
const COMMANDS: &[&str] = &[
    "--help",
    "--version",
    "serve --help",
    "recipes",
    "recipes --json",
    "recipes show digits-mlp",
    "recipes show digits-mlp --json",
    "data list",
    "data list --json",
    "data fetch digits",
    "data verify digits",
    "doctor",
    "doctor --json",
    "migrate",
    "token create me",
    "token list",
    "token list --json",
    "token revoke 1",
    "thin 1 --every 2",
    "experiments",
    "experiments --json",
    "jobs",
    "jobs 1 --json",
    "logs 1",
    "logs 1 --json",
    "compare 1",
    "compare 1 --json",
    "compare 1 --format csv",
    "compare 1 --format markdown",
    "compare 1 --format latex",
    "watch 1",
    "watch 1 --json",
    "sql VALUES(1)",
    "sql VALUES(1) --json",
    "sql VALUES(1) --format csv",
    "sql VALUES(1) --format markdown",
    "export 1 --format csv --output -",
    "export 1 --format parquet --output -",
    "submit digits-mlp --dry-run",
    "submit digits-mlp --arm baseline --set seeds=[0] --set train.epochs=1",
    "submit digits-mlp --arm baseline --set seeds=[0] --set train.epochs=1 --json",
    "cancel digits-mlp",
    "cancel digits-mlp --json",
    "pause digits-mlp",
    "resume digits-mlp",
    "retry --job 1000000",
    "add-seeds digits-mlp 0",
    "add-seeds digits-mlp 0 --json",
    "priority digits-mlp 3",
    "priority digits-mlp 3 --json",
    "train digits-mlp --arm baseline --set train.epochs=1",
];

#[test]
fn a_command_fails_on_a_write_error_but_not_on_a_closed_pipe() {
    runner();
    let folder = TempDir::new().unwrap();
    let server = Server::start(&folder);
    server.wait_for_success(server.submit(&small_experiment(1, &[0])));
    let place = Place { folder: folder.path(), address: &server.address };
    for line in COMMANDS {
        let args: Vec<&str> = line.split(' ').collect();
        let plain = place.run(&args, Stdio::piped(), Stdio::piped());
        let unheard = place.run(&args, unread(), Stdio::piped());
        assert_eq!(unheard.status.code(), plain.status.code(), "{line}: {}", said(&unheard.stderr));
        assert!(!said(&unheard.stderr).contains("standard output"), "{line}: {}", said(&unheard.stderr));
        if plain.stdout.is_empty() {
            assert_eq!(*line, "retry --job 1000000", "every other command prints");
            continue;
        }
        let failed = place.run(&args, full(), Stdio::piped());
        assert_eq!(failed.status.code(), Some(1), "{line}: {}", said(&failed.stderr));
        let why = "cannot write to standard output: No space left on device";
        assert!(said(&failed.stderr).contains(why), "{line}: {}", said(&failed.stderr));
    }
    let backup = place.run(&["backup", "copy.db"], full(), Stdio::piped());
    assert_eq!(backup.status.code(), Some(1), "{}", said(&backup.stderr));
    let export = place.run(&["export", "1", "--format", "csv"], full(), Stdio::piped());
    assert_eq!(export.status.code(), Some(1), "{}", said(&export.stderr));
    let import = ["import", "small-1.parquet"];
    place.run(&["export", "1", "--format", "parquet"], Stdio::piped(), Stdio::piped());
    let import = place.run(&import, full(), Stdio::piped());
    assert_eq!(import.status.code(), Some(1));
    assert!(said(&import.stderr).contains("`small` is stored: cannot write to"), "{}", said(&import.stderr));
    // A failing command fails even if its message cannot be written.
    for stderr in [full, unread] {
        let refused = place.run(&["compare", "nothing"], Stdio::piped(), stderr());
        assert_eq!(refused.status.code(), Some(1));
    }
}

#[test]
fn a_token_that_could_not_be_printed_is_revoked() {
    let folder = TempDir::new().unwrap();
    let place = Place { folder: folder.path(), address: "" };
    let failed = place.run(&["token", "create", "me"], full(), Stdio::piped());
    assert!(said(&failed.stderr).contains("token 1 is revoked"), "{}", said(&failed.stderr));
    let listed = place.run(&["token", "list", "--json"], Stdio::piped(), Stdio::piped());
    let listed: Value = serde_json::from_slice(&listed.stdout).unwrap();
    assert!(listed[0]["revoked_at"].is_string(), "{listed}");
}

#[test]
fn text_from_other_people_cannot_control_the_terminal() {
    let folder = TempDir::new().unwrap();
    let server = Server::start_with(&folder, &["--workers", "0"]);
    let id = server.submit(&small_experiment(1, &[0]));
    let notes = "red \u{1b}[31m, bell \u{7}, C1 \u{9b}2J, reversed \u{202e}txt";
    let edit = json!({ "notes": notes }).to_string();
    let path = format!("/api/v1/experiments/{id}");
    let edited = server.send("PATCH", &path, &[("content-type", "application/json")], edit.as_bytes());
    assert_eq!(edited.status, 200, "{edited:?}");
    let place = Place { folder: folder.path(), address: &server.address };
    let sql = "SELECT notes FROM experiments";
    let asked = |format: &str| {
        said(&place.run(&["sql", sql, "--format", format], Stdio::piped(), Stdio::piped()).stdout)
    };
    let steers = |text: &str| text.contains(|c: char| c.is_control() && c != '\n');
    for format in ["table", "markdown", "json"] {
        let shown = asked(format);
        assert!(shown.contains("red ") && !steers(&shown), "{format}: {shown:?}");
    }
    // JSON output is unchanged.
    let answer: Value = serde_json::from_str(&asked("json")).unwrap();
    assert_eq!(answer["rows"][0][0], notes);
    assert!(asked("csv").contains(notes), "{:?}", asked("csv"));
    // Messages of a server are stripped, too.
    let unknown = "SELECT \"\u{1b}[31m\" FROM nothing";
    let refused = place.run(&["sql", unknown], Stdio::piped(), Stdio::piped());
    assert!(!steers(&said(&refused.stderr)), "{:?}", said(&refused.stderr));
}
