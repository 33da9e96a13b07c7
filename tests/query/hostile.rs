//! Statements that try to write, to read secrets, to use up resources or never to end.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use serde_json::json;
use sqlx::{AssertSqlSafe, Connection, PgConnection};

use crate::client::{Door, QUERY, is_problem};
use crate::support::{Answer, Database, token};
use crate::{hostile_postgres, hostile_sqlite};

/// The required outcome of a statement.
#[derive(Clone, Copy, Debug)]
pub enum Fate {
    /// Rejected with this text.
    Refused(&'static str),
    /// Invalid or failed, with this text.
    Invalid(&'static str),
    /// Stopped by a limit on time, memory or the size of values.
    Stopped,
    /// Answered with a truncated result.
    Cut,
    /// Answered with this first value, because it only looks dangerous.
    Harmless(&'static str),
}

impl Fate {
    fn is(self, answer: &Answer) -> bool {
        let body = answer.json();
        let problem = |kind: &str, words: &str| {
            answer.status == 422
                && body["type"] == format!("urn:optlab:problem:query-{kind}")
                && body["detail"].as_str().unwrap().contains(words)
        };
        match self {
            Self::Refused(words) => problem("refused", words),
            Self::Invalid(words) => problem("invalid", words),
            Self::Stopped => problem("stopped", ""),
            Self::Cut => answer.status == 200 && body["truncated"] == true,
            Self::Harmless(value) => {
                let first = &body["rows"][0][0];
                let shown = first.as_str().map_or_else(|| first.to_string(), str::to_owned);
                answer.status == 200 && shown == *value
            }
        }
    }
}

pub fn hostile_statements_are_rejected_or_bounded_and_change_nothing(database: Database) {
    // Statements that must be stopped go to a server with a limit of two seconds. The others may take 50, the longest limit,
    // because the machine may be busy.
    let door = Door::with_results(database, &["--query-seconds", "50"]);
    let hasty = door.beside(&["--query-seconds", "2"]);
    token(&door.folder, &["create", "me", "--database-url", &door.url]);
    let statements = match database {
        Database::Sqlite => hostile_sqlite::statements(),
        Database::Postgres => hostile_postgres::statements(),
    };
    assert!(statements.len() >= 60, "only {} statements", statements.len());
    let different: BTreeSet<&str> = statements.iter().map(|(_, sql)| sql.as_str()).collect();
    assert_eq!(different.len(), statements.len());

    let before = everything(&door, database);
    let mut wrong = Vec::new();
    for (fate, sql) in &statements {
        let answer = match fate {
            Fate::Stopped => hasty.post(QUERY, &json!({ "sql": sql })),
            _ => door.ask(sql),
        };
        let shown: String = sql.chars().take(200).collect();
        if !fate.is(&answer) {
            wrong.push(format!("{shown}\n  expected: {fate:?}\n  {:.300}", format!("{answer:?}")));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let after = everything(&door, database);
    assert!(before.contains("opt-cayley") && before.contains("me"), "the dump is incomplete: {before}");
    let changed: Vec<&str> = after.lines().filter(|line| !before.contains(line)).collect();
    assert!(before == after, "the database has changed: {changed:#?}");
    // The service still works.
    assert_eq!(door.server.get("/readyz").status, 200);
    assert_eq!(door.rows("SELECT count(*) FROM jobs"), json!([[6]]));
    assert!(door.server.submit(&crate::support::small_experiment(1, &[0])) > 1);
}

/// Every row of every table, every definition, and the files beside the database. The time of the service's last test
/// write in `settings` is left out.
fn everything(door: &Door, database: Database) -> String {
    let content = match database {
        Database::Sqlite => dump(&door.folder.path().join("optlab.db")),
        Database::Postgres => rows(&door.url),
    };
    let mut files: Vec<String> = std::fs::read_dir(&door.folder)
        .unwrap()
        .map(|file| format!("{:?}", file.unwrap().file_name()))
        .collect();
    files.sort();
    let content: Vec<&str> = content.lines().filter(|line| !line.contains("last_write_check")).collect();
    content.join("\n") + "\n" + &files.join("\n")
}

fn dump(file: &Path) -> String {
    let done = Command::new("sqlite3").arg("-readonly").arg(file).arg(".dump").output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8(done.stdout).unwrap()
}

#[tokio::main(flavor = "current_thread")]
async fn rows(url: &str) -> String {
    let mut connection = PgConnection::connect(url).await.unwrap();
    let all = async |connection: &mut PgConnection, sql: String| -> Vec<String> {
        sqlx::query_scalar(AssertSqlSafe(sql)).fetch_all(connection).await.unwrap()
    };
    let mut lines = Vec::new();
    let tables = "SELECT tablename::TEXT FROM pg_tables WHERE schemaname = 'public' ORDER BY 1".to_owned();
    for table in all(&mut connection, tables).await {
        lines.extend(all(&mut connection, format!("SELECT t::TEXT FROM {table} t ORDER BY 1")).await);
    }
    for defined in [
        "SELECT relname::TEXT || relkind::TEXT FROM pg_class WHERE relname !~ '^pg_(toast|temp)' ORDER BY 1",
        "SELECT s::TEXT FROM pg_sequences s ORDER BY 1",
        "SELECT count(*)::TEXT FROM pg_proc",
        // Other tests have databases and logins on the same server.
        "SELECT r::TEXT FROM pg_roles r WHERE rolname NOT LIKE 'optlab_reader%' ORDER BY 1",
        "SELECT datname::TEXT FROM pg_database WHERE datname !~ '^test_' ORDER BY 1",
        "SELECT s::TEXT FROM pg_db_role_setting s
            WHERE setrole NOT IN (SELECT oid FROM pg_roles WHERE rolname LIKE 'optlab_reader%') ORDER BY 1",
        "SELECT count(*)::TEXT FROM pg_largeobject_metadata",
        "SELECT name || setting FROM pg_settings WHERE name NOT LIKE 'transaction%' ORDER BY 1",
        "SELECT l::TEXT FROM pg_locks l JOIN pg_database d ON d.oid = l.database
            WHERE l.locktype = 'advisory' AND d.datname = current_database()",
    ] {
        lines.extend(all(&mut connection, defined.to_owned()).await);
    }
    lines.join("\n")
}

/// Tables with keys, settings, hashes and levels of detail, and those of the databases and drivers themselves.
pub const HIDDEN: [&str; 9] = [
    "tokens",
    "settings",
    "deleted_jobs",
    "deleted_attempts",
    "submissions",
    "condensed_curves",
    "curve_blocks",
    "_sqlx_migrations",
    "sqlite_sequence",
];

/// A table of a later version is not readable unless it is listed.
pub fn every_table_is_readable_or_named_as_unreadable(database: Database) {
    let door = Door::open(database, &[]);
    let schema = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/database.md")).unwrap();
    let tables = match database {
        Database::Sqlite => dump(&door.folder.path().join("optlab.db")),
        Database::Postgres => names(&door.url),
    };
    let created = ["CREATE TABLE IF NOT EXISTS ", "CREATE TABLE ", "CREATE VIEW "];
    let mut seen = Vec::new();
    for line in tables.lines() {
        let Some(rest) = created.iter().find_map(|words| line.strip_prefix(words)) else { continue };
        let name = rest.split([' ', '(']).next().unwrap().trim_matches(['"', '\'']);
        let hidden = HIDDEN.contains(&name);
        for sql in [format!("SELECT * FROM {name}"), format!("SELECT count(*) FROM {name}")] {
            let answer = door.ask(&sql);
            if hidden {
                is_problem(&answer, 422, "query-refused");
                assert!(answer.text.contains(&format!("`{name}` is not readable here")), "{answer:?}");
            } else {
                assert_eq!(answer.status, 200, "{sql}: {answer:?}");
                assert!(schema.contains(&format!("`{name}`")), "docs/database.md does not mention {name}");
            }
        }
        seen.push(name.to_owned());
    }
    for name in ["tokens", "settings", "jobs", "curves", "arm_summary"] {
        assert!(seen.iter().any(|seen| seen == name), "{name} is not among {seen:?}");
    }
}

#[tokio::main(flavor = "current_thread")]
async fn names(url: &str) -> String {
    let mut connection = PgConnection::connect(url).await.unwrap();
    let names = "SELECT 'CREATE TABLE ' || relname || ' ' FROM pg_class
        WHERE relnamespace = 'public'::REGNAMESPACE AND relkind IN ('r', 'v')";
    sqlx::query_scalar::<_, String>(names).fetch_all(&mut connection).await.unwrap().join("\n")
}
