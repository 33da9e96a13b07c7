//! A database with data, and a server that answers queries to it.

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{Answer, Database, Server, small_experiment};

pub const QUERY: &str = "/api/v1/query";

/// A server without slots, so that only a query could change the database.
pub struct Door {
    pub server: Server,
    pub url: String,
    pub folder: TempDir,
}

impl Door {
    /// A server on a database with jobs that never ran.
    pub fn open(database: Database, args: &[&str]) -> Self {
        let folder = TempDir::new().unwrap();
        let url = database.create(&folder);
        let door = Self::on(url, folder, args);
        door.server.submit(&small_experiment(1, &[0]));
        door
    }

    /// A server on a database with the results of one experiment.
    pub fn with_results(database: Database, args: &[&str]) -> Self {
        crate::support::runner();
        let folder = TempDir::new().unwrap();
        let url = database.create(&folder);
        let files = folder.path().join("files");
        let place = ["--database-url", &url, "--artifacts", files.to_str().unwrap(), "--workers", "2"];
        let server = Server::start_with(&folder, &place);
        server.wait_for_success(server.submit(&small_experiment(2, &[0, 1])));
        server.kill();
        Self::on(url, folder, args)
    }

    fn on(url: String, folder: TempDir, args: &[&str]) -> Self {
        let server = serve(&url, &folder, args);
        Self { server, url, folder }
    }

    /// One more server on the same database.
    pub fn beside(&self, args: &[&str]) -> Server {
        serve(&self.url, &self.folder, args)
    }

    pub fn ask(&self, sql: &str) -> Answer {
        self.server.post(QUERY, &json!({ "sql": sql }))
    }

    /// The rows of an answer.
    #[track_caller]
    pub fn rows(&self, sql: &str) -> Value {
        let answer = self.ask(sql);
        assert_eq!(answer.status, 200, "{sql}: {answer:?}");
        answer.json()["rows"].clone()
    }
}

fn serve(url: &str, folder: &TempDir, args: &[&str]) -> Server {
    let files = folder.path().join("files");
    let place = ["--database-url", url, "--artifacts", files.to_str().unwrap(), "--workers", "0"];
    Server::start_with(folder, &[&place[..], args].concat())
}

#[track_caller]
pub fn is_problem(answer: &Answer, status: u16, kind: &str) {
    assert_eq!(answer.status, status, "{answer:?}");
    assert_eq!(answer.content_type, "application/problem+json");
    assert_eq!(answer.json()["type"], format!("urn:optlab:problem:{kind}"), "{answer:?}");
}
