//! Hostile statements for Postgres, where the server is a superuser.

use crate::hostile::Fate::{self, Cut, Harmless, Invalid, Refused, Stopped};

const NO_QUERY: Fate = Refused("only SELECT, WITH and VALUES");
const XML: Fate = Refused("XML");
const SECOND: &str = "a second one after the `;`";
const ENDLESS: &str = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 0 FROM n)";

pub fn statements() -> Vec<(Fate, String)> {
    let mut all: Vec<(Fate, String)> = FIXED.iter().map(|(fate, sql)| (*fate, (*sql).to_owned())).collect();
    let endless = |rest: &str| format!("{ENDLESS} {rest}");
    for function in FUNCTIONS {
        let name = function.split('(').next().unwrap();
        all.push((Refused(name), format!("SELECT {function}")));
    }
    for table in TABLES {
        all.push((Refused("is not readable here"), format!("SELECT * FROM {table}")));
    }
    all.extend([
        // Endless.
        (Stopped, endless("SELECT count(*) FROM n")),
        (Stopped, endless("SELECT x FROM n WHERE x < 0")),
        (Stopped, endless("SELECT max(x) FROM n WHERE x IN (SELECT x FROM n)")),
        (Stopped, "SELECT count(*) FROM generate_series(1, 1000000000000) a".into()),
        (
            Stopped,
            "SELECT count(*) FROM metric_points a, metric_points b, metric_points c, metric_points d".into(),
        ),
        (
            Stopped,
            "SELECT count(*) FROM generate_series(1, 1000000000) a WHERE repeat(a::TEXT, 1000) ~ '([0-9]|[0-9][0-9])+b'"
                .into(),
        ),
        // Large.
        (Cut, endless("SELECT x FROM n")),
        (Cut, "SELECT a, repeat('x', 500000) FROM generate_series(1, 1000000) a".into()),
        (Cut, "SELECT generate_series(1, 1000000000)".into()),
        (Cut, "SELECT * FROM curves a, curves b".into()),
        (Stopped, endless("SELECT x FROM n ORDER BY -x")),
        (Stopped, "SELECT string_agg(a::TEXT, ',') FROM generate_series(1, 100000000) a".into()),
        (Stopped, "SELECT array_agg(a) FROM generate_series(1, 100000000) a".into()),
        (Stopped, "SELECT repeat('x', 10000000)".into()),
        (Stopped, "SELECT decode(repeat('00', 5000000), 'hex')".into()),
        (Stopped, "SELECT repeat('x', 2000000000)".into()),
        // Large statements.
        (Stopped, format!("SELECT {}1", "1+".repeat(40_000))),
        (Invalid("memory exhausted"), format!("SELECT {}1{}", "(".repeat(20_000), ")".repeat(20_000))),
        (Refused("at most 200 columns"), format!("SELECT {}1", "1,".repeat(1_000))),
        (Stopped, format!("SELECT {}1", "1,".repeat(2_000))),
        (Refused(SECOND), "SELECT 1;".repeat(11_000)),
        (Refused("at most 100000 bytes"), format!("SELECT 1{}", " ".repeat(100_000))),
        (Refused("at most 63 bytes"), format!("SELECT {}", "a".repeat(70))),
    ]);
    all
}

/// Functions that read files, other sessions or settings, run code, write, wait or lock:
const FUNCTIONS: &[&str] = &[
    "pg_read_file('/etc/passwd')",
    "pg_read_binary_file('PG_VERSION')",
    "pg_ls_dir('/')",
    "pg_stat_file('/etc/passwd')",
    "pg_ls_logdir()",
    "pg_current_logfile()",
    "lo_import('/etc/passwd')",
    "lo_export(1, '/tmp/stolen')",
    "lo_create(4711)",
    "lo_from_bytea(0, 'x')",
    "pg_sleep(1000)",
    "pg_sleep_for('1 hour')",
    "pg_terminate_backend(1)",
    "pg_cancel_backend(1)",
    "pg_reload_conf()",
    "pg_rotate_logfile()",
    "pg_switch_wal()",
    "pg_create_restore_point('x')",
    "pg_promote()",
    "set_config('role', 'none', true)",
    "set_config('transaction_read_only', 'off', true)",
    "current_setting('data_directory')",
    "pg_advisory_lock(1)",
    "pg_try_advisory_lock(1)",
    "nextval('jobs_id_seq')",
    "setval('jobs_id_seq', 1)",
    "pg_notify('optlab_queue', '')",
    "query_to_xml('SELECT * FROM tokens', true, true, '')",
    "table_to_xml('tokens', true, true, '')",
    "database_to_xml(true, true, '')",
    "cursor_to_xml('x', 1, true, true, '')",
    "ts_stat('SELECT sha256::TSVECTOR FROM tokens')",
    "pg_get_viewdef('arm_summary')",
    "pg_stat_get_activity(NULL)",
    "pg_logical_slot_get_changes('x', NULL, NULL)",
    "inet_server_addr()",
    "pg_import_system_collations('public')",
    "setseed(0.5)",
    "txid_current()",
];

/// Tables with secrets, and their catalog.
const TABLES: &[&str] = &[
    "tokens",
    "public.tokens",
    "ONLY Tokens",
    "\"tokens\"",
    "jobs, tokens",
    "settings",
    "submissions",
    "_sqlx_migrations",
    "pg_authid",
    "pg_shadow",
    "pg_catalog.pg_user",
    "pg_settings",
    "pg_stat_activity",
    "pg_hba_file_rules",
    "pg_file_settings",
    "pg_largeobject",
    "pg_stats",
    "information_schema.tables",
    "jobs_id_seq",
];

const FIXED: &[(Fate, &str)] = &[
    // Writing.
    (NO_QUERY, "INSERT INTO series (name, unit) VALUES ('x', '')"),
    (NO_QUERY, "UPDATE jobs SET state = 'queued'"),
    (NO_QUERY, "DELETE FROM metric_points"),
    (NO_QUERY, "TRUNCATE jobs CASCADE"),
    (NO_QUERY, "DROP TABLE jobs CASCADE"),
    (NO_QUERY, "CREATE TABLE mine (a INT)"),
    (NO_QUERY, "CREATE TEMP TABLE mine AS SELECT 1"),
    (NO_QUERY, "ALTER TABLE jobs ADD COLUMN mine INT"),
    (NO_QUERY, "GRANT ALL ON tokens TO PUBLIC"),
    (NO_QUERY, "ALTER ROLE optlab PASSWORD 'x'"),
    (NO_QUERY, "CREATE EXTENSION dblink"),
    (NO_QUERY, "CREATE FUNCTION mine() RETURNS INT LANGUAGE SQL AS 'SELECT 1'"),
    (NO_QUERY, "MERGE INTO series USING jobs ON true WHEN MATCHED THEN DELETE"),
    (Invalid("data-modifying"), "WITH gone AS (DELETE FROM jobs RETURNING id) SELECT * FROM gone"),
    (
        Invalid("data-modifying"),
        "WITH more AS (INSERT INTO series (name, unit) VALUES ('x', '') RETURNING 1) SELECT 1 FROM more",
    ),
    (NO_QUERY, "SELECT * INTO mine FROM jobs"),
    (Refused("read-only transaction"), "SELECT * FROM jobs FOR UPDATE"),
    (Refused("read-only transaction"), "SELECT * FROM jobs FOR KEY SHARE"),
    // Settings, sessions and transactions.
    (NO_QUERY, "SET ROLE optlab"),
    (NO_QUERY, "RESET ROLE"),
    (NO_QUERY, "SET SESSION AUTHORIZATION optlab"),
    (NO_QUERY, "SET transaction_read_only = off"),
    (NO_QUERY, "SET statement_timeout = 0"),
    (NO_QUERY, "SHOW ALL"),
    (NO_QUERY, "BEGIN"),
    (NO_QUERY, "COMMIT"),
    (NO_QUERY, "ROLLBACK"),
    (NO_QUERY, "SAVEPOINT mine"),
    (NO_QUERY, "LOCK TABLE jobs"),
    (NO_QUERY, "LISTEN optlab_queue"),
    (NO_QUERY, "NOTIFY optlab_queue"),
    (NO_QUERY, "DISCARD ALL"),
    (NO_QUERY, "PREPARE mine AS DELETE FROM jobs"),
    (NO_QUERY, "DECLARE mine CURSOR WITH HOLD FOR SELECT * FROM tokens"),
    (NO_QUERY, "VACUUM FULL"),
    (NO_QUERY, "CHECKPOINT"),
    // Files and programs.
    (NO_QUERY, "COPY jobs TO PROGRAM 'sh'"),
    (NO_QUERY, "COPY (SELECT 1) TO '/tmp/stolen'"),
    (NO_QUERY, "COPY jobs FROM '/etc/passwd'"),
    (NO_QUERY, "DO $$ BEGIN DELETE FROM jobs; END $$"),
    (NO_QUERY, "CALL mine()"),
    (NO_QUERY, "LOAD '/lib/evil.so'"),
    (NO_QUERY, "EXPLAIN ANALYZE DELETE FROM jobs"),
    (NO_QUERY, "EXPLAIN (ANALYZE) SELECT 1"),
    // Names in unusual places.
    (Refused("pg_read_file"), "SELECT ('/etc/passwd'::TEXT).pg_read_file"),
    (Refused("pg_sleep"), "SELECT * FROM pg_sleep(1000)"),
    (Refused("pg_sleep"), "SELECT 1 FROM jobs, LATERAL pg_catalog.pg_sleep(1000)"),
    (Refused("pg_sleep"), "SELECT 1 FROM ROWS FROM (pg_sleep(1000), now())"),
    (Refused("pg_sleep"), "SELECT PG_SLEEP/**/(1000)"),
    (Refused("pg_sleep"), "SELECT \"pg_sleep\"(1000)"),
    (Refused("pg_sleep"), "SELECT count(*) FILTER (WHERE pg_sleep(1000) IS NULL) FROM jobs"),
    (Refused("pg_sleep"), "SELECT 'a\\' , pg_sleep(1000) --'"),
    (Refused("`tokens` is not readable here"), "TABLE tokens"),
    (Refused("`tokens` is not readable here"), "SELECT (tokens).sha256 FROM jobs"),
    (Refused("`tokens` is not readable here"), "SELECT NULL::tokens"),
    (
        Refused("`tokens` is not readable here"),
        "SELECT 1 WHERE EXISTS (SELECT 1 FROM tokens WHERE sha256 LIKE 'a%')",
    ),
    (Refused("`tokens` is not readable here"), "WITH t AS (TABLE tokens) SELECT * FROM t"),
    (Refused("`tokens` is not readable here"), "SELECT arm FROM jobs UNION ALL SELECT sha256 FROM tokens"),
    (Refused("U&"), "SELECT U&\"pg\\005fsleep\"(1000)"),
    (Refused("U&"), "SELECT * FROM U&\"toke\\006es\""),
    (Refused("E'"), "SELECT E'\\' , pg_sleep(1000) --'"),
    (Refused("`$`"), "SELECT $a$ $a$ || pg_sleep(1000)::TEXT"),
    (Refused("`$`"), "SELECT $1"),
    // Non-ASCII letters, some of which map to others in one-byte encodings.
    (Refused("in double quotes"), "SELECT pg_read_f\u{130}le('/etc/passwd')"),
    (Refused("in double quotes"), "SELECT 1 AS \u{e9}nergie"),
    // Two XML functions cannot be interrupted, and do not end for a short text.
    (XML, "SELECT xpath('//a//a', XMLPARSE(DOCUMENT '<a><a/></a>'))"),
    (XML, "SELECT xpath_exists('//a', '<a/>')"),
    (XML, "SELECT \"xpath\"('//a', '<a/>')"),
    (XML, "SELECT '<a/>'::xml"),
    (XML, "SELECT CAST('<a/>' AS pg_catalog.XML)"),
    (XML, "SELECT '{<a/>}'::_xml"),
    (XML, "SELECT XMLELEMENT(NAME a, arm) FROM jobs"),
    (XML, "SELECT xmlagg(xmlcomment(arm)) FROM jobs"),
    (XML, "SELECT xml_is_well_formed('<a/>')"),
    (XML, "SELECT * FROM XMLTABLE('//a' PASSING '<a/>' COLUMNS b TEXT)"),
    // Several statements, and escapes from the wrapping statement.
    (Refused(SECOND), "SELECT 1; DROP TABLE jobs"),
    (Refused(SECOND), "SELECT 1; COMMIT; DROP TABLE jobs"),
    (Refused("`)` without its `(`"), "SELECT 1) AS a; DROP TABLE jobs; --"),
    (Refused("`)` without its `(`"), "SELECT 1) AS a, (SELECT 2"),
    (Refused("comment without its end"), "SELECT 1 /*"),
    (Refused("there is no statement"), "-- SELECT 1"),
    (Refused("there is no statement"), ";"),
    // Harmless statements that look dangerous.
    (Harmless("DELETE FROM jobs; SELECT pg_sleep(9)"), "SELECT 'DELETE FROM jobs; SELECT pg_sleep(9)'"),
    (Harmless("1"), "WITH my_tokens AS (SELECT 1) SELECT count(*) FROM my_tokens"),
    (Harmless("1"), "SELECT 1; -- DROP TABLE jobs;"),
];
