//! Concurrent queries, and other requests during queries.

use std::io::Write;
use std::net::TcpStream;

use serde_json::json;
use sqlx::{Connection, PgConnection};

use crate::client::{Door, QUERY, is_problem};
use crate::support::waiting::wait_until;
use crate::support::{Answer, Database, small_experiment};

pub const ENDLESS: &str =
    "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 0 FROM n) SELECT count(*) AS endless FROM n";

/// Maximum number of concurrent queries.
pub const TURNS: usize = 4;

/// Two dozen queries reach their time limit: those with a slot are stopped, the others are rejected with 503, and other
/// requests are answered meanwhile.
pub fn slow_queries_do_not_delay_other_requests(database: Database) {
    let door = Door::open(database, &["--query-seconds", "15"]);
    let answers: Vec<Answer> = std::thread::scope(|scope| {
        let slow: Vec<_> = (0..24).map(|_| scope.spawn(|| door.ask(ENDLESS))).collect();
        // The first rejection shows that all slots are taken.
        wait_until("a query is rejected", || slow.iter().any(|query| query.is_finished()));
        let at_work = || slow.iter().filter(|query| !query.is_finished()).count() >= TURNS;
        let mut rounds = 0;
        while rounds < 5 {
            assert_eq!(door.server.jobs(1).len(), 3);
            for path in
                ["/", "/readyz", "/metrics", "/api/v1/experiments", "/api/v1/experiments/1/comparison"]
            {
                assert_eq!(door.server.get(path).status, 200, "{path}");
            }
            door.server.submit(&small_experiment(1, &[rounds]));
            if !at_work() {
                break;
            }
            rounds += 1;
        }
        assert!(rounds > 0, "the queries were over before the others were answered");
        slow.into_iter().map(|query| query.join().unwrap()).collect()
    });
    let (stopped, sent_away): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == 422);
    for answer in &stopped {
        is_problem(answer, 422, "query-stopped");
    }
    for answer in &sent_away {
        is_problem(answer, 503, "busy");
        assert_eq!(answer.headers["retry-after"], "1");
    }
    assert_eq!((stopped.len(), sent_away.len()), (TURNS, 24 - TURNS));
    assert_eq!(door.rows("SELECT 1"), json!([[1]]));
}

/// Long queries hold all slots until their connections are closed.
pub fn a_query_ends_when_its_client_disconnects(database: Database) {
    let door = Door::open(database, &["--query-seconds", "50"]);
    let asked: Vec<TcpStream> = (0..TURNS).map(|_| ask_and_leave(&door, ENDLESS)).collect();
    wait_until("all slots are taken", || door.ask("SELECT 1").status == 503);
    drop(asked);
    wait_until("a slot is free", || door.ask("SELECT 1").status == 200);
    if let Database::Postgres = database {
        wait_until("no query is left in the database", || running(&door.url) == 0);
    }
}

/// Sends a query without waiting for the answer.
pub fn ask_and_leave(door: &Door, sql: &str) -> TcpStream {
    let body = json!({ "sql": sql }).to_string();
    let mut stream = TcpStream::connect(door.server.address.strip_prefix("http://").unwrap()).unwrap();
    write!(
        stream,
        "POST {QUERY} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    stream
}

/// The number of running queries named `endless` in PostgreSQL.
#[tokio::main(flavor = "current_thread")]
pub async fn running(url: &str) -> i64 {
    let mut connection = PgConnection::connect(url).await.unwrap();
    let sql = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state = 'active'
        AND query LIKE '%endless%' AND pid <> pg_backend_pid()";
    sqlx::query_scalar(sql).fetch_one(&mut connection).await.unwrap()
}
