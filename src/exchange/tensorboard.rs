//! TensorBoard event files: one folder per job, `ARM/seed-N` or `ARM/trial-T/seed-N`, with the series as tags.
//!
//! A file is a sequence of records, each with its length and two checksums around a message of type `Event`, of which
//! these fields are written, in Protocol Buffers' encoding: 1 `wall_time` (double), 2 `step` (int64), 3 `file_version`
//! (string, in the first event), 5 `summary`; a summary's 1 `value`; a value's 1 `tag` (string) and 2 `simple_value`
//! (float). Values are floats because that is what TensorBoard keeps of them: seven digits.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use optlab_domain::JobId;

use super::{ExchangeError, PointWriter};
use crate::store::{ExportedJob, TimedPoint};

/// With this version, a series whose steps restart does not count as a restart of the run.
const FILE_VERSION: &str = "brain.Event:2";

/// Writes event files below a folder.
pub struct EventWriter {
    folder: PathBuf,
    /// The file of the current job.
    current: Option<(JobId, BufWriter<File>)>,
}

impl EventWriter {
    /// Writes to a folder, which is created.
    pub fn new(folder: PathBuf) -> Self {
        Self { folder, current: None }
    }

    fn begin(&self, job: &ExportedJob) -> io::Result<BufWriter<File>> {
        // An arm may be named `..`, which is not a folder of its own.
        let arm = Path::new(&job.record.arm).file_name().ok_or_else(|| {
            io::Error::new(io::ErrorKind::InvalidInput, format!("no folder can be named {}", job.record.arm))
        })?;
        let mut folder = self.folder.join(arm);
        if let Some(trial) = job.record.trial {
            folder.push(format!("trial-{trial}"));
        }
        folder.push(format!("seed-{}", job.record.seed));
        fs::create_dir_all(&folder)?;
        let name = format!("events.out.tfevents.{:010}.optlab", job.record.created_ms / 1000);
        let mut file = BufWriter::new(File::create_new(folder.join(name))?);
        let mut event = Message::default();
        event.double(1, job.record.created_ms as f64 / 1000.0);
        event.bytes(3, FILE_VERSION.as_bytes());
        write_record(&mut file, &event.0)?;
        Ok(file)
    }

    fn end(&mut self) -> io::Result<()> {
        match self.current.take() {
            Some((_, mut file)) => file.flush(),
            None => Ok(()),
        }
    }
}

impl PointWriter for EventWriter {
    fn write(&mut self, job: &ExportedJob, series: &str, points: &[TimedPoint]) -> Result<(), ExchangeError> {
        if self.current.as_ref().is_none_or(|(id, _)| *id != job.record.id) {
            self.end()?;
            self.current = Some((job.record.id, self.begin(job)?));
        }
        let Some((_, file)) = &mut self.current else { return Ok(()) };
        for point in points {
            write_record(file, &event(series, point))?;
        }
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<(), ExchangeError> {
        Ok(self.end()?)
    }
}

fn event(tag: &str, point: &TimedPoint) -> Vec<u8> {
    let (mut value, mut summary, mut event) = (Message::default(), Message::default(), Message::default());
    value.bytes(1, tag.as_bytes());
    value.float(2, point.value as f32);
    summary.bytes(1, &value.0);
    event.double(1, point.time_ms as f64 / 1000.0);
    event.integer(2, point.step as u64);
    event.bytes(5, &summary.0);
    event.0
}

/// Length, its checksum, the message, its checksum; all little-endian.
fn write_record(out: &mut impl Write, message: &[u8]) -> io::Result<()> {
    let length = (message.len() as u64).to_le_bytes();
    out.write_all(&length)?;
    out.write_all(&masked_crc(&length).to_le_bytes())?;
    out.write_all(message)?;
    out.write_all(&masked_crc(message).to_le_bytes())
}

/// CRC-32C, masked because checksums of data that contains checksums are weak.
fn masked_crc(bytes: &[u8]) -> u32 {
    crc_fast::crc32_iscsi(bytes).rotate_right(15).wrapping_add(0xa282_ead8)
}

/// A message in Protocol Buffers' encoding: each field is its number and type, then its value.
#[derive(Default)]
struct Message(Vec<u8>);

impl Message {
    fn integer(&mut self, field: u64, value: u64) {
        self.key(field, 0);
        self.varint(value);
    }

    fn double(&mut self, field: u64, value: f64) {
        self.key(field, 1);
        self.0.extend(value.to_le_bytes());
    }

    fn bytes(&mut self, field: u64, value: &[u8]) {
        self.key(field, 2);
        self.varint(value.len() as u64);
        self.0.extend(value);
    }

    fn float(&mut self, field: u64, value: f32) {
        self.key(field, 5);
        self.0.extend(value.to_le_bytes());
    }

    fn key(&mut self, field: u64, kind: u64) {
        self.varint(field << 3 | kind);
    }

    /// Varint: seven bits per byte, the lowest first; the eighth marks that more follow.
    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_match_the_format() {
        // Of 32 zeros, from the examples of RFC 3720.
        assert_eq!(crc_fast::crc32_iscsi(&[0; 32]), 0x8a91_36aa);
        assert_eq!(masked_crc(&[0; 32]), 0x0fd7_fffa);
    }

    #[test]
    fn an_event_is_encoded_field_by_field() {
        let point = TimedPoint { step: 300, value: 0.5, time_ms: 1500 };
        let expected = [
            &[0x09][..], // 1, double
            &1.5_f64.to_le_bytes(),
            &[0x10, 0xac, 0x02],       // 2, 300
            &[0x2a, 0x0a, 0x0a, 0x08], // 5, 10 bytes: 1, 8 bytes
            &[0x0a, 0x01, b'x', 0x15], // 1, one byte; 2, float
            &0.5_f32.to_le_bytes(),
        ];
        assert_eq!(event("x", &point), expected.concat());
    }
}
