//! `optlab sql`: queries the database through the server.

use std::io::stdin;
use std::path::PathBuf;

use clap::ValueEnum;
use comfy_table::{CellAlignment, TableStyle, presets};
use optlab_api_types::{Question, Table};
use serde_json::Value;

use super::client::ServerArgs;
use super::{Failure, input, output};
use crate::store::{LONGEST_STATEMENT, MOST_ROWS};

#[derive(clap::Args)]
pub(super) struct Args {
    /// One SELECT, WITH or VALUES [default: from standard input]
    query: Option<String>,
    /// Read the query from a file
    #[arg(long, value_name = "FILE", conflicts_with = "query")]
    file: Option<PathBuf>,
    #[command(flatten)]
    server: ServerArgs,
    /// Output format
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    /// The same as --format json
    #[arg(long, conflicts_with = "format")]
    json: bool,
    /// Maximum number of rows, at most 10000
    #[arg(long, value_name = "ROWS", default_value_t = 1000)]
    limit: u32,
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    Table,
    Markdown,
    Csv,
    Json,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let question = Question { sql: args.sql()?, limit: Some(args.limit.into()) };
    let answer: Table = args.server.client()?.post("/query", &question)?;
    match if args.json { Format::Json } else { args.format } {
        Format::Json => output::json(&answer)?,
        Format::Csv => output::verbatim(csv(&answer).as_bytes())?,
        Format::Markdown => output::line(table(&answer, presets::ASCII_MARKDOWN))?,
        Format::Table => output::line(table(&answer, presets::NOTHING).trim_fmt())?,
    }
    if answer.truncated {
        // On standard error, because a program may read the rows.
        let shown = answer.rows.len();
        let more = if shown < args.limit as usize {
            "the answer was truncated at 8 MB; select fewer columns or rows".to_owned()
        } else if shown < MOST_ROWS {
            format!("--limit allows up to {MOST_ROWS}")
        } else {
            format!("a query returns at most {MOST_ROWS} rows; select fewer with WHERE")
        };
        output::note(format!("optlab: there are more rows than the {shown} printed; {more}"));
    }
    Ok(())
}

impl Args {
    fn sql(&self) -> Result<String, Failure> {
        match (&self.query, &self.file) {
            (Some(query), _) => Ok(query.clone()),
            (None, Some(file)) => input::text(file, LONGEST_STATEMENT),
            (None, None) => input::text_from(stdin(), "standard input", LONGEST_STATEMENT),
        }
    }
}

/// Aligns numbers to the right.
fn table(answer: &Table, style: TableStyle) -> comfy_table::Table {
    let mut table = comfy_table::Table::new();
    table.load_style(style).set_header(&answer.columns);
    for row in &answer.rows {
        table.add_row(row.iter().map(text));
    }
    for (index, column) in table.column_iter_mut().enumerate() {
        if answer.rows.iter().all(|row| row[index].is_number() || row[index].is_null()) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}

/// CSV as in RFC 4180. NULL is empty, and an empty text is `""`.
fn csv(answer: &Table) -> String {
    let quoted = |text: &str| match text.is_empty() || text.contains([',', '"', '\r', '\n']) {
        true => format!("\"{}\"", text.replace('"', "\"\"")),
        false => text.to_owned(),
    };
    let value = |value: &Value| match value {
        Value::Null => String::new(),
        value => quoted(&text(value)),
    };
    let line = |fields: Vec<String>| fields.join(",") + "\n";
    let header = line(answer.columns.iter().map(|name| quoted(name)).collect());
    let rows = answer.rows.iter().map(|row| line(row.iter().map(value).collect()));
    header + &rows.collect::<String>()
}

/// Texts unchanged, NULL as an empty text, bytes in hexadecimal.
fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Object(bytes) => bytes.get("hex").and_then(Value::as_str).unwrap_or_default().to_owned(),
        value => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn csv_can_be_parsed() {
        let columns = ["a", "b,c"].map(str::to_owned).to_vec();
        let rows = vec![
            vec![json!("say \"hi\"\nor, well"), json!(null)],
            vec![json!(""), json!(0.1)],
            vec![json!({ "hex": "00ff" }), json!(true)],
        ];
        let answer = Table { columns, rows, truncated: false };
        assert_eq!(csv(&answer), "a,\"b,c\"\n\"say \"\"hi\"\"\nor, well\",\n\"\",0.1\n00ff,true\n");
    }
}
