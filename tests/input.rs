//! Input of commands: files are read up to a limit, and invalid input is rejected before a server is contacted.

use std::fs;
use std::process::{Command, Output};

use tempfile::TempDir;

const OPTLAB: &str = env!("CARGO_BIN_EXE_optlab");

fn optlab(folder: &TempDir, args: &[&str]) -> Output {
    Command::new(OPTLAB).args(args).current_dir(folder.path()).output().unwrap()
}

fn err(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn input_files_are_read_up_to_the_server_s_limit() {
    let folder = TempDir::new().unwrap();
    let line = "# a comment of thirty-two bytes\n";
    fs::write(folder.path().join("long.toml"), line.repeat(1_000_000 / line.len() + 1)).unwrap();
    fs::write(folder.path().join("long.sql"), "-".repeat(100_001)).unwrap();
    for (args, limit) in [
        (["submit", "long.toml"], "1000000"),
        (["train", "long.toml"], "1000000"),
        (["sql", "--file=long.sql"], "100000"),
        (["serve", "--config=long.toml"], "1000000"),
        // These have no end.
        (["submit", "/dev/zero"], "1000000"),
        (["sql", "--file=/dev/zero"], "100000"),
        (["serve", "--config=/dev/zero"], "1000000"),
    ] {
        let output = optlab(&folder, &args);
        assert_eq!(output.status.code(), Some(2), "{args:?}: {}", err(&output));
        let says = format!("has more than {limit} bytes");
        assert!(err(&output).contains(&says), "{args:?}: {}", err(&output));
    }
}

#[test]
fn invalid_input_is_rejected_before_the_server_is_contacted() {
    let folder = TempDir::new().unwrap();
    fs::create_dir(folder.path().join("exports")).unwrap();
    for (args, token, says) in [
        (&["import", "exports"][..], "", "exports is not the folder of a run"),
        (&["experiments", "--server", ""], "", "`` is not the address of a server"),
        (&["experiments", "--server", "http://"], "", "`http://` is not the address of a server"),
        (&["experiments", "--server", "my server"], "", "`my server` is not the address of a server"),
        (&["experiments", "--server", "ftp://host"], "", "`ftp://host` is not the address of a server"),
        (&["experiments"], "optlab_\nx", "OPTLAB_TOKEN is not a token"),
        (&["experiments"], "optlab_é", "OPTLAB_TOKEN is not a token"),
    ] {
        let mut command = Command::new(OPTLAB);
        command.args(args).env("OPTLAB_TOKEN", token).current_dir(folder.path());
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{args:?}: {}", err(&output));
        assert!(err(&output).contains(says), "{args:?}: {}", err(&output));
        assert!(!err(&output).contains("no answer") && !err(&output).contains("optlab_"), "{}", err(&output));
    }
}
