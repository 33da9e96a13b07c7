//! Keeps what documents say about settings true to their descriptions.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use clap::{Arg, Args, Command, CommandFactory};

use super::Cli;
use crate::config::{ServiceSettings, WorkerSettings};

const BEGIN: &str = "<!-- The test `settings_table` compares this table with src/config and src/cli, and prints what it must be. -->\n";
const END: &str = "<!-- End of the table. -->\n";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn text(file: &str) -> String {
    fs::read_to_string(root().join(file)).unwrap()
}

/// The settings of `serve` and `worker`, then everything else that has an environment variable.
fn settings() -> Vec<Arg> {
    let mut cli = Cli::command();
    cli.build();
    let described = [ServiceSettings::augment_args, WorkerSettings::augment_args]
        .map(|augment| augment(Command::new("")));
    let described = described.iter().flat_map(Command::get_arguments);
    let others = cli.get_subcommands().chain([&cli]).flat_map(Command::get_arguments);
    let mut seen = BTreeSet::new();
    let all = described.chain(others.filter(|arg| arg.get_env().is_some()));
    all.filter(|arg| seen.insert(arg.get_long().unwrap().to_owned())).cloned().collect()
}

/// The help of a setting and its default, which the help may describe in words.
fn help_and_default(arg: &Arg) -> (String, String) {
    let help = arg.get_help().unwrap().to_string();
    let defaults: Vec<_> = arg.get_default_values().iter().map(|value| value.to_string_lossy()).collect();
    match help.split_once(" [default: ") {
        Some((help, default)) => (help.to_owned(), default.trim_end_matches(']').to_owned()),
        None if defaults.is_empty() => (help, String::new()),
        None => (help, format!("`{}`", defaults.join(","))),
    }
}

fn row(arg: &Arg) -> String {
    let server = ServiceSettings::augment_args(Command::new(""));
    let flag = arg.get_long().unwrap();
    let in_file = flag != "config" && server.get_arguments().any(|known| known.get_long() == Some(flag));
    let key = if in_file { format!("`{}`", flag.replace('-', "_")) } else { String::new() };
    let variable = arg.get_env().map(|name| format!("`{}`", name.to_string_lossy())).unwrap_or_default();
    let (help, default) = help_and_default(arg);
    format!("| `--{flag}` | {variable} | {key} | {default} | {help} |\n")
}

fn variables() -> BTreeSet<String> {
    settings().iter().filter_map(|arg| Some(arg.get_env()?.to_str().unwrap().to_owned())).collect()
}

#[test]
fn the_table_in_the_readme_is_current() {
    let readme = text("README.md");
    let (before, rest) = readme.split_once(BEGIN).expect("README.md has the beginning of the table");
    let (_, after) = rest.split_once(END).expect("README.md has the end of the table");
    let rows: String = settings().iter().map(row).collect();
    let head =
        "| flag | environment | `optlab.toml` | default | meaning |\n| --- | --- | --- | --- | --- |\n";
    let current = format!("{before}{BEGIN}\n{head}{rows}\n{END}{after}");
    assert!(readme == current, "the table of settings in README.md must be\n\n{head}{rows}");
}

#[test]
fn the_readme_has_every_variable_that_is_not_a_setting() {
    let readme = text("README.md");
    let mut found = 0;
    for file in
        ["src", "crates/data/src", "crates/net/src"].iter().flat_map(|folder| sources(&root().join(folder)))
    {
        let code = fs::read_to_string(&file).unwrap();
        for name in code.split('"').filter(|word| is_variable(word)) {
            assert!(readme.contains(&format!("`{name}`")), "{}: README.md lacks {name}", file.display());
            found += 1;
        }
    }
    assert!(found > 20, "only {found} variables were found");
}

#[test]
fn containers_set_only_existing_settings() {
    let compose = text("docker-compose.yml");
    let settings = variables();
    let dockerfile = text("Dockerfile");
    let set = compose.lines().chain(dockerfile.lines()).filter_map(|line| {
        let line = line.trim().trim_start_matches("ENV ");
        let name = line.split([':', '=']).next()?;
        is_variable(name).then(|| name.to_owned())
    });
    let set: Vec<String> = set.collect();
    assert!(set.len() > 2, "{set:?}");
    for name in set {
        assert!(settings.contains(&name), "{name} is not a setting");
    }

    // The example of .env has the variables of the compose file and the profiles, and nothing else.
    let taken = compose.split("${").skip(1).map(|rest| rest.split([':', '}']).next().unwrap());
    let taken: BTreeSet<&str> = taken.chain(["COMPOSE_PROFILES"]).collect();
    let example = text(".env.example");
    let named = example.lines().filter(|line| !line.starts_with('#'));
    let named: BTreeSet<&str> = named.filter_map(|line| Some(line.split_once('=')?.0)).collect();
    assert_eq!(named, taken);
}

fn is_variable(word: &str) -> bool {
    word.strip_prefix("OPTLAB_")
        .is_some_and(|rest| !rest.is_empty() && rest.chars().all(|c| c.is_ascii_uppercase() || c == '_'))
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let files = entries.flat_map(|path| if path.is_dir() { sources(&path) } else { vec![path] });
    files.filter(|path| path.extension().is_some_and(|ending| ending == "rs")).collect()
}
