//! Exports as event files of TensorBoard.

use std::fs;

use tempfile::TempDir;

use super::{client, contents, said, trained};

/// Parses an event file as TensorBoard does: checksums, then fields.
fn events(bytes: &[u8]) -> Vec<(f64, i64, String, f32)> {
    let number = |bytes: &[u8]| u64::from_le_bytes(bytes.try_into().unwrap());
    let unmasked = |bytes: &[u8]| {
        u32::from_le_bytes(bytes.try_into().unwrap()).wrapping_sub(0xa282_ead8).rotate_left(15)
    };
    let (mut rest, mut found) = (bytes, Vec::new());
    while !rest.is_empty() {
        let length = number(&rest[..8]) as usize;
        assert_eq!(unmasked(&rest[8..12]), crc_fast::crc32_iscsi(&rest[..8]));
        let message = &rest[12..12 + length];
        assert_eq!(unmasked(&rest[12 + length..16 + length]), crc_fast::crc32_iscsi(message));
        rest = &rest[16 + length..];
        let mut event = (0.0, 0, String::new(), 0.0);
        for (field, value) in fields(message) {
            match field {
                1 => event.0 = f64::from_le_bytes(value.try_into().unwrap()),
                2 => event.1 = number(value) as i64,
                3 => event.2 = String::from_utf8(value.to_vec()).unwrap(),
                _ => {
                    let [(1, value)] = fields(value)[..] else { panic!("a summary of one value") };
                    let [(1, tag), (2, number)] = fields(value)[..] else { panic!("a tag and a number") };
                    event.2 = String::from_utf8(tag.to_vec()).unwrap();
                    event.3 = f32::from_le_bytes(number.try_into().unwrap());
                }
            }
        }
        found.push(event);
    }
    found
}

/// The fields of a Protocol Buffers message; integers as eight bytes.
fn fields(mut message: &[u8]) -> Vec<(u64, &[u8])> {
    let varint = |bytes: &mut &[u8]| {
        let length = bytes.iter().position(|byte| byte & 0x80 == 0).unwrap() + 1;
        let (own, rest) = bytes.split_at(length);
        *bytes = rest;
        own.iter().rev().fold(0_u64, |value, byte| value << 7 | u64::from(byte & 0x7f))
    };
    let mut fields = Vec::new();
    while !message.is_empty() {
        let key = varint(&mut message);
        let value = match key & 7 {
            0 => {
                let number = varint(&mut message).to_le_bytes();
                fields.push((key >> 3, &*Box::leak(Box::new(number)) as &[u8]));
                continue;
            }
            1 => 8,
            2 => varint(&mut message) as usize,
            5 => 4,
            other => panic!("wire type {other}"),
        };
        let (value, rest) = message.split_at(value);
        message = rest;
        fields.push((key >> 3, value));
    }
    fields
}

#[test]
fn tensorboard_exports_have_one_folder_per_job() {
    let folder = TempDir::new().unwrap();
    let (server, _, file) = trained(&folder);
    let args = ["export", "small", "--format", "tensorboard", "--output", "events"];
    assert_eq!(said(&client(&server, &folder, &args)).trim(), "events");
    let (_, jobs, curves) = contents(&file);
    for (place, job) in jobs.iter().enumerate() {
        let run = folder.path().join(format!("events/{}/seed-{}", job.record.arm, job.record.seed));
        let [file] = &fs::read_dir(run).unwrap().collect::<Vec<_>>()[..] else { panic!("one file per job") };
        let file = file.as_ref().unwrap();
        assert!(file.file_name().to_str().unwrap().starts_with("events.out.tfevents."));
        let events = events(&fs::read(file.path()).unwrap());
        assert_eq!(events[0].2, "brain.Event:2");
        let of_job = curves.iter().filter(|((job, _), _)| *job == place);
        let expected = of_job.flat_map(|((_, series), points)| {
            points.iter().map(|&(step, bits, time_ms)| {
                (time_ms as f64 / 1000.0, step, series.clone(), f64::from_bits(bits) as f32)
            })
        });
        assert_eq!(events[1..], expected.collect::<Vec<_>>());
    }
    assert_eq!(client(&server, &folder, &args).status.code(), Some(1), "the folder exists already");
}
