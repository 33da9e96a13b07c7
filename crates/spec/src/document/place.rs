//! The place of a field in a TOML text.

use std::ops::Range;

use toml::de::{DeTable, DeValue};

/// Line and column, from 1 and in characters, of the field at a JSON pointer. If the field is missing, the place is that
/// of the innermost table that should have it. `None` if not even the first step of the pointer is in the text, or the
/// text is not TOML.
pub fn place(toml: &str, pointer: &str) -> Option<(usize, usize)> {
    let document = DeValue::Table(DeTable::parse(toml).ok()?.into_inner());
    let mut here = &document;
    let mut span = None;
    for step in pointer.split('/').skip(1) {
        let Some((place, next)) = child(here, &step.replace("~1", "/").replace("~0", "~")) else { break };
        (span, here) = (Some(place), next);
    }
    let before = &toml[..span?.start];
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    Some((before.matches('\n').count() + 1, before[line_start..].chars().count() + 1))
}

/// The field or item of a value, with the span of its name, or of the item.
fn child<'a, 'toml>(value: &'a DeValue<'toml>, step: &str) -> Option<(Range<usize>, &'a DeValue<'toml>)> {
    match value {
        DeValue::Table(table) => {
            let (name, value) = table.iter().find(|(name, _)| name.get_ref() == step)?;
            Some((name.span(), value.get_ref()))
        }
        DeValue::Array(items) => {
            let item = items.get(step.parse::<usize>().ok()?)?;
            Some((item.span(), item.get_ref()))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPEC: &str = r#"# a spec
name = "x"
seeds = [0,
         -1]
train.epochs = 0

[train.optimizer]
"a/b" = 1   # an unknown field

[[arms]]
name = "größe"
method = { kind = "opt", "größe" = 1, transform = 3 }

[[arms]]
name = "second"
"#;

    #[test]
    fn a_field_is_found_however_it_is_written() {
        let at = |pointer| place(SPEC, pointer);
        assert_eq!(at("/name"), Some((2, 1)));
        assert_eq!(at("/seeds/1"), Some((4, 10)));
        assert_eq!(at("/train/epochs"), Some((5, 7)));
        assert_eq!(at("/train/optimizer/a~1b"), Some((8, 1)));
        assert_eq!(at("/arms/0/method/transform"), Some((12, 39)), "columns count characters");
    }

    #[test]
    fn a_missing_field_is_at_the_table_that_lacks_it() {
        let at = |pointer| place(SPEC, pointer);
        assert_eq!(at("/train/optimizer/learning_rate"), Some((7, 8)));
        assert_eq!(at("/arms/1/method/kind").map(|(line, _)| line), Some(14));
        assert_eq!(at("/data/name"), None);
        assert_eq!(at(""), None);
        assert_eq!(place("no TOML", "/name"), None);
    }
}
