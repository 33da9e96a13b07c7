//! The queries of docs/database.md.

use serde_json::json;

use crate::client::Door;
use crate::support::Database;

/// The blocks of the document that begin with this line.
pub fn blocks(fence: &str) -> Vec<String> {
    let document = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/database.md");
    let document = std::fs::read_to_string(document).unwrap();
    document.split(fence).skip(1).map(|rest| rest.split("```").next().unwrap().to_owned()).collect()
}

/// Parts of the queries that may find nothing in the results of a small experiment.
const MAY_FIND_NOTHING: [&str; 4] =
    ["FROM failures", "FROM trial_summary", "value >= 95", "p.difference * a.mean < 0"];

pub fn the_documented_queries_work(database: Database) {
    let (queries, results) = (blocks("```sql\n"), blocks("```text\n"));
    assert!(queries.len() >= 10 && queries.len() == results.len(), "{} of {}", queries.len(), results.len());
    let door = Door::with_results(database, &[]);
    for (sql, result) in queries.iter().zip(results) {
        let answer = door.ask(sql).json();
        let documented: Vec<&str> = result.lines().next().unwrap().split_whitespace().collect();
        assert_eq!(answer["columns"], json!(documented), "{sql}: {answer}");
        let found = !answer["rows"].as_array().unwrap().is_empty();
        assert!(found || MAY_FIND_NOTHING.iter().any(|part| sql.contains(part)), "{sql} finds nothing");
    }
}
