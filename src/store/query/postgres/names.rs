//! The tables and functions that a statement may name.
//!
//! The catalog says which words are names of tables or functions. Functions of Postgres that are immutable depend only
//! on their arguments; of the others, users may call the ones listed here.

use std::collections::BTreeSet;

use sqlx::PgConnection;

use super::super::answer::READABLE;
use super::ReadError;
use crate::store::QueryError;

/// Functions whose results depend only on the time, the time zone or chance. Some have the name of a type or of a
/// keyword.
const ALLOWED: &str = "age array_to_json array_to_string clock_timestamp concat concat_ws convert_from convert_to date \
    date_part date_trunc extract format gen_random_uuid generate_series json_agg json_build_array json_build_object \
    json_object_agg json_populate_record json_populate_recordset json_to_record json_to_recordset jsonb_agg \
    jsonb_build_array jsonb_build_object jsonb_object_agg jsonb_populate_record jsonb_populate_recordset \
    jsonb_to_record jsonb_to_recordset length make_timestamptz now numeric overlaps quote_literal random row_to_json \
    statement_timestamp time timestamp timestamptz timetz timezone to_char to_date to_json to_jsonb to_number \
    to_timestamp to_tsquery to_tsvector transaction_timestamp version";

/// Relations that are not for users. A name counts if it resolves without a schema, or if its schema is named, too.
const RELATIONS: &str = "
    SELECT c.relname::TEXT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relname = ANY($1) AND (pg_table_is_visible(c.oid) OR n.nspname = ANY($1))
      AND NOT (c.relname = ANY($2) AND pg_table_is_visible(c.oid))
    ORDER BY c.relname LIMIT 1";

/// Functions that are not for users. (No column of a readable table has such a name.)
const FUNCTIONS: &str = "
    SELECT p.proname::TEXT FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
    WHERE p.proname = ANY($1) AND (pg_function_is_visible(p.oid) OR n.nspname = ANY($1))
      AND NOT (n.nspname = 'pg_catalog' AND (p.provolatile = 'i' OR p.proname = ANY($2)))
    ORDER BY p.proname LIMIT 1";

/// Whether a name belongs to XML: a type, a function or a keyword. PostgreSQL processes XML with a library that it
/// cannot interrupt, and a short text can keep that library busy forever.
fn is_of_xml(name: &str) -> bool {
    name.contains("xml") || name.starts_with("xpath")
}

/// Looks every name up.
///
/// # Errors
/// [`QueryError::Refused`] for the first name that is not allowed.
pub(super) async fn check(connection: &mut PgConnection, names: &BTreeSet<String>) -> Result<(), ReadError> {
    if let Some(name) = names.iter().find(|name| is_of_xml(name)) {
        let sentence =
            format!("`{name}`: XML is not allowed in queries, and neither is another thing of that name");
        return Err(QueryError::Refused(sentence).into());
    }
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let allowed: Vec<&str> = ALLOWED.split_whitespace().collect();
    let find = |query: &'static str| sqlx::query_scalar::<_, String>(query).bind(&names);
    if let Some(table) = find(RELATIONS).bind(&READABLE[..]).fetch_optional(&mut *connection).await? {
        return Err(QueryError::unreadable(&table).into());
    }
    if let Some(function) = find(FUNCTIONS).bind(allowed).fetch_optional(connection).await? {
        let sentence = format!(
            "the function `{function}` is not allowed in queries, and neither is another thing of that name"
        );
        return Err(QueryError::Refused(sentence).into());
    }
    Ok(())
}
