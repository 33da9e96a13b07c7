//! Where a submission comes from: the git commit of the working folder, and the command line without secrets.

use std::env;
use std::process::{Command, Stdio};

use optlab_domain::provenance::{LONGEST_COMMAND_LINE, Provenance};
use serde_json::json;

use crate::store::redacted;

/// The provenance of what this process submits or trains. Without git, or outside of a repository, it has no commit.
/// `hide` removes secrets from a word of the command line; passwords in URLs are removed anyway.
pub(super) fn provenance(hide: impl Fn(&str) -> String) -> Provenance {
    let described = describe();
    let hash = described.as_deref().map(|text| text.trim_end_matches(DIRTY));
    let found = Provenance {
        commit_hash: hash.map(str::to_owned),
        commit_dirty: described.as_ref().map(|text| text.ends_with(DIRTY)),
        command_line: Some(command_line(env::args_os().map(|word| hide(&word.to_string_lossy())))),
    };
    // A git of another kind may print something else.
    if found.mistake().is_none() {
        found
    } else {
        Provenance { commit_hash: None, commit_dirty: None, ..found }
    }
}

/// The provenance as JSON in the characters of a header. Others occur only in strings, where they can be escaped.
pub(super) fn in_header(provenance: &Provenance) -> String {
    let mut ascii = String::new();
    for c in json!(provenance).to_string().chars() {
        match c {
            ' '..='~' => ascii.push(c),
            c => {
                c.encode_utf16(&mut [0; 2]).iter().for_each(|unit| ascii.push_str(&format!("\\u{unit:04x}")))
            }
        }
    }
    ascii
}

/// Ends the description of a folder whose tracked files have changes.
const DIRTY: &str = "-dirty";

/// The full hash of the commit, with [`DIRTY`].
fn describe() -> Option<String> {
    let mut git = Command::new("git");
    // Another git may be working in the folder.
    git.env("GIT_OPTIONAL_LOCKS", "0").stdin(Stdio::null()).stderr(Stdio::null());
    git.args(["describe", "--always", "--abbrev=64", "--exclude=*"]).arg(format!("--dirty={DIRTY}"));
    let output = git.output().ok().filter(|output| output.status.success())?;
    Some(String::from_utf8(output.stdout).ok()?.trim().to_owned())
}

/// The words as a shell reads them, without the folder of the program, and without the user and password of a URL.
fn command_line(words: impl Iterator<Item = String>) -> String {
    let mut line = String::new();
    for (place, word) in words.enumerate() {
        let word = match place {
            0 => word.rsplit('/').next().unwrap_or_default().to_owned(),
            _ => quoted(&without_password(&word)),
        };
        line.push_str(if place == 0 { "" } else { " " });
        line.push_str(&word);
    }
    // With space for the note that a part is left out.
    optlab_spec::shorten(&mut line, LONGEST_COMMAND_LINE - 40);
    line
}

/// Hides what is secret in a URL, which may be the value of a flag.
fn without_password(word: &str) -> String {
    let (flag, value) = match word.split_once('=') {
        Some((flag, value)) if flag.starts_with('-') => (format!("{flag}="), value),
        _ => (String::new(), word),
    };
    let is_url = value
        .split_once("://")
        .is_some_and(|(scheme, _)| scheme.bytes().all(|byte| byte.is_ascii_alphanumeric()));
    if is_url { format!("{flag}{}", redacted(value)) } else { word.to_owned() }
}

fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "_@%+=:,./-".contains(c);
    match !word.is_empty() && word.chars().all(is_plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', r"'\''").replace('\0', "")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_line_can_be_run_again_and_has_no_password() {
        let line = |words: &[&str]| command_line(words.iter().map(|word| (*word).to_owned()));
        assert_eq!(
            line(&["/opt/bin/optlab", "submit", "mine.toml", "--set", "seeds=[0, 1]", "--set", "notes=it's"]),
            r"optlab submit mine.toml --set 'seeds=[0, 1]' --set 'notes=it'\''s'"
        );
        assert_eq!(
            line(&[
                "optlab",
                "--server",
                "https://me:hunter2@host:8080",
                "--server=http://me:hunter2@host/x"
            ]),
            "optlab --server https://...@host:8080/ --server=http://...@host/x"
        );
        assert_eq!(line(&["optlab", "--set", "notes=see http://x"]), "optlab --set 'notes=see http://x'");
        let long = "é".repeat(LONGEST_COMMAND_LINE);
        assert!(line(&["optlab", &long]).len() <= LONGEST_COMMAND_LINE);
    }
}
