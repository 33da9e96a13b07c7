use std::ffi::OsString;
use std::fs;
use std::time::Duration;

use clap::Parser;
use tempfile::TempDir;

use super::*;

#[derive(Debug, Parser)]
struct Server {
    #[command(flatten)]
    settings: ServiceSettings,
}

/// The settings of a server with these flags and this settings file.
fn server(flags: &[&str], file: &str) -> Result<ServiceSettings, ConfigError> {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("optlab.toml");
    fs::write(&path, file).unwrap();
    let config = ["--config".into(), path.into_os_string()];
    let arguments: Vec<OsString> = [OsString::from("optlab")]
        .into_iter()
        .chain(flags.iter().map(OsString::from))
        .chain(config)
        .collect();
    Ok(read::<Server>(&arguments)?.settings)
}

#[track_caller]
fn refused(file: &str, problem: &str) {
    let error = server(&[], file).unwrap_err().to_string();
    assert!(error.starts_with("the settings file ") && error.ends_with(problem), "{file}: {error}");
}

#[test]
fn flags_override_the_file_and_the_file_overrides_defaults() {
    let file = "listen = \"0.0.0.0:9000\"\nworkers = 3\nlease_seconds = 7\ndrain = \"finish\"\n";
    let settings = server(&["--workers", "1", "--drain", "checkpoint"], file).unwrap();
    assert_eq!(settings.worker().slots, Slots::Count(Some(1)));
    assert_eq!(settings.training.drain, Drain::Checkpoint);
    assert_eq!(settings.listen.map(|address| address.port()), Some(9000));
    assert_eq!(settings.training.lease, Duration::from_secs(7));
    assert_eq!(settings.training.hung_after, Duration::from_secs(600));
    assert_eq!(settings.database.database_url.expose(), "sqlite:optlab.db");
}

#[test]
fn a_mistake_in_the_file_is_rejected_with_its_key() {
    refused(
        "wrokers = 3",
        "optlab.toml: there is no setting `wrokers`; the settings are listen, database_url, \
             artifacts, workers, sweep_seconds, import_limit_mb, pairs_needed, base_path, query_database_url, query_seconds, runner, \
             lease_seconds, hung_after_seconds, drain, and the tables slurm.NAME",
    );
    refused("config = \"other.toml\"", "hung_after_seconds, drain, and the tables slurm.NAME");
    refused("lease_seconds = 3601", "`lease_seconds` must be a whole number from 1 to 3600");
    refused("import_limit_mb = 0", "`import_limit_mb` must be a whole number from 1 to 1000000");
    refused("workers = 1.5", "`workers` must be a whole number from 0 to 1024");
    refused("workers = [1]", "`workers` must be a text or a number");
    refused("drain = \"later\"", "`drain` must be one of checkpoint, finish");
    refused(
        "listen = \"nowhere\"",
        "`listen` must be like 127.0.0.1:8080, localhost:8080 or 8080; invalid socket address",
    );
    refused("base_path = \"/a b\"", "`base_path` must be a folder like /optlab or /lab/optlab, is `/a b`");
    refused("runner = \"\"", "`runner` must not be empty");
}

#[test]
fn a_mistake_in_a_flag_is_rejected_with_its_name() {
    let error = server(&["--import-limit-mb", "0"], "").unwrap_err().to_string();
    let expected =
        "error: invalid value '0' for '--import-limit-mb <MB>': must be a whole number from 1 to 1000000";
    assert!(error.starts_with(expected), "{error}");
}

#[test]
fn no_setting_shows_a_password() {
    let settings = server(
        &[
            "--database-url=postgres://me:hunter2@db/optlab",
            "--query-database-url=postgres://db/x?password=hunter2",
        ],
        "",
    );
    let shown = format!("{:?}", settings.unwrap());
    assert!(shown.contains("postgres://...@db/optlab") && !shown.contains("hunter2"), "{shown}");
}
