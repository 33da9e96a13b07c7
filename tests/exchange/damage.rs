//! Damaged and forged files: rejected, or imported with the original content.

use std::fs;
use std::path::Path;

use optlab::exchange::{ParquetReader, ParquetWriter, PointWriter};
use optlab::store::{Import, TimedPoint};
use tempfile::TempDir;

use crate::{contents, import, trained};

const DAMAGES: usize = 400;

/// SplitMix64, which gives the same numbers on every machine.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % end as u64) as usize
    }
}

/// Damages a file at random; returns a description.
fn damaged(whole: &[u8], random: &mut Random) -> (String, Vec<u8>) {
    let mut bytes = whole.to_vec();
    let mut at = |length: usize| random.below(whole.len() - length);
    let (one, other) = (at(64), at(64));
    let what = match random.below(8) {
        0..4 => {
            let bit = random.below(8);
            bytes[one] ^= 1 << bit;
            format!("bit {bit} of byte {one} is flipped")
        }
        4 => {
            bytes.truncate(one);
            format!("the file ends after {one} bytes")
        }
        5 => {
            for offset in 0..8 {
                bytes.swap(one + offset, other + offset);
            }
            format!("eight bytes at {one} and at {other} are swapped")
        }
        6 => {
            bytes[one..one + 64].fill(0);
            format!("64 bytes at {one} are 0")
        }
        _ => {
            bytes.copy_within(other..other + 64, one);
            format!("64 bytes at {one} are copied from {other}")
        }
    };
    (what, bytes)
}

#[test]
fn a_damaged_file_is_rejected_or_imported_unchanged() {
    let folder = TempDir::new().unwrap();
    let (server, _, file) = trained(&folder);
    let (whole, expected) = (fs::read(&file).unwrap(), contents(&file));
    let (mut random, mut accepted) = (Random(1), 0);
    for number in 0..DAMAGES {
        let (what, bytes) = damaged(&whole, &mut random);
        let answer = import(&server, &bytes);
        if answer.status == 422 {
            continue;
        }
        assert_eq!(answer.status, 201, "damage {number}: {what}: {answer:?}");
        let export = format!("/api/v1/experiments/{}/export?format=parquet", answer.json()["id"]);
        let copy = ureq::get(format!("{}{export}", server.address)).call().unwrap().body_mut().read_to_vec();
        let place = folder.path().join("copy");
        fs::write(&place, copy.unwrap()).unwrap();
        assert!(contents(&place) == expected, "damage {number} was imported with changed content: {what}");
        accepted += 1;
    }
    // Columns for other programs, statistics and padding are not imported.
    println!("{accepted} of {DAMAGES} damages did not affect imported data");
    assert_eq!(import(&server, &whole).status, 201);
}

/// A forged file: changed content with the original digest.
fn forged(file: &Path, import: impl FnOnce(&mut Import), mut point: impl FnMut(&mut TimedPoint)) -> Vec<u8> {
    let reader = ParquetReader::open(fs::File::open(file).unwrap()).unwrap();
    let mut changed = reader.import().clone();
    import(&mut changed);
    let mut bytes = Vec::new();
    let mut writer = Box::new(ParquetWriter::new(&mut bytes, &changed.experiment, &changed.jobs).unwrap());
    let read = reader.for_each(|mut batch| {
        batch.points.iter_mut().for_each(&mut point);
        writer.write(&changed.jobs[batch.job], &batch.series, &batch.points).unwrap();
        true
    });
    read.unwrap();
    writer.finish().unwrap();
    let old = digest(&fs::read(file).unwrap());
    let new = digest(&bytes);
    let place = bytes.windows(64).position(|window| window == new).unwrap();
    bytes[place..place + 64].copy_from_slice(&old);
    bytes
}

/// The value after a key that occurs once in the metadata.
fn digest(file: &[u8]) -> Vec<u8> {
    let key = b"optlab.sha256";
    let place = file.windows(key.len()).position(|window| window == key).unwrap() + key.len();
    let is_digit = |byte: &u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(byte);
    let start = (place..).find(|&start| file[start..start + 64].iter().all(is_digit)).unwrap();
    file[start..start + 64].to_vec()
}

#[test]
fn the_digest_covers_every_field() {
    let folder = TempDir::new().unwrap();
    let (server, _, file) = trained(&folder);
    assert_eq!(import(&server, &forged(&file, |_| {}, |_| {})).status, 201, "without a change");
    let mut first = true;
    let change_first = |point: &mut TimedPoint| {
        if std::mem::take(&mut first) {
            point.value += 1e-9;
        }
    };
    let value = forged(&file, |_| {}, change_first);
    let time = forged(&file, |_| {}, |point| point.time_ms += 1);
    let notes = forged(&file, |import| import.experiment.notes.push('!'), |_| {});
    let seconds = forged(&file, |import| import.jobs[0].attempts[0].seconds = Some(1.0), |_| {});
    for (what, bytes) in [("a value", value), ("times", time), ("notes", notes), ("seconds", seconds)] {
        let answer = import(&server, &bytes);
        assert_eq!(answer.status, 422, "{what}: {answer:?}");
        assert!(answer.text.contains("SHA-256"), "{what}: {answer:?}");
    }
}
