//! The log of an attempt. A long one keeps its beginning and its end.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::PathBuf;

/// Maximum length of a log, in bytes, apart from the line that exceeds it.
const LONGEST: u64 = 16 << 20;
/// Bytes at the beginning that a shortened log keeps.
const HEAD: usize = 4 << 20;
/// Bytes at the end that a log keeps when it is shortened. It then grows again up to [`LONGEST`].
const TAIL: usize = 6 << 20;

/// A file of lines.
#[derive(Debug)]
pub(super) struct Log {
    path: PathBuf,
    /// `None` after an error, because the file might otherwise grow without limit.
    file: Option<File>,
    /// Length of the file.
    bytes: u64,
    /// Bytes that were written in all.
    written: u64,
    /// Length of the beginning, once the log has been shortened.
    head: Option<usize>,
}

impl Log {
    /// Creates an empty file.
    pub(super) fn create(path: PathBuf) -> io::Result<Self> {
        let file = Some(File::create(&path)?);
        Ok(Self { path, file, bytes: 0, written: 0, head: None })
    }

    /// Adds a line. An error ends the log, but not the training.
    pub(super) fn add(&mut self, line: &str) {
        if let Err(error) = self.try_add(line) {
            tracing::error!(%error, "the log of the job ends here");
            self.file = None;
        }
    }

    fn try_add(&mut self, line: &str) -> io::Result<()> {
        let Some(file) = &mut self.file else { return Ok(()) };
        let line = format!("{line}\n");
        file.write_all(line.as_bytes())?;
        self.bytes += line.len() as u64;
        self.written += line.len() as u64;
        if self.bytes > LONGEST { self.shorten() } else { Ok(()) }
    }

    /// Removes the middle. The file is replaced as a whole, because it may be being stored at the same time.
    fn shorten(&mut self) -> io::Result<()> {
        let text = fs::read_to_string(&self.path)?;
        if text.len() as u64 != self.bytes {
            return Err(io::Error::other("another program has changed the file of the log"));
        }
        let head = self.head.unwrap_or_else(|| end_of_line(&text, HEAD));
        let tail = &text[end_of_line(&text, text.len() - TAIL)..];
        let left_out = self.written - (head + tail.len()) as u64;
        let note = format!("... {left_out} bytes of the log are left out here ...\n");
        let shorter = self.path.with_extension("shorter");
        let mut file = File::create(&shorter)?;
        for part in [&text[..head], &note, tail] {
            file.write_all(part.as_bytes())?;
        }
        fs::rename(&shorter, &self.path)?;
        self.bytes = (head + note.len() + tail.len()) as u64;
        (self.file, self.head) = (Some(file), Some(head));
        Ok(())
    }
}

/// End of the line at the byte `index`.
fn end_of_line(text: &str, index: usize) -> usize {
    let index = text.ceil_char_boundary(index);
    text[index..].find('\n').map_or(index, |end| index + end + 1)
}
