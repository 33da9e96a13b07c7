//! Tokens and database logins of queries.

use serde_json::json;
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};
use tempfile::TempDir;

use crate::client::{Door, QUERY, is_problem};
use crate::documented::blocks;
use crate::hostile::HIDDEN;
use crate::support::{Database, Server, token};

#[test]
fn queries_require_a_token_with_read_scope() {
    let folder = TempDir::new().unwrap();
    let reader = token(&folder, &["create", "reader", "--scope", "read"]);
    let server = Server::start_on("0.0.0.0:0", &folder, &["--workers", "0"]);
    let body = json!({ "sql": "SELECT count(*) FROM jobs" }).to_string();
    let ask = |path: &str, headers: &[(&str, &str)]| server.send("POST", path, headers, body.as_bytes());
    is_problem(&ask(QUERY, &[]), 401, "no-token");
    let authorization = format!("Bearer {reader}");
    let brought = [("authorization", authorization.as_str())];
    assert_eq!(ask(QUERY, &brought).json()["rows"], json!([[0]]));
    // This holds only for this path.
    for path in ["/api/v1/experiments", "/api/v1/query/", "/api/v1/experiments/1/cancel"] {
        let answer = ask(path, &brought);
        assert!([403, 404].contains(&answer.status), "{path}: {answer:?}");
    }
}

/// The login of docs/database.md can read the tables for users and do nothing else.
#[tokio::test(flavor = "multi_thread")]
async fn the_documented_login_can_read_and_nothing_else() {
    let door = Door::open(Database::Postgres, &[]);
    let mut owner = PgConnection::connect(&door.url).await.unwrap();
    let [grants] = &blocks("```postgresql\n")[..] else {
        panic!("docs/database.md has no login, or several")
    };
    owner.execute(AssertSqlSafe(grants.clone())).await.unwrap();
    let url = door.url.replace("optlab@", "optlab_reader:choose-one@");
    let place = ["--database-url", &door.url, "--workers", "0", "--query-database-url", &url];
    let server = Server::start_with(&door.folder, &place);
    let ask = |sql: &str| server.post(QUERY, &json!({ "sql": sql }));
    let names = "SELECT table_name::text FROM information_schema.tables WHERE table_schema = 'public'";
    let names: Vec<String> = sqlx::query_scalar(names).fetch_all(&mut owner).await.unwrap();
    let readable: Vec<_> = names.iter().filter(|name| !HIDDEN.contains(&name.as_str())).collect();
    assert!(readable.len() > 15, "{readable:?}");
    for name in readable {
        let answer = ask(&format!("SELECT count(*) FROM {name}"));
        assert_eq!(answer.status, 200, "{name}: {answer:?}");
    }
    assert_eq!(ask("SELECT count(*) FROM jobs").json()["rows"], json!([[3]]));
    is_problem(&ask("SELECT * FROM tokens"), 422, "query-refused");

    let mut reader = PgConnection::connect(&url).await.unwrap();
    for sql in [
        "SELECT * FROM tokens",
        "SELECT * FROM settings",
        "SELECT * FROM submissions",
        "DELETE FROM jobs",
        "CREATE TABLE mine (a INT)",
        "SELECT pg_read_file('/etc/passwd')",
        "SELECT * FROM pg_authid",
        "SET temp_file_limit = -1",
        "SET ROLE optlab",
    ] {
        let error = reader.execute(sql).await.unwrap_err();
        let code = error.as_database_error().unwrap().code().unwrap().into_owned();
        assert!(["42501", "25006"].contains(&code.as_str()), "{sql}: {error}");
    }
}

/// A login has a limit on temporary files or may set one. If neither, the server logs a warning.
#[tokio::test(flavor = "multi_thread")]
async fn a_login_without_a_disk_limit_is_logged() {
    let door = Door::open(Database::Postgres, &[]);
    let url = door.url.replace("optlab@", "optlab_reader_plain@");
    let mut owner = PgConnection::connect(&door.url).await.unwrap();
    let mut set = async |sql: &'static str| owner.execute(sql).await.unwrap();
    let is_told = || {
        let place = ["--database-url", &door.url, "--workers", "0", "--query-database-url", &url];
        let server = Server::start_with(&door.folder, &place);
        let answer = server.post(QUERY, &json!({ "sql": "SELECT count(*) FROM jobs" }));
        assert_eq!(answer.json()["rows"], json!([[3]]), "{answer:?}");
        server.kill_for_its_log().contains("temp_file_limit")
    };
    set("CREATE ROLE optlab_reader_plain LOGIN; GRANT SELECT ON jobs TO optlab_reader_plain").await;
    assert!(is_told());
    set("ALTER ROLE optlab_reader_plain SET temp_file_limit = '2GB'").await;
    assert!(!is_told());
    set("ALTER ROLE optlab_reader_plain RESET temp_file_limit").await;
    // From PostgreSQL 15 on.
    set("GRANT SET ON PARAMETER temp_file_limit TO optlab_reader_plain").await;
    assert!(!is_told());
}
