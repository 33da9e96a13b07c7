//! Queries that the database cannot interrupt.

use crate::client::{Door, is_problem};
use crate::support::processes::signal;
use crate::support::waiting::wait_until;
use crate::support::{Answer, Database};
use crate::together::{ENDLESS, TURNS, ask_and_leave, running};

/// A search that compares nearly the whole needle at every position, in one call: no handler is called meanwhile,
/// nothing is allocated, and PostgreSQL does not check for interrupts.
fn unending(database: Database) -> String {
    match database {
        Database::Sqlite => search_in_blobs(),
        Database::Postgres => {
            "SELECT strpos(repeat('a', 200000), 'b' || repeat('a', 100000)) AS endless".to_owned()
        }
    }
}

/// The values are in their own tables, so that SQLite allocates nothing for a call.
pub fn search_in_blobs() -> String {
    format!(
        "WITH a(hay) AS MATERIALIZED (SELECT CAST(printf('%.*c', 240000, 'a') AS BLOB)),
            b(needle) AS MATERIALIZED (SELECT CAST(printf('%.*c', 120000, 'a') || 'b' AS BLOB))
         SELECT {}0 AS endless FROM a, b",
        "instr(hay, needle), ".repeat(199)
    )
}

/// Every query is answered at its time limit. It holds its slot while the database still works on it, and the server
/// can shut down meanwhile.
pub fn an_uninterruptible_query_blocks_only_its_slot(database: Database) {
    let mut door = Door::open(database, &["--query-seconds", "1"]);
    let sql = unending(database);
    let together = |number: usize| -> Vec<Answer> {
        std::thread::scope(|scope| {
            let asked: Vec<_> = (0..number).map(|_| scope.spawn(|| door.ask(&sql))).collect();
            asked.into_iter().map(|query| query.join().unwrap()).collect()
        })
    };
    for answer in together(TURNS) {
        is_problem(&answer, 422, "query-stopped");
    }
    match database {
        // Its process is killed.
        Database::Sqlite => {}
        // PostgreSQL continues.
        Database::Postgres => {
            let most = std::thread::scope(|scope| {
                let more = scope.spawn(|| together(TURNS));
                let mut most = 0;
                while !more.is_finished() {
                    most = most.max(running(&door.url));
                }
                for answer in more.join().unwrap() {
                    if answer.status == 503 {
                        is_problem(&answer, 503, "busy");
                        assert!(answer.text.contains("are still being stopped"), "{answer:?}");
                    } else {
                        is_problem(&answer, 422, "query-stopped");
                    }
                }
                most
            });
            assert!(most <= TURNS as i64, "{most} queries were running at the same time");
        }
    }
    wait_until("a slot is free", || door.ask("SELECT 1").status == 200);
    if let Database::Postgres = database {
        // Each query below needs a slot.
        wait_until("PostgreSQL has ended every query", || running(&door.url) == 0);
    }

    let asked: Vec<_> = (0..TURNS).map(|_| ask_and_leave(&door, &sql)).collect();
    if let Database::Postgres = database {
        wait_until("PostgreSQL works on the queries", || running(&door.url) == TURNS as i64);
    }
    assert!(signal(door.server.child.id(), "TERM"));
    wait_until("the server has ended", || door.server.child.try_wait().unwrap().is_some());
    drop(asked);
}

/// A server that is killed leaves no query behind.
#[test]
fn sqlite_queries_end_with_their_server() {
    let door = Door::open(Database::Sqlite, &["--query-seconds", "50"]);
    let asked: Vec<_> = (0..TURNS).map(|_| ask_and_leave(&door, ENDLESS)).collect();
    wait_until("every query is a process", || door.server.queries().len() == TURNS);
    let processes = door.server.queries();
    door.server.kill();
    wait_until("no process is left", || processes.iter().all(|pid| has_ended(*pid)));
    drop(asked);
}

/// Whether the process has ended or is a zombie.
fn has_ended(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(')').is_none_or(|(_, rest)| rest.trim_start().starts_with('Z'))
}
