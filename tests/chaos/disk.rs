//! A file system that a test can fill.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, ErrorKind, Write};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

/// A file system in memory. It is unmounted when dropped and when the test process ends for any reason.
pub struct Disk {
    place: PathBuf,
    /// A helper that unmounts at the end of its input, which only this process holds open.
    keeper: Child,
}

impl Disk {
    /// `None` if this process may not mount; the folder exists even then.
    pub fn mount(place: PathBuf) -> Option<Self> {
        fs::create_dir_all(&place).unwrap();
        // Lazily, because a process that is being killed may still have a file open.
        let script =
            r#"mount -t tmpfs -o size=256m tmpfs "$0" || exit; echo mounted; read -r _; umount --lazy "$0""#;
        let mut keeper = Command::new("sh")
            .args(["-c", script])
            .arg(&place)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .unwrap();
        let mut said = String::new();
        BufReader::new(keeper.stdout.take().unwrap()).read_line(&mut said).unwrap();
        if said.is_empty() {
            keeper.wait().unwrap();
            return None;
        }
        Some(Self { place, keeper })
    }

    /// Fills the file system until the returned value is dropped.
    pub fn fill(&self) -> Ballast {
        let place = self.place.join("ballast");
        let mut file = File::create(&place).unwrap();
        for part in [vec![0; 1 << 20], vec![0; 512]] {
            let error = loop {
                if let Err(error) = file.write_all(&part) {
                    break error;
                }
            };
            assert_eq!(error.kind(), ErrorKind::StorageFull, "{error}");
        }
        Ballast { place }
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Waiting closes its input first.
        let _ = self.keeper.wait();
    }
}

/// The file that fills a disk; dropping it frees the space.
pub struct Ballast {
    place: PathBuf,
}

impl Drop for Ballast {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.place);
    }
}
