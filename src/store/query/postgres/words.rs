//! The names in a statement, from a tokenizer for Postgres that knows no grammar.
//!
//! Whatever a statement uses occurs in it as a word, so no name escapes [`super::names`], wherever the grammar allows
//! it: `pg_read_file(p)` may be written as `p.pg_read_file`. The few notations that this tokenizer could read otherwise
//! than Postgres are rejected.

use std::collections::BTreeSet;
use std::iter::Peekable;
use std::str::CharIndices;

use super::super::answer::{NO_STATEMENT, ONLY_QUERIES, SECOND_STATEMENT};
use crate::store::QueryError;

/// Maximum length of a name in bytes. Postgres truncates longer names, which then are other names.
const LONGEST_NAME: usize = 63;

/// A tokenized statement.
#[derive(Debug, PartialEq)]
pub(super) struct Words<'a> {
    /// The text up to the `;`.
    pub(super) statement: &'a str,
    /// The names as Postgres compares them: lower-case unless quoted.
    pub(super) names: BTreeSet<String>,
}

/// Reads one statement.
///
/// # Errors
/// [`QueryError::Refused`] for several statements, for none, for a text that cannot be put into brackets, and for
/// ambiguous notation.
pub(super) fn read(sql: &str) -> Result<Words<'_>, QueryError> {
    Reader { sql, rest: sql.char_indices().peekable(), names: BTreeSet::new(), open: 0, end: None }.read()
}

struct Reader<'a> {
    sql: &'a str,
    rest: Peekable<CharIndices<'a>>,
    names: BTreeSet<String>,
    /// Brackets.
    open: usize,
    /// Position of the `;`.
    end: Option<usize>,
}

impl<'a> Reader<'a> {
    fn read(mut self) -> Result<Words<'a>, QueryError> {
        while let Some((at, c)) = self.rest.next() {
            match (c, self.rest.peek().map(|(_, next)| *next)) {
                (' ' | '\t' | '\n' | '\r', _) => continue,
                ('-', Some('-')) => {
                    while self.rest.next_if(|(_, c)| !['\n', '\r'].contains(c)).is_some() {}
                    continue;
                }
                ('/', Some('*')) => {
                    self.comment()?;
                    continue;
                }
                _ if self.end.is_some() => return refuse(SECOND_STATEMENT),
                (';', _) => self.end = Some(at),
                ('(', _) => self.open += 1,
                (')', _) => match self.open.checked_sub(1) {
                    Some(open) => self.open = open,
                    None => return refuse("there is a `)` without its `(`"),
                },
                ('\'', _) => self.quoted('\'').map(drop)?,
                ('"', _) if self.names.is_empty() => return refuse(ONLY_QUERIES),
                ('"', _) => {
                    let name = self.quoted('"')?;
                    self.name(name)?;
                }
                ('$', _) => {
                    return refuse("`$` is not allowed: queries have no parameters; write texts as '...'");
                }
                (c, _) if begins_word(c) => self.word(at)?,
                (c, _) if c.is_control() => return refuse("there is a control character in the statement"),
                _ => {}
            }
        }
        if self.names.is_empty() {
            return refuse(NO_STATEMENT);
        }
        if self.open > 0 {
            return refuse("there is a `(` without its `)`");
        }
        Ok(Words { statement: &self.sql[..self.end.unwrap_or(self.sql.len())], names: self.names })
    }

    fn word(&mut self, start: usize) -> Result<(), QueryError> {
        while self.rest.next_if(|(_, c)| begins_word(*c) || c.is_ascii_digit() || *c == '$').is_some() {}
        let end = self.rest.peek().map_or(self.sql.len(), |(at, _)| *at);
        let word = self.sql[start..end].to_ascii_lowercase();
        if !word.is_ascii() {
            let sentence = format!("a name with letters beyond ASCII must be in double quotes: \"{word}\"");
            return Err(QueryError::Refused(sentence));
        }
        let after = &self.sql[end..];
        if word == "e" && after.starts_with('\'') {
            return refuse("E'...' is not allowed; write the text as '...' without escapes");
        }
        if word == "u" && (after.starts_with("&'") || after.starts_with("&\"")) {
            return refuse("U&'...' is not allowed; write the characters themselves");
        }
        if self.names.is_empty() && !["select", "with", "values", "table"].contains(&word.as_str()) {
            return refuse(ONLY_QUERIES);
        }
        self.name(word)
    }

    fn name(&mut self, name: String) -> Result<(), QueryError> {
        if name.len() > LONGEST_NAME {
            return Err(QueryError::refused(format!("a name may have at most {LONGEST_NAME} bytes: {name}")));
        }
        self.names.insert(name);
        Ok(())
    }

    /// The text up to the next quote that is not doubled. (A backslash is literal: `standard_conforming_strings` is
    /// on.)
    fn quoted(&mut self, quote: char) -> Result<String, QueryError> {
        let mut inside = String::new();
        while let Some((_, c)) = self.rest.next() {
            match c {
                c if c == quote && self.rest.next_if(|(_, next)| *next == quote).is_none() => {
                    return Ok(inside);
                }
                '\0' => break,
                c => inside.push(c),
            }
        }
        Err(QueryError::Refused(format!("a {quote} is not closed")))
    }

    /// Skips a comment, which may contain comments.
    fn comment(&mut self) -> Result<(), QueryError> {
        self.rest.next();
        let mut open = 1;
        while let Some((_, c)) = self.rest.next() {
            match c {
                '/' if self.rest.next_if(|(_, next)| *next == '*').is_some() => open += 1,
                '*' if self.rest.next_if(|(_, next)| *next == '/').is_some() => open -= 1,
                '\0' => break,
                _ => {}
            }
            if open == 0 {
                return Ok(());
            }
        }
        refuse("there is a comment without its end")
    }
}

/// Postgres treats every non-ASCII character as a letter. Depending on the encoding of the database, it may fold a
/// non-ASCII capital letter to an ASCII lower-case one.
fn begins_word(c: char) -> bool {
    c.is_ascii_alphabetic() || c == '_' || !c.is_ascii()
}

fn refuse<T>(sentence: &str) -> Result<T, QueryError> {
    Err(QueryError::refused(sentence))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(sql: &str) -> Vec<String> {
        read(sql).unwrap_or_else(|error| panic!("{sql}: {error}")).names.into_iter().collect()
    }

    #[test]
    fn words_outside_texts_and_comments_are_names() {
        for (sql, expected) in [
            ("SELECT a.B, \"C\"(1)", &["C", "a", "b", "select"][..]),
            ("SELECT 'x''y pg_sleep' AS \"a\"\"b\"", &["a\"b", "as", "select"]),
            ("SELECT '\\' , pg_sleep(1) --'", &["pg_sleep", "select"]),
            ("SELECT 1 -- a\r, b", &["b", "select"]),
            ("SELECT 1 /* a /* b */ c */ + d", &["d", "select"]),
            ("SELECT 1 */* a */ d", &["d", "select"]),
            ("SELECT 1e5, x1$y, \"é\"", &["e5", "select", "x1$y", "é"]),
            ("SELECT N'a' 'b', some'c'", &["n", "select", "some"]),
            ("(SELECT 1); -- done\n/* yes */", &["select"]),
        ] {
            assert_eq!(names(sql), expected, "{sql}");
        }
        assert_eq!(read("SELECT 1 ; ").unwrap().statement, "SELECT 1 ");
    }

    #[test]
    fn ambiguous_notation_is_rejected() {
        for sql in [
            "",
            ";",
            "-- SELECT 1",
            "SELECT 1; SELECT 2",
            "SELECT 1;;",
            "SELECT 1) x; DROP TABLE jobs; --",
            "SELECT 1) UNION (SELECT 2",
            "SELECT (1",
            "SELECT 'a",
            "SELECT \"a",
            "SELECT 1 /* a",
            "SELECT 1 /* /* a */",
            "SELECT E'\\' , pg_sleep(1) --'",
            "SELECT 1e'\\' , pg_sleep(1) --'",
            "SELECT U&\"pg\\005fsleep\"(1)",
            "SELECT u&'a'",
            "SELECT $$a$$",
            "SELECT $1",
            "SELECT 'a\0'",
            "SELECT\u{b}1",
            "SELECT é",
            "SELECT pg_read_f\u{130}le('a')",
            "INSERT INTO jobs DEFAULT VALUES",
            "((INSERT",
        ] {
            assert!(matches!(read(sql), Err(QueryError::Refused(_))), "{sql}: {:?}", read(sql));
        }
        assert!(read(&format!("SELECT {}", "a".repeat(63))).is_ok());
        assert!(read(&format!("SELECT {}", "a".repeat(64))).is_err());
    }
}
