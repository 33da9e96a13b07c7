use proptest::prelude::*;

use super::*;
use crate::store::Column;

fn read(text: &str) -> Vec<(String, Operator, Value)> {
    let condition: Condition = text.parse().unwrap_or_else(|error| panic!("{text}: {error}"));
    condition.comparisons.into_iter().map(|c| (c.field.to_string(), c.operator, c.value)).collect()
}

fn refused(text: &str) -> String {
    text.parse::<Condition>().unwrap_err().to_string()
}

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

#[test]
fn comparisons_are_joined_by_and() {
    assert_eq!(
        read(" train.optimizer.learning_rate>0.05 AND arm ~ \"opt \\\"x\\\"\" and  test_error<=.5e1 "),
        [
            ("train.optimizer.learning_rate".to_owned(), Operator::Greater, Value::Number(0.05)),
            ("arm".to_owned(), Operator::Contains, text("opt \"x\"")),
            ("test_error".to_owned(), Operator::LessOrEqual, Value::Number(5.0)),
        ]
    );
    assert_eq!(read("  "), []);
    for (sign, operator) in OPERATORS {
        assert_eq!(read(&format!("arm{sign}x")), [("arm".to_owned(), operator, text("x"))]);
    }
}

#[test]
fn the_field_decides_the_type_of_a_value() {
    for (given, value) in [
        // A name may look like a number.
        ("arm = 64", text("64")),
        ("train.batch_size = 64", Value::Number(64.0)),
        ("train.evaluate_every = epoch", text("epoch")),
        ("train.evaluate_every = 10", Value::Number(10.0)),
        ("train.model.hidden = [8,4]", text("[8,4]")),
        ("train.model.batch_norm = true", text("true")),
        ("train.clip_norm != null", Value::Null),
        ("error = \"null\"", text("null")),
        ("created_at > 1970-01-02", Value::Number(86_400_000.0)),
        ("created_at > 1970-01-01T01:00:00.5+01:00", Value::Number(500.0)),
        ("tags = 'a'", text("a")),
    ] {
        assert_eq!(read(given)[0].2, value, "{given}");
    }
}

#[test]
fn a_mistake_is_reported_with_its_place_and_what_would_be_right() {
    for (given, error) in [
        (
            "trian.batch_size = 64",
            "at character 1: there is no field `trian.batch_size`; did you mean `train.batch_size`?",
        ),
        ("arm = ä and sede = 1", "at character 13: there is no field `sede`; did you mean `seed`?"),
        (
            "seed = 1 or seed = 2",
            "at character 10: comparisons are joined by `and` only; ask for each alternative on its own",
        ),
        (
            "error ~ a b",
            "at character 11: `and` is expected, found `b`; a value with spaces needs quotes: \"a b\"",
        ),
        ("seed is 1", "at character 6: one of = != < <= > >= ~ is expected, found `is`"),
        ("seed", "at character 5: one of = != < <= > >= ~ is expected, found the end"),
        ("seed == 1", "at character 7: one `=` is enough"),
        ("seed = ", "at character 8: a value is missing: a number, a word or a text in quotes"),
        (
            "seed = 1 and",
            "at character 13: a comparison such as `train.batch_size = 64` is expected, found the end",
        ),
        ("= 1", "at character 1: a comparison such as `train.batch_size = 64` is expected, found `=`"),
        ("arm = \"a", "at character 7: the closing \" of this text is missing"),
        ("seed = inf", "at character 8: `seed` is a number, and is not compared with `inf`"),
        ("seed = 1e400", "at character 8: `seed` is a number, and is not compared with `1e400`"),
        ("seed > \"5\"", "at character 8: `seed` is a number, and is not compared with a text in quotes"),
        (
            "seed ~ 1",
            "at character 8: `seed` is no text, and ~ looks for a part of one; use = != < <= > or >=",
        ),
        (
            "state = done",
            "at character 9: `state` is one of running, queued, paused, succeeded, failed, cancelled",
        ),
        ("train.evaluate_every = never", "at character 24: `train.evaluate_every` is one of epoch, a number"),
        ("seed < null", "at character 8: null is compared by = or != only"),
        ("tags < a", "at character 8: `tags` is a list of words, and is compared by = != or ~"),
        (
            "ended_at > soon",
            "at character 12: `ended_at` is compared with a time such as 2026-11-27 or 2026-11-27T13:30:00Z",
        ),
    ] {
        assert_eq!(refused(given), error, "{given}");
    }
    assert_eq!(
        refused(&"seed = 1 and ".repeat(21)),
        "at character 261: a condition has at most 20 comparisons"
    );
    assert!(refused(&"x".repeat(5000)).contains("4000 bytes"));
}

fn parts() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        Just("and".to_owned()),
        Just("train.batch_size".to_owned()),
        Just("tags".to_owned()),
        Just("ended_at".to_owned()),
        "[=!<>~\"'\\\\ ]{1,3}",
        "\\PC{0,6}",
        any::<f64>().prop_map(|number| number.to_string()),
    ];
    proptest::collection::vec(part, 0..12).prop_map(|parts| parts.join(" "))
}

proptest! {
    #[test]
    fn any_text_is_a_condition_or_has_a_mistake_at_a_place(given in parts()) {
        if let Err(error) = given.parse::<Condition>() {
            prop_assert!((1..=given.chars().count() + 1).contains(&error.place), "{given}: {error}");
            prop_assert!(!error.detail.is_empty());
        }
    }

    #[test]
    fn a_quoted_text_reads_back_exactly(given in "\\PC{0,30}") {
        let quoted = given.replace('\\', "\\\\").replace('"', "\\\"");
        let condition: Condition = format!("arm = \"{quoted}\"").parse().unwrap();
        prop_assert_eq!(&condition.comparisons[0].value, &text(&given));
        prop_assert_eq!(condition.comparisons[0].field, Field::from(Column::Arm));
    }
}
