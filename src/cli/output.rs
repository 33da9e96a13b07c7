//! What commands say: the only place that writes to standard output and standard error.
//!
//! The reader of a pipe may go away (`| head`). What is printed after that is dropped, and the command still does its
//! work, so that its exit status means the same. Any other error is a failure of the command.
//!
//! Text of other people, a note or an error message say, must not steer the reader's terminal: lines for people hold no
//! control characters, and JSON has them escaped. What programs read goes out byte for byte, except to a terminal.

use std::fmt::Display;
use std::io::{self, BufRead, BufReader, ErrorKind, IsTerminal, Read, Write, stderr, stdout};

use anyhow::Context;
use serde::Serialize;

const UNWRITTEN: &str = "cannot write to standard output";

/// Prints a line, or several, for people.
pub(super) fn line(text: impl Display) -> anyhow::Result<()> {
    write((clean(&text.to_string()) + "\n").as_bytes())
}

/// Prints one JSON document.
pub(super) fn json(value: &impl Serialize) -> anyhow::Result<()> {
    let text = serde_json::to_string_pretty(value)?;
    // serde_json escapes the others. These occur in strings only, where an escape means the same.
    let escaped = text.chars().fold(String::with_capacity(text.len() + 1), |mut escaped, c| {
        match c {
            c if c.is_control() && c != '\n' => escaped.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => escaped.push(c),
        }
        escaped
    });
    write((escaped + "\n").as_bytes())
}

/// Prints what a program may read, of whatever length.
pub(super) fn verbatim(text: impl Read) -> anyhow::Result<()> {
    let mut out = stdout().lock();
    let copied =
        if out.is_terminal() { copy_cleaned(BufReader::new(text), &mut out) } else { copy(text, &mut out) };
    // What cannot be read has its own reason.
    copied.map_err(|failure| match failure {
        Copying::Read(error) => anyhow::Error::from(error).context("the answer broke off"),
        Copying::Write(error) => anyhow::Error::from(error).context(UNWRITTEN),
    })
}

/// How something was printed that prints itself, as help does.
pub(super) fn printed(result: io::Result<()>) -> anyhow::Result<()> {
    unless_unread(result).context(UNWRITTEN)
}

/// Makes sure that everything printed has arrived.
pub(super) fn flush() -> anyhow::Result<()> {
    printed(stdout().flush())
}

/// Tells people something beside the answer, on standard error. Where that cannot be written, nobody can be told.
pub(super) fn note(text: impl Display) {
    let _ = writeln!(stderr(), "{}", clean(&text.to_string()));
}

/// Without the characters that steer a terminal, but for ends of lines and tabs.
pub(super) fn clean(text: &str) -> String {
    text.chars().map(|c| if steers(c) { char::REPLACEMENT_CHARACTER } else { c }).collect()
}

/// Control characters, and those that change the direction of what follows.
fn steers(c: char) -> bool {
    c.is_control() && !matches!(c, '\n' | '\t')
        || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn write(text: &[u8]) -> anyhow::Result<()> {
    printed(stdout().lock().write_all(text))
}

/// Nobody reads on, as with `| head`: that is no error.
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
            // The rest need not even be fetched.
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
