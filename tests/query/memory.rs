//! The memory of the server during queries.

use serde_json::json;

use crate::client::{Door, QUERY};
use crate::support::{Answer, Database};
use crate::together::TURNS;

/// Memory that concurrent answers may add to the server, in kB: each answer of 8 MB is held about twice.
const MOST: u64 = 200_000;

/// A million values of one byte each.
pub fn answers_of_many_small_values_take_bounded_memory(database: Database) {
    let door = Door::open(database, &["--query-seconds", "50"]);
    let (value, rows) = match database {
        Database::Sqlite => (
            "x'00'",
            "(WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n LIMIT 5000) SELECT x FROM n)",
        ),
        Database::Postgres => ("'\\x00'::BYTEA", "generate_series(1, 5000)"),
    };
    let sql = format!("SELECT {}{value} FROM {rows} AS many", format!("{value}, ").repeat(199));
    let question = json!({ "sql": sql, "limit": 5000 });
    let before = peak(&door);
    let (answers, healthy) = std::thread::scope(|scope| {
        let asked: Vec<_> = (0..TURNS).map(|_| scope.spawn(|| door.server.post(QUERY, &question))).collect();
        let mut healthy = 0;
        while asked.iter().any(|query| !query.is_finished()) {
            assert_eq!(door.server.get("/readyz").status, 200);
            healthy += usize::from(asked.iter().any(|query| !query.is_finished()));
        }
        let answers: Vec<Answer> = asked.into_iter().map(|query| query.join().unwrap()).collect();
        (answers, healthy)
    });
    assert!(healthy > 0, "no other request was answered during the queries");
    for answer in answers {
        assert_eq!(answer.status, 200, "{:.300}", answer.text);
        assert!(answer.text.len() <= 8_000_100, "an answer has {} bytes", answer.text.len());
        let table = answer.json();
        assert_eq!(table["truncated"], true);
        assert_eq!(table["rows"][0].as_array().unwrap().len(), 200);
    }
    let grown = peak(&door) - before;
    assert!(grown < MOST, "four answers took {grown} kB of memory");
}

/// Peak memory of the server, in kB.
fn peak(door: &Door) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", door.server.child.id())).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}
