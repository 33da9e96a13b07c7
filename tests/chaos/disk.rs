//! A disk that can be filled.

use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// A file system in memory; gone when dropped.
pub struct Disk {
    place: PathBuf,
}

impl Disk {
    /// `None` where this process may not mount one; the folder is there then, too.
    pub fn mount(place: PathBuf) -> Option<Self> {
        fs::create_dir_all(&place).unwrap();
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", "size=256m", "tmpfs"]).arg(&place).stderr(Stdio::null());
        let mounted = mount.status().is_ok_and(|status| status.success());
        mounted.then_some(Self { place })
    }

    /// Takes all the room that is left, until it is given back.
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
        // Lazily: a process that is being killed may still have a file open.
        let _ = Command::new("umount").arg("--lazy").arg(&self.place).status();
    }
}

/// What fills a disk; the room is there again when it is dropped.
pub struct Ballast {
    place: PathBuf,
}

impl Drop for Ballast {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.place);
    }
}
