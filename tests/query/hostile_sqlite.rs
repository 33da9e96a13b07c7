//! Hostile statements for SQLite.

use crate::hostile::Fate::{self, Cut, Harmless, Invalid, Refused, Stopped};
use crate::unending::search_in_blobs;

const NO_QUERY: Fate = Refused("only SELECT, WITH and VALUES");
const SECOND: &str = "a second one after the `;`";
const UNREADABLE: &str = "is not readable here";
const ENDLESS: &str = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n)";

pub fn statements() -> Vec<(Fate, String)> {
    let mut all: Vec<(Fate, String)> = FIXED.iter().map(|(fate, sql)| (*fate, (*sql).to_owned())).collect();
    let endless = |rest: &str| format!("{ENDLESS} {rest}");
    all.extend([
        // Endless.
        (Stopped, endless("SELECT count(*) FROM n")),
        (Stopped, endless("SELECT x FROM n WHERE x < 0")),
        (Stopped, endless("SELECT max(x) FROM n WHERE x IN (SELECT x FROM n)")),
        (Stopped, endless("SELECT (SELECT count(*) FROM n)")),
        (Stopped, endless("SELECT 1 WHERE EXISTS (SELECT 1 FROM n WHERE x < 0)")),
        (Stopped, "WITH RECURSIVE n(x) AS (SELECT 1 UNION SELECT x + 1 FROM n) SELECT max(x) FROM n".into()),
        (Stopped, endless("SELECT count(*) FROM n a, n b, n c")),
        (Stopped, "SELECT count(*) FROM metric_points a, metric_points b, metric_points c, metric_points d".into()),
        // Large.
        (Cut, endless("SELECT x FROM n")),
        (Cut, endless("SELECT x, printf('%.*c', 200000, 'a') FROM n")),
        (Cut, "SELECT * FROM curves a, curves b".into()),
        (Stopped, endless("SELECT x FROM n ORDER BY -x")),
        (Stopped, endless("SELECT group_concat(x) FROM n")),
        (Stopped, endless("SELECT json_group_array(x) FROM n")),
        (Stopped, endless("SELECT count(DISTINCT x) FROM n")),
        (Stopped, endless("SELECT x, count(*) FROM n GROUP BY x % 100000000")),
        (Stopped, "SELECT a.value FROM metric_points a, metric_points b, metric_points c ORDER BY a.value + b.value * c.value".into()),
        (Stopped, "SELECT length(a || a) FROM (SELECT printf('%.*c', 249000, 'a') AS a)".into()),
        // Statements that grow while they are prepared.
        (Stopped, each_names_the_one_before_twice(40)),
        (Stopped, nested_doublings(40)),
        (Invalid("Expression tree is too large"), format!("SELECT {}1", "1+".repeat(20_000))),
        (Invalid(""), format!("SELECT {}1{}", "(SELECT ".repeat(5_000), ")".repeat(5_000))),
        (Invalid("too many terms in compound SELECT"), format!("{}SELECT 1", "SELECT 1 UNION ".repeat(5_000))),
        (Invalid("too many columns"), format!("SELECT {}1", "1,".repeat(20_000))),
        (Refused(SECOND), "SELECT 1;".repeat(11_000)),
        (Refused("at most 100000 bytes"), format!("SELECT 1{}", " ".repeat(100_000))),
        // A single call of a function cannot be interrupted, and neither can many in one row.
        (Stopped, search_in_blobs()),
        // Similar statements, shortened.
        (Harmless("249000"), "SELECT length(replace(printf('%.*c', 249000, 'a'), printf('%.*c', 1000, 'a') || 'b', 'c'))".into()),
        (Harmless("0"), format!("SELECT printf('%.*c', 249000, 'a') LIKE '{}b'", "%a".repeat(90))),
        (Invalid("LIKE or GLOB pattern too complex"), format!("SELECT 'a' LIKE '{}'", "%a".repeat(200))),
    ]);
    all
}

fn each_names_the_one_before_twice(parts: usize) -> String {
    let part = |i: usize| format!(", a{i}(x) AS (SELECT p.x FROM a{} p, a{} q)", i - 1, i - 1);
    let parts_but_first: String = (1..parts).map(part).collect();
    format!("WITH a0(x) AS (SELECT 1){parts_but_first} SELECT count(*) FROM a{}", parts - 1)
}

fn nested_doublings(levels: usize) -> String {
    (0..levels).fold("SELECT job_id AS x FROM metric_points".to_owned(), |inner, _| {
        format!("SELECT x + x AS x FROM ({inner}) AS s")
    })
}

const FIXED: &[(Fate, &str)] = &[
    // Writing.
    (NO_QUERY, "INSERT INTO series (name, unit) VALUES ('x', '')"),
    (NO_QUERY, "INSERT INTO series (name, unit) VALUES ('x', '') RETURNING id"),
    (NO_QUERY, "REPLACE INTO series (id, name, unit) VALUES (1, 'x', '')"),
    (NO_QUERY, "UPDATE jobs SET state = 'queued'"),
    (NO_QUERY, "DELETE FROM metric_points"),
    (
        NO_QUERY,
        "WITH all_jobs AS (SELECT id FROM jobs) DELETE FROM jobs WHERE id IN (SELECT id FROM all_jobs)",
    ),
    (NO_QUERY, "WITH x AS (SELECT 1) INSERT INTO series (name, unit) SELECT 'x', '' FROM x"),
    (NO_QUERY, "CREATE TABLE mine (a)"),
    (NO_QUERY, "CREATE TEMP TABLE mine (a)"),
    (NO_QUERY, "CREATE TABLE mine AS SELECT * FROM tokens"),
    (NO_QUERY, "CREATE VIEW mine AS SELECT * FROM tokens"),
    (NO_QUERY, "CREATE TEMP VIEW mine AS SELECT * FROM tokens"),
    (NO_QUERY, "CREATE INDEX mine ON jobs (arm)"),
    (NO_QUERY, "CREATE TRIGGER mine AFTER UPDATE ON jobs BEGIN DELETE FROM jobs; END"),
    (NO_QUERY, "CREATE VIRTUAL TABLE mine USING fts5(a)"),
    (NO_QUERY, "DROP TABLE metric_points"),
    (NO_QUERY, "DROP VIEW arm_summary"),
    (NO_QUERY, "ALTER TABLE jobs RENAME TO mine"),
    (NO_QUERY, "ALTER TABLE jobs ADD COLUMN mine"),
    (NO_QUERY, "ANALYZE"),
    (NO_QUERY, "REINDEX"),
    (NO_QUERY, "VACUUM"),
    (NO_QUERY, "vAcUuM INTO 'stolen.db'"),
    // Transactions and locks.
    (Refused("transaction"), "BEGIN EXCLUSIVE"),
    (Refused("transaction"), "COMMIT"),
    (Refused("transaction"), "ROLLBACK"),
    (Refused("transaction"), "SAVEPOINT mine"),
    // Other files.
    (Refused("no other database"), "ATTACH 'optlab.db' AS mine"),
    (Refused("no other database"), "ATTACH DATABASE ':memory:' AS mine"),
    (Refused("no other database"), "ATTACH 'file:/etc/passwd?mode=ro' AS mine"),
    (Refused("no other database"), "DETACH main"),
    (Refused("load_extension"), "SELECT load_extension('/lib/evil.so')"),
    (Refused("load_extension"), "SELECT arm FROM jobs WHERE load_extension('/lib/evil.so', 'main') IS NULL"),
    (Refused("fts3_tokenizer"), "SELECT fts3_tokenizer('simple', x'0011223344556677')"),
    (Refused("fts3_tokenizer"), "SELECT FTS3_TOKENIZER('simple')"),
    (Invalid("no such function: readfile"), "SELECT readfile('/etc/passwd')"),
    (Invalid("no such function: writefile"), "SELECT writefile('stolen', 'x')"),
    (Invalid("no such function: edit"), "SELECT edit('x', 'sh')"),
    // Settings.
    (Refused("PRAGMA query_only"), "PRAGMA query_only = off"),
    (Refused("PRAGMA journal_mode"), "PRAGMA journal_mode = DELETE"),
    (Refused("PRAGMA writable_schema"), "PRAGMA writable_schema = 1"),
    (Refused("PRAGMA wal_checkpoint"), "PRAGMA wal_checkpoint(TRUNCATE)"),
    (Refused("PRAGMA user_version"), "PRAGMA main.user_version = 99"),
    (Refused("PRAGMA temp_store_directory"), "PRAGMA temp_store_directory = '/etc'"),
    (Refused("PRAGMA database_list"), "PRAGMA database_list"),
    (Refused(UNREADABLE), "SELECT * FROM pragma_database_list"),
    (Refused(UNREADABLE), "SELECT count(*) FROM pragma_table_info('tokens')"),
    (Invalid("no such table"), "SELECT * FROM pragma_wal_checkpoint"),
    // Internal tables.
    (Refused("`tokens` is not readable here"), "SELECT sha256 FROM tokens"),
    (Refused("`Tokens` is not readable here"), "SELECT 1 FROM main.Tokens"),
    (Refused("`tokens` is not readable here"), "SELECT count(*) FROM [tokens]"),
    (Refused("`tokens` is not readable here"), "SELECT * FROM jobs JOIN \"tokens\" ON true"),
    (Refused("`tokens` is not readable here"), "SELECT (SELECT max(sha256) FROM tokens)"),
    (
        Refused("`tokens` is not readable here"),
        "SELECT 1 WHERE EXISTS (SELECT 1 FROM tokens WHERE sha256 LIKE 'a%')",
    ),
    (Refused("`tokens` is not readable here"), "WITH t AS (SELECT * FROM tokens) SELECT * FROM t"),
    (Refused("`tokens` is not readable here"), "SELECT arm FROM jobs UNION ALL SELECT sha256 FROM tokens"),
    (Refused("`tokens` is not readable here"), "SELECT arm FROM jobs ORDER BY (SELECT sha256 FROM tokens)"),
    (Refused("`tokens` is not readable here"), "SELECT name IN tokens FROM series"),
    (Refused("`settings` is not readable here"), "SELECT value FROM settings"),
    (Refused("`submissions` is not readable here"), "SELECT idempotency_key FROM submissions"),
    (Refused("`sqlite_master` is not readable here"), "SELECT sql FROM sqlite_schema"),
    (Refused("`sqlite_master` is not readable here"), "SELECT count(*) FROM sqlite_master"),
    (Refused(UNREADABLE), "SELECT * FROM sqlite_temp_schema"),
    (Refused("`sqlite_sequence` is not readable here"), "SELECT seq FROM sqlite_sequence"),
    (Refused("`_sqlx_migrations` is not readable here"), "SELECT * FROM _sqlx_migrations"),
    (Refused("`dbstat` is not readable here"), "SELECT * FROM dbstat"),
    (Refused("`fts3tokenize` is not readable here"), "SELECT * FROM fts3tokenize('simple', 'a b')"),
    // Several statements, and other than queries.
    (Refused(SECOND), "SELECT 1; SELECT 2"),
    (NO_QUERY, "SELECT 1; DELETE FROM jobs"),
    (NO_QUERY, "SELECT 1; -- and\nDROP TABLE jobs"),
    (Refused("there is no statement"), " -- nothing"),
    (Refused("there is no statement"), ";"),
    (NO_QUERY, "EXPLAIN SELECT * FROM jobs"),
    (NO_QUERY, "EXPLAIN QUERY PLAN SELECT * FROM jobs"),
    (Harmless("1"), "SELECT 1 /* ; DROP TABLE jobs"),
    (Invalid("too many SQL variables"), "SELECT ?, :name"),
    (Invalid("syntax error"), "DROP DATABASE optlab"),
    (Invalid("unrecognized token"), "SELECT 'a"),
    // Large values.
    (Stopped, "SELECT zeroblob(1000000000)"),
    (Stopped, "SELECT length(randomblob(2000000000))"),
    (Harmless("null"), "SELECT printf('%1000000000d', 1)"),
    (Stopped, "SELECT hex(zeroblob(200000))"),
    (Stopped, "SELECT replace(printf('%.*c', 200000, 'a'), 'a', 'aaaa')"),
    // Harmless statements that look dangerous.
    (Harmless("DELETE FROM jobs; --"), "SELECT 'DELETE FROM jobs; --'"),
    (Harmless("1"), "WITH my_tokens AS (SELECT 1) SELECT count(*) FROM my_tokens"),
    (Harmless("1"), "SELECT 1; -- DROP TABLE jobs;"),
];
