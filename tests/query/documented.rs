//! The queries of docs/database.md.

use crate::client::Door;
use crate::support::Database;

/// The blocks of the document that begin with this line.
pub fn blocks(fence: &str) -> Vec<String> {
    let document = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/database.md");
    let document = std::fs::read_to_string(document).unwrap();
    document.split(fence).skip(1).map(|rest| rest.split("```").next().unwrap().to_owned()).collect()
}

pub fn the_documented_queries_work(database: Database) {
    let queries = blocks("```sql\n");
    assert!(queries.len() >= 10, "only {} queries are documented", queries.len());
    let door = Door::with_results(database, &[]);
    let mut answered = 0;
    for sql in &queries {
        let rows = door.rows(sql);
        answered += usize::from(!rows.as_array().unwrap().is_empty());
    }
    // The experiment differs from the document's, so some queries return no rows.
    assert!(answered + 3 >= queries.len(), "only {answered} of {} queries found something", queries.len());
}
