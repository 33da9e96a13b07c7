//! The encoding and the limits of answers.

use serde_json::{Value, json};

use crate::client::{Door, QUERY, is_problem};
use crate::support::Database;

pub fn values_are_encoded_as_json(database: Database) {
    let door = Door::open(database, &[]);
    let own = match database {
        Database::Sqlite => ("x'00ff'", "9e999", "true", json!(1)),
        Database::Postgres => ("'\\x00ff'::BYTEA", "'Infinity'::FLOAT8", "true", json!(true)),
    };
    let (bytes, infinity, yes, said_yes) = own;
    let sql = format!(
        "SELECT NULL AS a, 9007199254740993 AS a, -0.5e0 AS real, 'é''\"' AS text, {bytes} AS bytes, {infinity} AS far,
            {yes} AS yes, 2.5 AS numeric -- and a comment"
    );
    let answer = door.ask(&sql);
    assert_eq!(answer.status, 200, "{answer:?}");
    let expected = json!({
        "columns": ["a", "a", "real", "text", "bytes", "far", "yes", "numeric"],
        "rows": [[null, 9_007_199_254_740_993_i64, -0.5, "é'\"", { "hex": "00ff" }, "Infinity", said_yes, 2.5]],
        "truncated": false,
    });
    assert_eq!(answer.json(), expected);

    assert_eq!(door.rows("VALUES (1, 'x'), (2, NULL)"), json!([[1, "x"], [2, null]]));
    assert_eq!(door.rows("WITH a AS (SELECT 3 AS n) SELECT n * n FROM a;"), json!([[9]]));
    assert_eq!(door.rows("SELECT id, seed FROM jobs WHERE arm = 'nothing'"), json!([]));
    assert_eq!(
        door.rows("SELECT sum(n), avg(n), sqrt(16.0) FROM (SELECT 1 AS n UNION ALL SELECT 2) AS few"),
        { json!([[3, 1.5, 4.0]]) }
    );
    // The order is kept.
    let seeds = "SELECT id FROM jobs ORDER BY arm DESC, id";
    let ids: Vec<Value> = door.rows(seeds).as_array().unwrap().iter().map(|row| row[0].clone()).collect();
    assert_eq!(ids, [3, 2, 1]);
    if let Database::Postgres = database {
        let sql = "SELECT ARRAY[1, 2], '{\"a\": 1}'::JSONB, DATE '2026-01-02', ROW(1, 'x'), 1::NUMERIC / 3, 7::SMALLINT,
            'NaN'::NUMERIC, INTERVAL '90 minutes'";
        let expected = json!([[
            "{1,2}",
            "{\"a\": 1}",
            "2026-01-02",
            "(1,x)",
            0.333_333_333_333_333_3,
            7,
            "NaN",
            "01:30:00"
        ]]);
        assert_eq!(door.rows(sql), expected);
    }
}

pub fn answers_are_limited_in_rows_and_bytes(database: Database) {
    let door = Door::open(database, &[]);
    let numbers = |up_to: u32| {
        format!(
            "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < {up_to}) SELECT x FROM n"
        )
    };
    let ask = |up_to: u32, limit: Value| {
        let answer = door.server.post(QUERY, &json!({ "sql": numbers(up_to), "limit": limit }));
        assert_eq!(answer.status, 200, "{answer:?}");
        let answer = answer.json();
        (answer["rows"].as_array().unwrap().len(), answer["truncated"].as_bool().unwrap())
    };
    assert_eq!(ask(3, json!(3)), (3, false));
    assert_eq!(ask(4, json!(3)), (3, true));
    assert_eq!(ask(1_001, Value::Null), (1_000, true));
    assert_eq!(ask(10_001, json!(10_000)), (10_000, true));
    for limit in [0, 10_001, -1] {
        let answer = door.server.post(QUERY, &json!({ "sql": "SELECT 1", "limit": limit }));
        is_problem(&answer, 422, "invalid-parameter");
    }

    // With brackets and quotes, the fortieth row of 200 kB does not fit into 8 MB.
    let text = match database {
        Database::Sqlite => "printf('%.*c', 200000, 'a')",
        Database::Postgres => "repeat('a', 200000)",
    };
    let answer = door.ask(&numbers(100).replace("SELECT x FROM", &format!("SELECT {text} FROM"))).json();
    assert_eq!((answer["rows"].as_array().unwrap().len(), &answer["truncated"]), (39, &json!(true)));
}

pub fn an_invalid_request_is_rejected(database: Database) {
    let door = Door::open(database, &[]);
    for body in [
        json!({}),
        json!({ "sql": 1 }),
        json!([]),
        json!({ "sql": "SELECT 1", "limt": 3 }),
        json!("SELECT 1"),
    ] {
        is_problem(&door.server.post(QUERY, &body), 400, "malformed");
    }
    is_problem(&door.server.send("POST", QUERY, &[], b"SELECT 1"), 400, "malformed");
    is_problem(&door.server.get(QUERY), 405, "method-not-allowed");
    let headers = [("origin", "http://elsewhere.example")];
    is_problem(&door.server.send("POST", QUERY, &headers, b"{\"sql\": \"SELECT 1\"}"), 403, "foreign-origin");
    // The database's error message is part of the answer.
    let answer = door.ask("SELECT arn FROM jobs");
    is_problem(&answer, 422, "query-invalid");
    assert!(answer.text.contains("arn"), "{answer:?}");
}
