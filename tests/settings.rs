//! Settings as people give them: by flags, by the environment and in a file.

use std::fs;
use std::process::{Command, Output};

use tempfile::TempDir;

const OPTLAB: &str = env!("CARGO_BIN_EXE_optlab");

fn optlab(folder: &TempDir, args: &[&str], environment: &[(&str, &str)]) -> Output {
    let mut command = Command::new(OPTLAB);
    command.args(args).envs(environment.iter().copied()).current_dir(folder.path()).output().unwrap()
}

#[track_caller]
fn refused(output: &Output, says: &str) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(2) && said.contains(says), "{said}");
}

#[test]
fn flags_override_the_environment_which_overrides_the_file_and_the_defaults() {
    let folder = TempDir::new().unwrap();
    let migrated = |args: &[&str], environment: &[(&str, &str)]| {
        let output = optlab(&folder, &[&["migrate"], args].concat(), environment);
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    let (flag, variable) =
        (["--database-url", "sqlite:flag.db"], ("OPTLAB_DATABASE_URL", "sqlite:variable.db"));
    assert_eq!(migrated(&[], &[]), "sqlite:optlab.db is up to date");
    fs::write(folder.path().join("optlab.toml"), "database_url = \"sqlite:file.db\"\n").unwrap();
    assert_eq!(migrated(&[], &[]), "sqlite:file.db is up to date");
    assert_eq!(migrated(&[], &[("OPTLAB_DATABASE_URL", "")]), "sqlite:file.db is up to date");
    assert_eq!(migrated(&[], &[variable]), "sqlite:variable.db is up to date");
    assert_eq!(migrated(&flag, &[variable]), "sqlite:flag.db is up to date");

    fs::write(folder.path().join("other.toml"), "database_url = \"sqlite:other.db\"\n").unwrap();
    assert_eq!(migrated(&["--config", "other.toml"], &[]), "sqlite:other.db is up to date");
    assert_eq!(migrated(&[], &[("OPTLAB_CONFIG", "other.toml")]), "sqlite:other.db is up to date");
}

#[test]
fn a_mistake_is_rejected_with_the_name_of_its_setting() {
    let folder = TempDir::new().unwrap();
    refused(
        &optlab(&folder, &["serve", "--lease-seconds", "0"], &[]),
        "'--lease-seconds <SECONDS>': must be a whole number from 1 to 3600",
    );
    refused(
        &optlab(&folder, &["doctor"], &[("OPTLAB_WORKERS", "many")]),
        "'--workers <SLOTS>': must be a whole number from 0 to 1024",
    );
    refused(
        &optlab(&folder, &["serve", "--config", "absent.toml"], &[]),
        "the settings file absent.toml: No such file",
    );
    for (file, says) in [
        ("query_seconds = 51", "`query_seconds` must be a whole number from 1 to 50"),
        ("querry_seconds = 5", "there is no setting `querry_seconds`"),
        ("listen", "not TOML, at line 1"),
    ] {
        fs::write(folder.path().join("optlab.toml"), file).unwrap();
        for command in [&["serve"][..], &["worker", "--database-url=sqlite:x.db"], &["token", "list"]] {
            refused(&optlab(&folder, command, &[]), &format!("the settings file optlab.toml: {says}"));
        }
        // Commands of the client and requests for help have no settings file.
        assert!(optlab(&folder, &["serve", "--help"], &[]).status.success());
        assert!(optlab(&folder, &["recipes"], &[]).status.success());
    }
}

#[test]
fn a_worker_needs_the_database_of_its_server() {
    let folder = TempDir::new().unwrap();
    refused(&optlab(&folder, &["worker"], &[]), "--database-url <URL>");
    fs::write(folder.path().join("optlab.toml"), "database_url = \"mysql://host/optlab\"\n").unwrap();
    let output = optlab(&folder, &["worker"], &[]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(1) && said.contains("mysql://host/optlab"), "{said}");
}

#[test]
fn a_pool_on_the_command_line_replaces_those_of_the_file() {
    let folder = TempDir::new().unwrap();
    let pilots = |args: &[&str]| {
        let first = ["slurm", "--database-url", "postgres://host/optlab", "--dry-run"];
        let output = optlab(&folder, &[&first, args].concat(), &[]);
        let printed = String::from_utf8(output.stdout).unwrap();
        let names =
            printed.lines().filter(|line| line.starts_with("sbatch ")).flat_map(str::split_whitespace);
        let names = names.filter_map(|word| word.strip_prefix("'--job-name="));
        names.map(|name| name.trim_end_matches('\'').to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(pilots(&[]), ["optlab-default-MARK"]);
    fs::write(
        folder.path().join("optlab.toml"),
        "[slurm.gpu]\nmax_workers = 2\n[slurm.cpu]\ndevice = \"cpu\"\n",
    )
    .unwrap();
    assert_eq!(pilots(&[]), ["optlab-cpu-MARK", "optlab-gpu-MARK"]);
    assert_eq!(pilots(&["--max-workers", "1"]), ["optlab-default-MARK"], "the option has its default value");
    assert_eq!(pilots(&["--", "--time=1"]), ["optlab-default-MARK"]);
}
