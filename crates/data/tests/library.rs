//! The library's files: found, downloaded and rejected, with a real HTTP server on loopback.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::Path;

use optlab_data::{
    DataError, Dataset, Library, Normalisation, Progress, RemoteFile, Samples, Silent, Split, State,
};
use optlab_net::Network;
use tempfile::TempDir;

const CONTENT: &[u8] = b"six bytes and some more";

const FILES: &[RemoteFile] = &[RemoteFile {
    name: "tiny.bin",
    bytes: CONTENT.len() as u64,
    sha256: "76b99944f47e0195e8045e6c3f9143621a3690688583b7be4bbeddef13d3fc16",
    addresses: &["http://127.0.0.1:9/tiny.bin"],
}];

/// A data set of one file whose official address does not answer.
struct Tiny;

impl Dataset for Tiny {
    fn name(&self) -> &'static str {
        "tiny"
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
        FILES
    }
    fn decode(&self, files: &[Vec<u8>]) -> Result<Split, DataError> {
        let one = |byte: u8| Samples { pixels: vec![byte], labels: vec![0] };
        Ok(Split { train: one(files[0][0]), test: one(files[0][1]) })
    }
}

/// Starts a server that answers the expected request with `body`; returns its address.
fn mirror(body: &'static [u8]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let request = BufReader::new(stream.try_clone().unwrap()).lines();
            let head: Vec<String> = request.map(Result::unwrap).take_while(|line| !line.is_empty()).collect();
            let right = head[0].starts_with("GET /tiny/tiny.bin ");
            let status = if right { "200 OK" } else { "404 Not Found" };
            write!(
                stream,
                "HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
                body.len()
            )
            .unwrap();
            stream.write_all(body).unwrap();
        }
    });
    address
}

fn library(folder: &TempDir, mirror: Option<String>) -> Library {
    Library {
        given: Some(folder.path().join("given")),
        cache: folder.path().join("cache"),
        mirror,
        network: Network::default(),
    }
}

fn write(folder: &Path, content: &[u8]) {
    fs::create_dir_all(folder.join("tiny")).unwrap();
    fs::write(folder.join("tiny/tiny.bin"), content).unwrap();
}

#[derive(Default)]
struct Reports(Vec<(u64, u64)>);

impl Progress for Reports {
    fn fetched(&mut self, file: &str, done: u64, total: u64) {
        assert_eq!(file, "tiny.bin");
        self.0.push((done, total));
    }
}

#[test]
fn a_file_is_downloaded_once_and_progress_is_reported() {
    let folder = TempDir::new().unwrap();
    let online = library(&folder, Some(mirror(CONTENT)));
    assert_eq!(online.state(&Tiny), State::Absent(CONTENT.len() as u64));
    let mut reports = Reports::default();
    assert_eq!(online.load(&Tiny, &mut reports).unwrap().train.pixels, [CONTENT[0]]);
    assert_eq!(reports.0.last(), Some(&(CONTENT.len() as u64, CONTENT.len() as u64)));
    let offline = library(&folder, None);
    assert_eq!(offline.state(&Tiny), State::Present(folder.path().join("cache/tiny")));
    assert!(offline.load(&Tiny, &mut Silent).is_ok());
}

#[test]
fn the_users_folder_takes_precedence_over_the_cache() {
    let folder = TempDir::new().unwrap();
    let library = library(&folder, None);
    write(&library.cache, CONTENT);
    write(library.given.as_ref().unwrap(), CONTENT);
    assert_eq!(library.state(&Tiny), State::Present(folder.path().join("given/tiny")));
}

#[test]
fn a_damaged_file_is_replaced_in_the_cache_but_not_in_the_users_folder() {
    for content in [&CONTENT[..10], b"six bytes and some mare", b""] {
        let folder = TempDir::new().unwrap();
        let online = library(&folder, Some(mirror(CONTENT)));
        write(&online.cache, content);
        assert!(matches!(online.verify(&Tiny), Err(DataError::Altered { .. })), "verify downloads nothing");
        assert_eq!(online.load(&Tiny, &mut Silent).unwrap().train.pixels, [CONTENT[0]]);
        assert!(library(&folder, None).verify(&Tiny).is_ok(), "it is intact now");

        let given = online.given.as_ref().unwrap();
        write(given, content);
        let error = online.load(&Tiny, &mut Silent).unwrap_err();
        assert!(matches!(error, DataError::Altered { .. }));
        assert!(error.to_string().contains("given/tiny/tiny.bin is truncated or altered"), "{error}");
        assert_eq!(fs::read(given.join("tiny/tiny.bin")).unwrap(), content);
    }
}

#[test]
fn a_damaged_file_that_cannot_be_replaced_is_named() {
    let folder = TempDir::new().unwrap();
    let library = library(&folder, None);
    write(&library.cache, &CONTENT[..10]);
    let error = library.load(&Tiny, &mut Silent).unwrap_err();
    assert!(matches!(error, DataError::Unreachable { .. }));
    assert!(error.to_string().contains("cache/tiny/tiny.bin is truncated or altered"), "{error}");
}

#[test]
fn a_file_of_the_wrong_size_counts_as_altered() {
    let folder = TempDir::new().unwrap();
    let library = library(&folder, None);
    let file = folder.path().join("given/tiny/tiny.bin");
    write(&library.cache, CONTENT);
    write(library.given.as_ref().unwrap(), &CONTENT[..10]);
    assert_eq!(library.state(&Tiny), State::Altered(file.clone()), "it takes precedence over the intact one");
    fs::remove_file(file).unwrap();
    assert_eq!(library.state(&Tiny), State::Present(folder.path().join("cache/tiny")));
}

#[test]
fn a_failed_download_names_the_folders_for_the_file() {
    let folder = TempDir::new().unwrap();
    let mut library = library(&folder, None);
    let error = |library: &Library| library.load(&Tiny, &mut Silent).unwrap_err().to_string();
    assert!(error(&library).ends_with("given, which is not a folder"), "{}", error(&library));
    fs::create_dir(folder.path().join("given")).unwrap();
    assert!(error(&library).ends_with("; put the official file there"), "{}", error(&library));
    library.given = None;
    assert!(
        error(&library).ends_with("or set OPTLAB_DATA_DIR to a folder that contains it"),
        "{}",
        error(&library)
    );
}

#[test]
fn a_wrong_download_is_not_stored() {
    let folder = TempDir::new().unwrap();
    for wrong in [&b"<html>Please log in</html>"[..], b"six", b""] {
        let library = library(&folder, Some(mirror(wrong)));
        let error = library.load(&Tiny, &mut Silent).unwrap_err().to_string();
        assert!(error.starts_with("tiny.bin of tiny could not be downloaded"), "{error}");
        assert!(error.contains("wrong SHA-256") && error.contains("127.0.0.1:9"), "{error}");
        assert_eq!(library.state(&Tiny), State::Absent(CONTENT.len() as u64));
    }
}
