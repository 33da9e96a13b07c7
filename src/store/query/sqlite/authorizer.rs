//! The authorizer: decides what a statement may do while SQLite prepares it.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::Connection;
use rusqlite::hooks::{AuthAction, AuthContext, Authorization};

use super::super::answer::{ONLY_QUERIES, READABLE};
use crate::store::QueryError;

/// Table-valued functions that split their JSON argument.
const TAKES_APART: [&str; 2] = ["json_each", "json_tree"];

/// The two functions that would run foreign code. They are disabled anyway; all others only use their arguments.
const NOT_FOR_USERS: [&str; 2] = ["load_extension", "fts3_tokenizer"];

/// The first action that the authorizer of a connection has rejected.
pub(super) type FirstRejection = Arc<Mutex<Option<QueryError>>>;

/// Restricts the connection to reading what users may read.
pub(super) fn install(connection: &Connection, refusal: FirstRejection) -> rusqlite::Result<()> {
    let schema = schema(connection)?;
    connection.authorizer(Some(move |asked: AuthContext<'_>| match refused(&asked, &schema) {
        None => Authorization::Allow,
        Some(reason) => {
            refusal.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(reason);
            Authorization::Deny
        }
    }))
}

/// The error if users may not do this. `schema` has the lower-case names of everything that can occur in a FROM clause.
fn refused(asked: &AuthContext<'_>, schema: &HashSet<String>) -> Option<QueryError> {
    match asked.action {
        AuthAction::Select | AuthAction::Recursive => None,
        AuthAction::Read { table_name, column_name } => {
            let name = table_name.to_ascii_lowercase();
            let readable = READABLE.contains(&name.as_str()) || TAKES_APART.contains(&name.as_str());
            // A part of the statement itself may have any name; SQLite never asks about its columns.
            let own = column_name.is_empty()
                && !schema.contains(&name)
                && !["sqlite_", "pragma_"].iter().any(|prefix| name.starts_with(prefix));
            (!readable && !own).then(|| QueryError::unreadable(table_name))
        }
        AuthAction::Function { function_name } => {
            NOT_FOR_USERS.iter().any(|name| function_name.eq_ignore_ascii_case(name)).then(|| {
                QueryError::refused(format!("the function `{function_name}` is not allowed in queries"))
            })
        }
        AuthAction::Pragma { pragma_name, .. } => {
            Some(QueryError::refused(format!("`PRAGMA {pragma_name}` is not allowed in queries")))
        }
        AuthAction::Attach { .. } | AuthAction::Detach { .. } => {
            Some(QueryError::refused("no other database can be attached here"))
        }
        AuthAction::Transaction { .. } | AuthAction::Savepoint { .. } => Some(QueryError::refused(
            "transactions and savepoints are not allowed; each query runs in its own transaction",
        )),
        _ => Some(QueryError::refused(ONLY_QUERIES)),
    }
}

/// Everything that can occur in a FROM clause, except virtual tables that SQLite creates on demand.
fn schema(connection: &Connection) -> rusqlite::Result<HashSet<String>> {
    let names = "SELECT lower(name) FROM sqlite_schema UNION SELECT lower(name) FROM pragma_module_list";
    connection.prepare(names)?.query_map([], |row| row.get(0))?.collect()
}
