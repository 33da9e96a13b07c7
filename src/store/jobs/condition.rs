//! Conditions on jobs: comparisons such as `train.batch_size = 64`, joined by `and`.

use std::str::FromStr;

use super::field::Field;

/// Maximum length of a condition, in bytes.
pub const LONGEST_CONDITION: usize = 4000;
/// Maximum number of comparisons.
const MOST_COMPARISONS: usize = 20;

/// What a job must be like: all of the comparisons hold. Without any, every job is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Condition {
    pub(super) comparisons: Vec<Comparison>,
}

/// A field compared with a value. A job without the field satisfies only `= null`.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Comparison {
    pub(super) field: Field,
    pub(super) operator: Operator,
    pub(super) value: Value,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    /// The text contains the value, in any case of ASCII letters.
    Contains,
}

/// The value of a comparison. Its type decides how it is compared.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    Null,
    Number(f64),
    Text(String),
}

/// A mistake in a condition.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("at character {place}: {detail}")]
pub struct ConditionError {
    /// Where it is, from 1.
    pub place: usize,
    /// What is wrong and what would be right.
    pub detail: String,
}

/// The operators; longer ones before those that they begin with.
const OPERATORS: [(&str, Operator); 7] = [
    ("!=", Operator::NotEqual),
    ("<=", Operator::LessOrEqual),
    (">=", Operator::GreaterOrEqual),
    ("=", Operator::Equal),
    ("<", Operator::Less),
    (">", Operator::Greater),
    ("~", Operator::Contains),
];

const EXAMPLE: &str = "such as `train.batch_size = 64`";

impl FromStr for Condition {
    type Err = ConditionError;

    fn from_str(text: &str) -> Result<Self, ConditionError> {
        let mut reader = Reader { text, at: 0 };
        if text.len() > LONGEST_CONDITION {
            return Err(reader.wrong(0, format!("a condition has at most {LONGEST_CONDITION} bytes")));
        }
        let mut comparisons = Vec::new();
        reader.skip_space();
        while !reader.rest().is_empty() {
            if !comparisons.is_empty() {
                reader.and()?;
            }
            if comparisons.len() == MOST_COMPARISONS {
                return Err(reader
                    .wrong(reader.at, format!("a condition has at most {MOST_COMPARISONS} comparisons")));
            }
            comparisons.push(reader.comparison()?);
            reader.skip_space();
        }
        Ok(Self { comparisons })
    }
}

/// A text that is being read.
struct Reader<'a> {
    text: &'a str,
    /// Bytes that have been read.
    at: usize,
}

/// A value as it is written.
struct Written {
    text: String,
    is_quoted: bool,
}

impl<'a> Reader<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn skip_space(&mut self) {
        self.at = self.text.len() - self.rest().trim_start().len();
    }

    /// Reads the characters that belong to a part.
    fn take(&mut self, belongs: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let end = rest.find(|c| !belongs(c)).unwrap_or(rest.len());
        self.at += end;
        &rest[..end]
    }

    fn wrong(&self, at: usize, detail: impl Into<String>) -> ConditionError {
        ConditionError { place: self.text[..at].chars().count() + 1, detail: detail.into() }
    }

    /// What comes next, for a message.
    fn found(&self) -> String {
        let word: String = self.rest().chars().take_while(|c| !c.is_whitespace()).take(40).collect();
        if word.is_empty() { "the end".to_owned() } else { format!("`{word}`") }
    }

    fn and(&mut self) -> Result<(), ConditionError> {
        let start = self.at;
        let word = self.take(|c| c.is_ascii_alphabetic());
        if word.eq_ignore_ascii_case("and") {
            self.skip_space();
            return Ok(());
        }
        self.at = start;
        let detail = match word.eq_ignore_ascii_case("or") {
            true => "comparisons are joined by `and` only; ask for each alternative on its own".to_owned(),
            false => format!(
                "`and` is expected, found {}; a value with spaces needs quotes: \"a b\"",
                self.found()
            ),
        };
        Err(self.wrong(start, detail))
    }

    fn comparison(&mut self) -> Result<Comparison, ConditionError> {
        let start = self.at;
        let name = self.take(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.'));
        if name.is_empty() {
            return Err(
                self.wrong(start, format!("a comparison {EXAMPLE} is expected, found {}", self.found()))
            );
        }
        let field = Field::parse(name).map_err(|detail| self.wrong(start, detail))?;
        let operator = self.operator()?;
        self.skip_space();
        let start = self.at;
        let written = self.value()?;
        let value = typed(field, operator, written).map_err(|detail| self.wrong(start, detail))?;
        Ok(Comparison { field, operator, value })
    }

    fn operator(&mut self) -> Result<Operator, ConditionError> {
        self.skip_space();
        let found = OPERATORS.iter().find(|(sign, _)| self.rest().starts_with(sign));
        let Some((sign, operator)) = found else {
            let detail = format!("one of = != < <= > >= ~ is expected, found {}", self.found());
            return Err(self.wrong(self.at, detail));
        };
        self.at += sign.len();
        if self.rest().starts_with('=') {
            return Err(self.wrong(self.at, "one `=` is enough"));
        }
        Ok(*operator)
    }

    /// A word up to the next space, or a text in quotes, in which a backslash precedes a quote or a backslash.
    fn value(&mut self) -> Result<Written, ConditionError> {
        let start = self.at;
        let Some(quote) = self.rest().chars().next().filter(|c| matches!(c, '"' | '\'')) else {
            let word = self.take(|c| !c.is_whitespace());
            if word.is_empty() {
                return Err(self.wrong(start, "a value is missing: a number, a word or a text in quotes"));
            }
            return Ok(Written { text: word.to_owned(), is_quoted: false });
        };
        let (mut text, mut is_escaped) = (String::new(), false);
        for (place, character) in self.rest().char_indices().skip(1) {
            match character {
                '\\' if !is_escaped => {
                    is_escaped = true;
                    continue;
                }
                end if end == quote && !is_escaped => {
                    self.at += place + 1;
                    return Ok(Written { text, is_quoted: true });
                }
                other => text.push(other),
            }
            is_escaped = false;
        }
        Err(self.wrong(start, format!("the closing {quote} of this text is missing")))
    }
}

/// The value as the field is compared with it.
fn typed(field: Field, operator: Operator, written: Written) -> Result<Value, String> {
    let Written { text, is_quoted } = written;
    let is_equality = matches!(operator, Operator::Equal | Operator::NotEqual);
    if text == "null" && !is_quoted {
        return if is_equality {
            Ok(Value::Null)
        } else {
            Err("null is compared by = or != only".to_owned())
        };
    }
    let takes = field.takes();
    if operator == Operator::Contains {
        return match takes.texts {
            true => Ok(Value::Text(text)),
            false => {
                Err(format!("`{field}` is no text, and ~ looks for a part of one; use = != < <= > or >="))
            }
        };
    }
    if takes.times {
        let wrong = "is compared with a time such as 2026-11-27 or 2026-11-27T13:30:00Z";
        return time_ms(&text).map(Value::Number).ok_or_else(|| format!("`{field}` {wrong}"));
    }
    if let Some(number) = number(&text).filter(|_| takes.numbers && !is_quoted) {
        return Ok(Value::Number(number));
    }
    if !takes.texts {
        let text = if is_quoted { "a text in quotes".to_owned() } else { shortened(&text) };
        return Err(format!("`{field}` is a number, and is not compared with {text}"));
    }
    if is_equality && !takes.words.is_empty() && !takes.words.contains(&text.as_str()) {
        return Err(format!("`{field}` is {}", alternatives(&takes.words, takes.numbers)));
    }
    if field.is_list_of_words() && !is_equality {
        return Err(format!("`{field}` is a list of words, and is compared by = != or ~"));
    }
    Ok(Value::Text(text))
}

/// A word for a message.
fn shortened(word: &str) -> String {
    let start: String = word.chars().take(40).collect();
    if start.len() < word.len() { format!("`{start}…`") } else { format!("`{word}`") }
}

fn alternatives(words: &[&str], numbers: bool) -> String {
    let number = numbers.then_some("a number");
    let all: Vec<&str> = words.iter().copied().chain(number).collect();
    if let [one] = all.as_slice() { (*one).to_owned() } else { format!("one of {}", all.join(", ")) }
}

/// A finite number as JSON writes it; also `.5` and `+1`.
fn number(text: &str) -> Option<f64> {
    // The parser of Rust also reads `inf` and `nan`.
    let is_numeric =
        text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'e' | b'E' | b'+' | b'-'));
    text.parse().ok().filter(|number: &f64| is_numeric && number.is_finite())
}

fn time_ms(text: &str) -> Option<f64> {
    let time = if text.contains('T') { text.to_owned() } else { format!("{text}T00:00:00Z") };
    Some(time.parse::<jiff::Timestamp>().ok()?.as_millisecond() as f64)
}

#[cfg(test)]
mod tests;
