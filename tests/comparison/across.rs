//! Comparisons of several experiments.

use serde_json::{Value, json};

use super::fixture::{CAYLEY, Fixture};
use super::support::Database;
use super::{arm, close, err};

#[tokio::test(flavor = "multi_thread")]
async fn experiments_are_compared_where_seeds_meet_on_sqlite() {
    seeds_that_meet_are_pairs(Fixture::new(Database::Sqlite).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn experiments_are_compared_where_seeds_meet_on_postgres() {
    seeds_that_meet_are_pairs(Fixture::new(Database::Postgres).await).await;
}

fn opt(seeds: &[u64], train: &Value) -> Value {
    let arms = json!([{ "name": "opt-cayley", "method": { "kind": "opt", "transform": "cayley" } }]);
    json!({ "name": "second", "seeds": seeds, "train": train, "arms": arms })
}

/// The values of a field by arm; null if it is not listed.
fn field<'a>(comparison: &'a Value, pointer: &str) -> &'a Value {
    let mut fields = comparison["differences"].as_array().unwrap().iter();
    fields.find(|field| field["pointer"] == pointer).map_or(&Value::Null, |field| &field["values"])
}

fn verdict(comparison: &Value) -> &str {
    comparison["verdict"].as_str().unwrap()
}

async fn seeds_that_meet_are_pairs(fixture: Fixture) {
    assert_eq!(fixture.across("1", ""), fixture.compare(""), "one experiment is compared as before");
    assert_eq!(fixture.across("1", "&baseline=other"), fixture.compare("?baseline=other"));

    let longer = json!({ "epochs": 7 });
    let second = fixture.add(&opt(&[1, 2, 3, 4, 5, 6, 7, 8], &longer)).await;
    let few = fixture.add(&opt(&[5, 6, 7], &json!({}))).await;
    let none = fixture.add(&opt(&[20, 21, 22, 23, 24], &json!({}))).await;
    let digits = fixture.add(&opt(&[0, 1, 2, 3, 4, 5, 6], &json!({ "data": { "validation": 0.2 } }))).await;
    let mnist = fixture.add(&opt(&[0, 1, 2, 3, 4, 5, 6], &json!({ "data": { "name": "mnist" } }))).await;
    assert_eq!([second, few, none, digits, mnist], [2, 3, 4, 5, 6]);

    // The baseline failed with seed 4, so five seeds meet.
    let two = fixture.across("1,2", "");
    let experiments = json!([{ "id": 1, "name": "compared" }, { "id": 2, "name": "second" }]);
    assert_eq!(two["experiments"], experiments);
    let names: Vec<&Value> = two["arms"].as_array().unwrap().iter().map(|arm| &arm["arm"]).collect();
    assert_eq!(names, ["1/opt-cayley", "1/baseline", "1/other", "2/opt-cayley"]);
    assert_eq!(
        (&two["baseline"], &arm(&two, "2/opt-cayley")["experiment_id"]),
        (&json!("1/baseline"), &json!(2))
    );
    let second = arm(&two, "2/opt-cayley");
    assert_eq!(
        (&second["n"], &second["pairs"], &second["standing"]),
        (&json!(8), &json!(5), &json!("better"))
    );
    let met = [1, 2, 3, 5, 6].map(|seed| CAYLEY[seed]);
    close(&second["difference"]["mean"], -met.iter().sum::<f64>() / 5.0);
    // Holm's procedure counts the arms of both.
    let alone = arm(&fixture.across("2,1", "&baseline=1/baseline"), "2/opt-cayley")["difference"].clone();
    assert_eq!(alone, second["difference"], "the order of the experiments changes no figure");
    assert!(second["difference"]["p_adjusted"].as_f64() >= second["difference"]["p_value"].as_f64());
    assert!(verdict(&two).contains("adjusted for 3 arms"), "{}", verdict(&two));
    let cells: Vec<&Value> = two["missing"].as_array().unwrap().iter().map(|cell| &cell["arm"]).collect();
    assert_eq!(cells, ["1/opt-cayley", "1/baseline"]);
    assert_eq!(two["environments"][0]["arm"], "1/opt-cayley");
    assert_eq!(field(&two, "/train/epochs")["2/opt-cayley"], 7);
    assert_eq!(field(&two, "/train/steps")["1/baseline"], 100);
    assert_eq!(field(&two, "/seeds")["2/opt-cayley"], json!([1, 2, 3, 4, 5, 6, 7, 8]));
    assert_eq!(field(&two, "/train/data/name"), &Value::Null);

    // Any arm can be the baseline. By default, it is that of the first experiment, which may have none.
    let turned = fixture.across("1,2", "&baseline=2/opt-cayley");
    assert_eq!(arm(&turned, "2/opt-cayley")["pairs"], Value::Null);
    let baseline = arm(&turned, "1/baseline");
    assert_eq!((&baseline["pairs"], &baseline["standing"]), (&json!(5), &json!("worse")));
    assert!(
        verdict(&turned).contains("1/baseline and 2/opt-cayley also differ in train.epochs and train.steps."),
        "{}",
        verdict(&turned)
    );
    let without = fixture.across("2,1", "");
    assert_eq!(without["baseline"], Value::Null);
    assert!(
        verdict(&without).starts_with("No baseline of experiment 2: no arm has"),
        "{}",
        verdict(&without)
    );

    // Few seeds meet, or none.
    let three = fixture.across("1,3,4", "");
    for (name, pairs) in [("3/opt-cayley", 2), ("4/opt-cayley", 0)] {
        let arm = arm(&three, name);
        assert_eq!((&arm["pairs"], &arm["standing"]), (&json!(pairs), &json!("too_few_seeds")), "{name}");
        assert!(arm["cannot_tell"].as_str().unwrap().ends_with("and 5 are needed"), "{arm}");
    }

    // Equal seeds with other training images, or of another task, are no pairs.
    let unlike = fixture.across("1,5,6", "");
    for (name, why) in [
        ("5/opt-cayley", "data.validation is 0.2 and not 0.1, so equal seeds are not paired"),
        ("6/opt-cayley", "the data set is mnist and not digits, so the figures are not of the same task"),
    ] {
        let arm = arm(&unlike, name);
        assert_eq!(
            (&arm["n"], &arm["pairs"], &arm["standing"]),
            (&json!(7), &json!(0), &json!("not_comparable"))
        );
        assert_eq!((&arm["difference"], &arm["mean_difference"]), (&Value::Null, &Value::Null), "{name}");
        assert!(arm["cannot_tell"].as_str().unwrap().starts_with(why), "{arm}");
        assert!(verdict(&unlike).contains(&format!("No verdict on {name}: {why}")), "{}", verdict(&unlike));
    }
    assert!(
        verdict(&unlike).starts_with("1/opt-cayley leads 1/baseline by 1.00 points"),
        "{}",
        verdict(&unlike)
    );
    assert!(verdict(&unlike).contains("adjusted for 2 arms"), "{}", verdict(&unlike));
    let only = fixture.across("6,5", "&baseline=5/opt-cayley");
    let expected = "No verdict on 6/opt-cayley: the data set is mnist and not digits, so the figures are not of the same task.";
    assert_eq!(verdict(&only), expected);

    // A copy of an experiment has the same figures, of which nothing can be concluded.
    let arms = json!([{ "name": "baseline", "method": { "kind": "baseline" } }]);
    let copy = fixture.add(&json!({ "name": "copy", "seeds": [0, 1, 2], "arms": arms })).await;
    let copied = fixture.across(&format!("1,{copy}"), "");
    let twin = arm(&copied, &format!("{copy}/baseline"));
    assert_eq!(
        (&twin["pairs"], &twin["standing"], &twin["difference"]),
        (&json!(3), &Value::Null, &Value::Null)
    );

    refusals(&fixture);
    command(&fixture);

    // A warning names an arm as the table does.
    let arms = json!([{ "name": "guess", "method": { "kind": "baseline" } }]);
    let guess = fixture.add(&json!({ "name": "guesses", "seeds": [0], "arms": arms })).await;
    for (others, arm) in [(&["copy"][..], format!("{guess}/guess")), (&[], "guess".to_owned())] {
        let args: Vec<&str> = others.iter().copied().chain(["guesses"]).collect();
        let output = fixture.command_on("compare", &args);
        let warning = format!(" ({arm}, seed 0): the final accuracy of 10.00% is that of guessing");
        assert!(err(&output).contains(&warning), "{}", err(&output));
    }
}

fn refusals(fixture: &Fixture) {
    for (query, status, says) in [
        ("experiments=1,99", 404, "there is no experiment 99"),
        ("experiments=1,2,1", 422, "`experiments` must have different ids; 1 is repeated"),
        ("experiments=1,2,3,4,5,6,7,8,9,10,11", 422, "`experiments` must have at most 10 ids, has 11"),
        ("experiments=1,x", 422, "`experiments` must be ids separated by commas, such as 1,4"),
        ("experiments=", 422, "`experiments` must be ids separated by commas"),
        ("experiments=0", 422, "`experiments` must be ids separated by commas"),
        ("", 400, "missing field `experiments`"),
        (
            "experiments=1,2&baseline=baseline",
            422,
            "`baseline` must be one of 1/opt-cayley, 1/baseline, 1/other, 2/opt-cayley",
        ),
        ("experiments=1&baseline=1/baseline", 422, "`baseline` must be one of opt-cayley, baseline, other"),
        ("experiments=1,2&metric=beauty", 422, "`metric` must be one of test_error"),
        ("experiments=1,2&last=0", 422, "`last` must be from 1 to 1000"),
        ("experiments=1,2&arm=x", 400, "unknown field `arm`"),
    ] {
        let answer = fixture.server.get(&format!("/api/v1/comparison?{query}"));
        assert_eq!(answer.status, status, "{query}: {answer:?}");
        let problem = answer.json();
        assert!(problem["detail"].as_str().unwrap().contains(says), "{query}: {problem}");
    }
}

/// The same on the command line, by id and by name.
fn command(fixture: &Fixture) {
    let table = fixture.out(&["2"]);
    for part in [
        "vs 1/baseline [95%]",
        "2/opt-cayley",
        "Experiments: 1 `compared`, 2 `second`.",
        "train.epochs: none in experiment 1; 7 in experiment 2",
        "method.kind: opt in 1/opt-cayley, experiment 2; baseline in 1/baseline; mhe in 1/other",
    ] {
        assert!(table.contains(part), "{part} is missing:\n{table}");
    }
    let json: Value = serde_json::from_str(&fixture.out(&["2", "--json", "--baseline", "1/other"])).unwrap();
    assert_eq!(json, fixture.across("1,2", "&baseline=1/other"));
    let csv = fixture.out(&["2", "--format", "csv"]);
    assert!(csv.lines().any(|line| line.starts_with("2/opt-cayley,opt:cayley,8,")), "{csv}");
    let latex = fixture.out(&["2", "--format", "latex"]);
    assert!(latex.contains("2/opt-cayley & 8 & $\\mathbf{"), "{latex}");
    for (args, status, says) in [
        (
            &["2", "--require", "2/opt-cayley < 1/baseline @ 0.95"][..],
            0,
            "2/opt-cayley < 1/baseline @ 0.95 holds",
        ),
        (&["#2", "--require", "1/other < 2/opt-cayley @ 0.95"], 1, "does not hold"),
        (
            &["copy", "--baseline", "copy/baseline", "--require", "1/opt-cayley > copy/baseline @ 0.9"],
            1,
            "only 3 seeds have the figure in both arms",
        ),
        (
            &["6", "--require", "6/opt-cayley < 1/baseline @ 0.95"],
            1,
            "cannot tell whether 6/opt-cayley < 1/baseline @ 0.95: the data set is mnist",
        ),
        (
            &["2", "--require", "opt-cayley < 1/baseline @ 0.95"],
            2,
            "there is no arm `opt-cayley`; there is 1/opt-cayley, 1/baseline",
        ),
        (&["1"], 2, "`experiments` must have different ids; 1 is repeated"),
        (&["99"], 1, "there is no experiment 99"),
    ] {
        let output = fixture.optlab(args);
        assert_eq!(output.status.code(), Some(status), "{args:?}: {}", err(&output));
        assert!(err(&output).contains(says), "{args:?}: {}", err(&output));
    }
    let by_name = fixture.out(&["copy"]);
    assert!(by_name.contains("7/baseline"), "{by_name}");
}
