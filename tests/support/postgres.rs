//! A PostgreSQL server for tests, in a temporary folder. It never outlives the test process.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, Ordering};

use super::processes::signal;

/// The server listens only on a socket in its folder, so it needs no free port and other programs cannot connect.
const SOCKETS: &str = "listen_addresses = ''\nunix_socket_directories = '.'\nmax_connections = 400\n";

/// Faster settings that are unsafe only in a power cut. A killed server loses nothing.
const HASTE: &str = "fsync = off\nfull_page_writes = off\n";

/// The user `nobody`, which every Linux has. It owns the server's files and processes in tests that run as root,
/// because PostgreSQL refuses to run as root.
const NOBODY: u32 = 65534;

/// A running server. It stops and its folder is removed when it is dropped, and when the test process ends in any way.
pub struct Postgres {
    programs: PathBuf,
    folder: PathBuf,
    /// Cleans up at the end of its input, which only this process holds open.
    watchdog: Child,
    databases: AtomicU32,
}

impl Postgres {
    /// The server of this test process, started by the first call.
    pub fn shared() -> &'static Self {
        static SHARED: LazyLock<Postgres> = LazyLock::new(|| Postgres::with_settings(HASTE));
        &SHARED
    }

    /// A server for one test, which may crash it. Its writes are as durable as in production.
    pub fn own() -> Self {
        Self::with_settings("")
    }

    /// A server that also listens on a port of this machine, where it requires TLS, and the URL of a database in it.
    /// `certify` puts `server.pem` and `server.key` into its folder.
    pub fn with_tls(certify: impl FnOnce(&Path)) -> (Self, String) {
        let mut server = Self::with_settings(HASTE);
        server.crash();
        certify(&server.folder);
        let key = server.folder.join("server.key");
        fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
        if is_root() {
            for file in [&key, &server.folder.join("server.pem")] {
                chown(file, Some(NOBODY), Some(NOBODY)).unwrap();
            }
        }
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let settings = format!(
            "listen_addresses = '127.0.0.1'\nport = {port}\nssl = on\nssl_cert_file = 'server.pem'\nssl_key_file = \
             'server.key'\n"
        );
        let mut configuration =
            OpenOptions::new().append(true).open(server.folder.join("postgresql.conf")).unwrap();
        configuration.write_all(settings.as_bytes()).unwrap();
        let who = "hostssl all all 127.0.0.1/32 trust\nlocal all all trust\n";
        fs::write(server.folder.join("pg_hba.conf"), who).unwrap();
        server.start();
        let sql = "CREATE DATABASE secured";
        let local = format!("{}&port={port}", server.url("postgres"));
        server.run("psql", &["--no-psqlrc", "--dbname", &local, "--command", sql]);
        (server, format!("postgres://optlab@localhost:{port}/secured"))
    }

    fn with_settings(settings: &str) -> Self {
        let programs = programs();
        let folder = tempfile::Builder::new().prefix("optlab-postgres-").tempdir().unwrap().keep();
        if is_root() {
            chown(&folder, Some(NOBODY), Some(NOBODY)).unwrap();
        }
        let watchdog = watchdog(&programs, &folder);
        let mut server = Self { programs, folder, watchdog, databases: AtomicU32::new(0) };
        server.run(
            "initdb",
            &["--username=optlab", "--auth=trust", "--encoding=UTF8", "--no-locale", "--no-sync"],
        );
        let file = server.folder.join("postgresql.conf");
        let mut configuration = OpenOptions::new().append(true).open(file).unwrap();
        write!(configuration, "{SOCKETS}{settings}").unwrap();
        server.start();
        server
    }

    /// Creates an empty database; returns its URL.
    pub fn database(&self) -> String {
        let name = format!("test_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        let sql = format!("CREATE DATABASE {name}");
        self.run("psql", &["--no-psqlrc", "--dbname", &self.url("postgres"), "--command", &sql]);
        self.url(&name)
    }

    /// Stops the server as a crash does: it closes no connection in good order and writes nothing more.
    pub fn crash(&mut self) {
        self.run("pg_ctl", &["stop", "--mode=immediate", "--wait"]);
    }

    /// Starts the server again after a crash. It recovers, and databases keep their URLs.
    pub fn start(&mut self) {
        let log = self.folder.join("log");
        self.run("pg_ctl", &["start", "--wait", "--log", log.to_str().unwrap()]);
    }

    /// Calls `act` while the server accepts no new connections; existing ones continue.
    pub fn while_frozen<T>(&self, act: impl FnOnce() -> T) -> T {
        let file = fs::read_to_string(self.folder.join("postmaster.pid")).unwrap();
        let process = file.lines().next().unwrap().parse().unwrap();
        assert!(signal(process, "STOP"));
        let result = act();
        assert!(signal(process, "CONT"));
        result
    }

    fn url(&self, database: &str) -> String {
        format!("postgres://optlab@localhost/{database}?host={}", self.folder.display())
    }

    /// Runs one of PostgreSQL's programs on this server and asserts that it succeeds.
    fn run(&self, program: &str, args: &[&str]) {
        let done = command(&self.programs.join(program), &self.folder).args(args).output().unwrap();
        let log = || fs::read_to_string(self.folder.join("log")).unwrap_or_default();
        assert!(done.status.success(), "{program}: {}\n{}", String::from_utf8_lossy(&done.stderr), log());
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // `wait` closes the input of the watchdog first.
        let _ = self.watchdog.wait();
    }
}

/// A process that cleans up when its input ends. Statics are not dropped at the end of a process, and nothing is
/// dropped if it is killed, but its pipes are always closed. The process group of its own protects it from Ctrl-C.
fn watchdog(programs: &Path, folder: &Path) -> Child {
    let script = r#"read -r _; "$0" stop --mode=immediate; rm -rf "$PGDATA""#;
    command(Path::new("sh"), folder)
        .args(["-c", script])
        .arg(programs.join("pg_ctl"))
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
        .unwrap()
}

/// A command in the folder, never as root.
fn command(program: &Path, folder: &Path) -> Command {
    let mut command = Command::new(program);
    // On a loaded machine, starting and recovering may take ten minutes instead of one.
    command.current_dir(folder).env("PGDATA", folder).env("PGCTLTIMEOUT", "600");
    if is_root() {
        command.uid(NOBODY).gid(NOBODY);
    }
    command
}

fn is_root() -> bool {
    fs::metadata("/proc/self").unwrap().uid() == 0
}

fn programs() -> PathBuf {
    let search = Path::new(env!("CARGO_MANIFEST_DIR")).join("setup/find-postgres.sh");
    let found = Command::new(search).output().unwrap();
    assert!(found.status.success(), "PostgreSQL is missing: run `make setup-test`");
    PathBuf::from(String::from_utf8(found.stdout).unwrap().trim())
}
