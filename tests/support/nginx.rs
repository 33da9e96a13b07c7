//! An nginx in front of a server, with its files in a temporary folder.

use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command};

use tempfile::TempDir;

use super::waiting::Patience;

/// A running proxy, which is killed when dropped.
pub struct Nginx {
    child: Child,
    /// Its address for clients.
    pub address: String,
    _folder: TempDir,
}

impl Nginx {
    /// Starts nginx with `locations` as its `server` block, except for the port.
    pub fn start(locations: &str) -> Self {
        loop {
            // Another program may take the port before nginx does.
            if let Some(nginx) = Self::try_start(locations) {
                return nginx;
            }
        }
    }

    fn try_start(locations: &str) -> Option<Self> {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let folder = TempDir::new().unwrap();
        let place = folder.path().display();
        let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map(|kind| format!("{kind}_temp_path {place}/{kind};"))
            .concat();
        let configuration = format!(
            "daemon off; master_process off; pid {place}/pid; error_log {place}/error.log;
             events {{}}
             http {{ access_log off; {temporary} server {{ listen 127.0.0.1:{port}; {locations} }} }}"
        );
        std::fs::write(folder.path().join("nginx.conf"), configuration).unwrap();
        let mut child = Command::new(program())
            .args(["-p", ".", "-e", "error.log", "-c", "nginx.conf"])
            .current_dir(&folder)
            .spawn()
            .expect("nginx starts");
        let mut patience = Patience::until("nginx answers");
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            if child.try_wait().unwrap().is_some() {
                let log = std::fs::read_to_string(folder.path().join("error.log")).unwrap_or_default();
                assert!(log.contains("Address already in use"), "nginx does not start: {log}");
                return None;
            }
            patience.again(());
        }
        Some(Self { child, address: format!("http://127.0.0.1:{port}"), _folder: folder })
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The path of nginx, which Debian installs outside the PATH of other users than root.
fn program() -> String {
    let search = "PATH=$PATH:/usr/sbin; command -v nginx";
    let found = Command::new("sh").args(["-c", search]).output().unwrap().stdout;
    let path = String::from_utf8(found).unwrap().trim().to_owned();
    assert!(!path.is_empty(), "nginx is missing: run `make setup-test`");
    path
}
