//! The output of commands. Other modules do not print to standard output or standard error.
//!
//! If the reader of a pipe goes away (`| head`), the rest of the output is dropped and the command still completes, so
//! that its exit status means the same. Any other write error fails the command.
//!
//! Text of other people, such as notes and error messages, must not steer the reader's terminal. Lines for people
//! contain no control characters, and JSON escapes them. Output for programs is passed through byte for byte, except to
//! a terminal.

use std::fmt::Display;
use std::io::{self, BufRead, BufReader, ErrorKind, IsTerminal, Read, Write, stderr, stdout};

use anyhow::Context;
use serde::Serialize;

const UNWRITTEN: &str = "cannot write to standard output";

/// Prints one or more lines for people.
pub(super) fn line(text: impl Display) -> anyhow::Result<()> {
    write((clean(&text.to_string()) + "\n").as_bytes())
}

/// Prints one JSON document.
pub(super) fn json(value: &impl Serialize) -> anyhow::Result<()> {
    let text = serde_json::to_string_pretty(value)?;
    // serde_json escapes only U+0000 to U+001F. Other control characters occur only in strings, where they can be
    // escaped.
    let escaped = text.chars().fold(String::with_capacity(text.len() + 1), |mut escaped, c| {
        match c {
            c if c.is_control() && c != '\n' => escaped.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => escaped.push(c),
        }
        escaped
    });
    write((escaped + "\n").as_bytes())
}

/// Prints text of any length that a program may read.
pub(super) fn verbatim(text: impl Read) -> anyhow::Result<()> {
    let mut out = stdout().lock();
    let copied =
        if out.is_terminal() { copy_cleaned(BufReader::new(text), &mut out) } else { copy(text, &mut out) };
    // Read and write errors need different messages.
    copied.map_err(|failure| match failure {
        Copying::Read(error) => anyhow::Error::from(error).context("the answer was interrupted"),
        Copying::Write(error) => anyhow::Error::from(error).context(UNWRITTEN),
    })
}

/// Converts the result of something that prints itself, such as clap's help.
pub(super) fn printed(result: io::Result<()>) -> anyhow::Result<()> {
    unless_unread(result).context(UNWRITTEN)
}

/// Flushes standard output.
pub(super) fn flush() -> anyhow::Result<()> {
    printed(stdout().flush())
}

/// Prints a note for people on standard error. A write error is ignored, because it could not be reported anywhere.
pub(super) fn note(text: impl Display) {
    let _ = writeln!(stderr(), "{}", clean(&text.to_string()));
}

/// Replaces the characters that steer a terminal, except line breaks and tabs.
pub(super) fn clean(text: &str) -> String {
    text.chars().map(|c| if steers(c) { char::REPLACEMENT_CHARACTER } else { c }).collect()
}

/// Whether a character is a control character or changes the text direction.
fn steers(c: char) -> bool {
    c.is_control() && !matches!(c, '\n' | '\t')
        || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn write(text: &[u8]) -> anyhow::Result<()> {
    printed(stdout().lock().write_all(text))
}

/// Ignores a closed pipe, as with `| head`.
fn unless_unread(written: io::Result<()>) -> io::Result<()> {
    written.or_else(|error| if error.kind() == ErrorKind::BrokenPipe { Ok(()) } else { Err(error) })
}

enum Copying {
    Read(io::Error),
    Write(io::Error),
}

fn copy(mut text: impl Read, out: &mut impl Write) -> Result<(), Copying> {
    let mut chunk = vec![0; 64 * 1024];
    loop {
        let read = match text.read(&mut chunk) {
            Ok(0) => return Ok(()),
            Ok(read) => read,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(Copying::Read(error)),
        };
        match out.write_all(&chunk[..read]) {
            // The rest has no reader, so it is not fetched.
            Err(error) if error.kind() == ErrorKind::BrokenPipe => return Ok(()),
            written => written.map_err(Copying::Write)?,
        }
    }
}

fn copy_cleaned(mut text: impl BufRead, out: &mut impl Write) -> Result<(), Copying> {
    let mut line = Vec::new();
    while text.read_until(b'\n', &mut line).map_err(Copying::Read)? > 0 {
        let shown = clean(&String::from_utf8_lossy(&line));
        unless_unread(out.write_all(shown.as_bytes())).map_err(Copying::Write)?;
        line.clear();
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_others_cannot_steer_a_terminal() {
        let shown = clean("a\u{1b}]0;title\u{7}\u{9b}2J\rb\tc\nd\u{202e}e\u{7f} é");
        assert_eq!(shown, "a\u{fffd}]0;title\u{fffd}\u{fffd}2J\u{fffd}b\tc\nd\u{fffd}e\u{fffd} é");
        let mut out = Vec::new();
        assert!(copy_cleaned(&b"ok\n\x1b[2J\xff\n"[..], &mut out).is_ok());
        assert_eq!(String::from_utf8(out).unwrap(), "ok\n\u{fffd}[2J\u{fffd}\n");
    }
}
