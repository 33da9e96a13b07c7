//! Data sets in a tar archive, packed or unpacked.

use std::fs;
use std::path::Path;

use flate2::{Compression, write::GzEncoder};
use optlab_data::{
    Archive, DataError, Dataset, Library, Member, Normalisation, RemoteFile, Samples, Silent, Split, State,
};
use optlab_net::Network;
use sha2::{Digest, Sha256};
use tempfile::TempDir;

/// Hashes of the texts "learn" and "check".
const ARCHIVE: Archive = Archive {
    folder: "packed-bin",
    members: &[
        Member {
            name: "train.bin",
            bytes: 5,
            sha256: "6a8da52e920664ef15b3c36c0edb24e27e6604bb2dc2f6c7c1f1f5076ff28ee9",
        },
        Member {
            name: "test.bin",
            bytes: 5,
            sha256: "20f65c28671b40937c5bf23acc7c6f37e5a5ec0622e347b57685725df5ba9e50",
        },
    ],
};

/// An archive whose hash is that of the bytes that this test packs.
struct Packed([RemoteFile; 1]);

impl Packed {
    fn of(content: &[u8]) -> Self {
        let sha256 = hex::encode(Sha256::digest(content));
        let bytes = content.len() as u64;
        Self([RemoteFile { name: "packed.tar.gz", bytes, sha256: sha256.leak(), addresses: &[] }])
    }
}

impl Dataset for Packed {
    fn name(&self) -> &'static str {
        "packed"
    }
    fn about(&self) -> &'static str {
        "for this test"
    }
    fn shape(&self) -> [usize; 3] {
        [1, 1, 1]
    }
    fn classes(&self) -> usize {
        2
    }
    fn train_samples(&self) -> usize {
        1
    }
    fn test_samples(&self) -> usize {
        1
    }
    fn normalisation(&self) -> Normalisation {
        Normalisation { centre: 0.0, scale: 1.0 }
    }
    fn files(&self) -> &[RemoteFile] {
        &self.0
    }
    fn archive(&self) -> Option<&Archive> {
        Some(&ARCHIVE)
    }
    fn decode(&self, files: &[Vec<u8>]) -> Result<Split, DataError> {
        let one = |file: &Vec<u8>| Samples { pixels: file.clone(), labels: vec![0] };
        Ok(Split { train: one(&files[0]), test: one(&files[1]) })
    }
}

fn packed(files: &[(&str, &str)]) -> Vec<u8> {
    let mut archive = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    for (path, content) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        archive.append_data(&mut header, path, content.as_bytes()).unwrap();
    }
    archive.into_inner().unwrap().finish().unwrap()
}

fn library(folder: &TempDir) -> Library {
    Library {
        given: Some(folder.path().join("given")),
        cache: folder.path().join("cache"),
        mirror: None,
        network: Network::default(),
    }
}

fn write(path: &Path, content: &[u8]) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
}

/// The archive has more files than members, in another order.
const FILES: [(&str, &str); 3] =
    [("packed-bin/test.bin", "check"), ("packed-bin/readme.html", "<p>"), ("packed-bin/train.bin", "learn")];

#[test]
fn members_of_an_archive_are_decoded_in_the_listed_order() {
    let folder = TempDir::new().unwrap();
    let content = packed(&FILES);
    let dataset = Packed::of(&content);
    write(&folder.path().join("given/packed/packed.tar.gz"), &content);
    let split = library(&folder).load(&dataset, &mut Silent).unwrap();
    assert_eq!((&split.train.pixels[..], &split.test.pixels[..]), (&b"learn"[..], &b"check"[..]));
    assert_eq!(library(&folder).state(&dataset), State::Present(folder.path().join("given/packed")));
    let truncated = folder.path().join("given/packed-bin/test.bin");
    write(&folder.path().join("given/packed-bin/train.bin"), b"learn");
    write(&truncated, b"chec");
    assert_eq!(
        library(&folder).state(&dataset),
        State::Altered(truncated),
        "the unpacked archive takes precedence"
    );
}

#[test]
fn an_archive_without_a_member_is_refused() {
    let folder = TempDir::new().unwrap();
    let content = packed(&FILES[..2]);
    write(&folder.path().join("cache/packed/packed.tar.gz"), &content);
    let error = library(&folder).load(&Packed::of(&content), &mut Silent).unwrap_err().to_string();
    assert_eq!(error, "packed.tar.gz does not contain packed-bin/train.bin");
}

#[test]
fn an_unpacked_archive_replaces_the_packed_one() {
    for place in ["given", "given/packed", "cache", "cache/packed"] {
        let folder = TempDir::new().unwrap();
        let unpacked = folder.path().join(place).join("packed-bin");
        let dataset = Packed::of(b"nowhere to be found");
        write(&unpacked.join("train.bin"), b"learn");
        assert!(
            matches!(library(&folder).state(&dataset), State::Absent(_)),
            "an incomplete archive does not count"
        );
        write(&unpacked.join("test.bin"), b"check");
        assert_eq!(library(&folder).state(&dataset), State::Present(unpacked));
        assert_eq!(library(&folder).load(&dataset, &mut Silent).unwrap().test.pixels, b"check");
    }
}

#[test]
fn an_altered_unpacked_file_is_refused_by_name() {
    let folder = TempDir::new().unwrap();
    write(&folder.path().join("given/packed-bin/train.bin"), b"learn");
    write(&folder.path().join("given/packed-bin/test.bin"), b"chuck");
    let error = library(&folder).load(&Packed::of(b""), &mut Silent).unwrap_err().to_string();
    assert!(error.contains("packed-bin/test.bin is truncated or altered"), "{error}");
}
