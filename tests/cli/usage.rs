//! Mistakes on the command line and in the files that it names.

use std::fs;
use std::process::Command;

use tempfile::TempDir;

use super::support::{OPTLAB, runner};
use super::{err, optlab, out};

#[test]
fn usage_errors_exit_with_status_2_and_suggest_a_correction() {
    let folder = TempDir::new().unwrap();
    for (args, says) in [
        (&["train", "digits-mpl"][..], "did you mean `digits-mlp`?"),
        (&["train", "digits-mlp"], "choose an arm with --arm: baseline, opt-cayley, opt-gram-schmidt"),
        (&["train", "digits-mlp", "--arm", "opt"], "there is no arm `opt`"),
        (&["train", "digits-mlp", "--arm", "baseline", "--set", "train.epoch=3"], "did you mean `epochs`?"),
        (&["train", "digits-mlp", "--arm", "baseline", "--set", "epochs"], "must look like train.epochs=3"),
        (&["train", "digits-mlp", "--set", "arms.basline.train.epochs=1"], "did you mean `baseline`?"),
        (
            &[
                "train",
                "digits-mlp",
                "--arm",
                "baseline",
                "--set",
                "train.steps=3",
                "--set",
                "train.epochs=3",
            ],
            "optlab: train.epochs: `epochs` and `steps` are both set; keep one",
        ),
        (
            &["train", "sopt-fractions", "--arm", "quarter", "--set", "train.steps=50"],
            "optlab: /arms/0/method/stochastic/inner_steps: must be at most 50, train.steps, is 100 (arm `quarter`)\n",
        ),
        (&["train", "mine.toml"], "there is no file mine.toml"),
        (&["train", "mine"], "no such file, and unknown recipe \"mine\""),
        (&["train", "digits-mlp", "--set", "seeds=[0, 1"], "not closed"),
        (&["compare", "1", "--last", "3"], "such as --metric last_test_error"),
        (&["token", "create", ""], "NAME"),
        (&["serve", "--listen", "nowhere"], "must be like 127.0.0.1:8080, localhost:8080 or 8080"),
        (&["cancel"], "--job"),
        (&["recipes", "show", "nothing"], "there is `digits-few`"),
        (&["data", "fetch", "cifar"], "there is no data set `cifar`"),
        (&["serve", "--lease-seconds", "0"], "--lease-seconds"),
    ] {
        let output = optlab(&folder, args);
        assert_eq!(output.status.code(), Some(2), "{args:?}: {}", err(&output));
        assert!(err(&output).contains(says), "{args:?}: {}", err(&output));
    }
    let output = optlab(&folder, &["compare", "1", "--server", "http://127.0.0.1:9"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(err(&output).contains("Is `optlab serve` running there?"), "{}", err(&output));
}

#[test]
fn a_file_that_cannot_be_parsed_is_named_with_its_likely_format() {
    let folder = TempDir::new().unwrap();
    for (name, text, says) in [
        ("bad.toml", "name = \"x\"\nseeds =\n", "bad.toml: not TOML, at line 2, column 8"),
        ("json.toml", "{\"name\": \"x\"}", "It is JSON: rename the file, so that it ends in .json"),
        ("toml.json", "name = \"x\"", "It is TOML: rename the file, so that it does not end in .json"),
        ("bad.json", "{", "bad.json: not JSON: EOF"),
        ("typo.toml", "recipe = \"digits-mlp\"\n[overides]\n", "typo.toml:2:2: /overides: "),
    ] {
        fs::write(folder.path().join(name), text).unwrap();
        let output = optlab(&folder, &["submit", name]);
        assert_eq!(output.status.code(), Some(2), "{name}: {}", err(&output));
        assert!(err(&output).contains(says), "{name}: {}", err(&output));
    }
}

#[test]
fn an_empty_variable_counts_as_unset() {
    let path = runner();
    let doctor = Command::new(OPTLAB).arg("doctor").env("OPTLAB_RUNNER", "").output().unwrap();
    assert!(out(&doctor).contains(path.to_str().unwrap()), "{}", out(&doctor));
}
