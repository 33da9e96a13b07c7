use serde_json::{Value, json};

use super::*;
use crate::{ExperimentSpec, JobSpec, MethodSpec, merge};

fn base() -> Value {
    json!({
        "name": "x", "seeds": [0, 1],
        "train": {
            "steps": 10, "data": { "name": "digits", "validation": 0.2 },
            "model": { "kind": "mlp", "hidden": [8] }, "optimizer": { "weight_decay": 0.001 },
        },
        "tune": {
            "trials": 8,
            "space": { "optimizer.learning_rate": { "from": 0.003, "to": 1.0, "scale": "log" } },
        },
        "arms": [
            { "name": "baseline", "method": { "kind": "baseline" } },
            { "name": "opt", "method": { "kind": "opt", "transform": "cayley" } },
        ],
    })
}

fn read(changes: Value) -> Result<ExperimentSpec, String> {
    ExperimentSpec::from_value(&merge(base(), &changes)).map_err(|problems| problems.to_string())
}

fn spec(changes: Value) -> ExperimentSpec {
    read(changes).unwrap_or_else(|problems| panic!("{problems}"))
}

fn arms(arms: Value) -> Value {
    json!({ "arms": arms })
}

/// The values of a field in the trials of an arm.
fn values(spec: &ExperimentSpec, arm: &str, path: &str) -> Vec<Value> {
    let arm = spec.arms.iter().find(|candidate| candidate.name == arm).unwrap();
    let trials = 0..spec.tune.as_ref().unwrap().trials;
    trials.map(|trial| spec.trial(arm, trial).unwrap().point[path].clone()).collect()
}

fn numbers(spec: &ExperimentSpec, arm: &str, path: &str) -> Vec<f64> {
    values(spec, arm, path).iter().map(|value| value.as_f64().unwrap()).collect()
}

const RATE: &str = "optimizer.learning_rate";

#[test]
fn trials_come_first_and_run_at_their_points() {
    let spec = spec(json!({}));
    let tune = spec.tune.clone().unwrap();
    assert_eq!((&tune.seeds, tune.seed, tune.sampler), (&SEEDS.to_vec(), 0, Sampler::Sobol));
    let jobs = spec.jobs();
    assert_eq!((jobs.len(), spec.confirmed().len(), spec.most_jobs()), (8 * 2 * 2, 4, 36));
    for job in &jobs {
        assert!(job.trial.is_some() && tune.seeds.contains(&job.seed));
        assert_eq!(job.train.optimizer.learning_rate(), job.point[RATE].as_f64().unwrap());
        assert_eq!(job.train.optimizer.weight_decay(), 0.001);
        let stored = serde_json::to_value(job).unwrap();
        assert_eq!(JobSpec::from_stored(&stored).unwrap(), *job);
        let confirm = job.confirm(7);
        assert_eq!((confirm.trial, confirm.seed, &confirm.train), (None, 7, &job.train));
    }
}

#[test]
fn an_inherited_rate_follows_the_tuned_one_at_each_point() {
    let spec = spec(arms(json!([
        { "name": "inherits", "method": { "kind": "opt", "transform": "cayley" } },
        { "name": "own", "method": { "kind": "opt", "transform": "cayley", "learning_rate": 0.7 } },
        { "name": "tunes", "method": { "kind": "opt", "transform": "cayley" },
          "tune": { "method.learning_rate": { "from": 0.01, "to": 10, "scale": "log" } } },
    ])));
    for job in spec.jobs() {
        let MethodSpec::Opt(opt) = &job.method else { panic!("{job:?}") };
        let of_optimizer = job.train.optimizer.learning_rate();
        let expected = match job.arm.as_str() {
            "inherits" => of_optimizer,
            "own" => 0.7,
            _ => job.point["method.learning_rate"].as_f64().unwrap(),
        };
        assert_eq!(opt.learning_rate, expected, "{job:?}");
    }
}

#[test]
fn arms_that_share_a_range_try_the_same_points() {
    let own = json!({ "method.weight_decay": { "from": 0, "to": 1 }, "batch_size": { "values": [8, 16] } });
    let opt = json!({ "kind": "opt", "transform": "cayley" });
    let some = arms(json!([
        { "name": "baseline", "method": { "kind": "baseline" } },
        { "name": "a", "method": opt, "tune": own },
        { "name": "b", "method": opt, "tune": { "method.weight_decay": { "from": 0, "to": 1 } } },
    ]));
    let spec = spec(some.clone());
    assert_eq!(values(&spec, "baseline", RATE), values(&spec, "a", RATE));
    assert_eq!(values(&spec, "a", "method.weight_decay"), values(&spec, "b", "method.weight_decay"));
    // A later arm does not change the points of the others.
    let mut more = merge(base(), &some);
    let late =
        json!({ "name": "late", "method": opt, "tune": { "average_decay": { "from": 0.5, "to": 0.99 } } });
    more["arms"].as_array_mut().unwrap().push(late);
    let more = ExperimentSpec::from_value(&more).unwrap();
    assert_eq!(spec.jobs(), more.jobs().into_iter().filter(|job| job.arm != "late").collect::<Vec<_>>());
    assert_eq!(
        spec.jobs(),
        ExperimentSpec::from_value(&merge(base(), &some)).unwrap().jobs(),
        "a pure function"
    );
    let scrambled = read(merge(some, &json!({ "tune": { "seed": 1 } }))).unwrap();
    assert_ne!(values(&spec, "a", RATE), values(&scrambled, "a", RATE));
}

#[test]
fn points_are_spread_evenly_in_each_dimension_and_in_pairs() {
    let range = json!({ "from": 0, "to": 1, "scale": "linear" });
    let space = json!({ "label_smoothing": { "from": 0, "to": 0.99 }, "average_decay": { "from": 0, "to": 0.99 },
                        "optimizer.momentum": { "from": 0, "to": 0.99 }, "optimizer.learning_rate": range });
    for (trials, seed) in [(8, 0), (16, 0), (16, 99), (64, 5)] {
        let tune = json!({ "trials": trials, "seed": seed, "space": space });
        let spec = spec(json!({ "tune": tune, "seeds": [0] }));
        for (path, width) in [("label_smoothing", 0.99), ("average_decay", 0.99), (RATE, 1.0)] {
            let mut cells: Vec<u64> = numbers(&spec, "opt", path)
                .iter()
                .map(|value| (value / width * trials as f64) as u64)
                .collect();
            cells.sort_unstable();
            // Rounding to six digits moves no point over an edge here.
            assert_eq!(cells, (0..trials).collect::<Vec<_>>(), "{path} of {trials} trials, seed {seed}");
        }
    }
    // The first two dimensions are a (0, m, 2)-net: every elementary rectangle has one of 16 points.
    let spec = spec(json!({ "tune": { "trials": 16, "space": space } }));
    let pairs: Vec<(f64, f64)> = numbers(&spec, "opt", "average_decay")
        .into_iter()
        .zip(numbers(&spec, "opt", "label_smoothing"))
        .collect();
    for columns in [1, 2, 4, 8, 16] {
        let rows = 16 / columns;
        let cell = |(x, y): &(f64, f64)| {
            ((x / 0.99 * f64::from(columns)) as i32, (y / 0.99 * f64::from(rows)) as i32)
        };
        assert_eq!(pairs.iter().map(cell).collect::<BTreeSet<_>>().len(), 16, "{columns} columns");
    }
}

#[test]
fn values_follow_the_scale_or_the_list_and_integers_are_rounded() {
    let spec = spec(json!({ "tune": { "trials": 64, "space": {
        "optimizer.learning_rate": { "from": 0.001, "to": 1, "scale": "log" },
        "batch_size": { "from": 4, "to": 300, "scale": "log" },
        "optimizer.nesterov": { "values": [true, false] },
    } } }));
    let rates = numbers(&spec, "baseline", RATE);
    let low = rates.iter().filter(|rate| **rate < 0.01).count();
    assert!((21..=22).contains(&low), "a third of 64 points in one of three decades: {low}");
    assert!(
        rates.iter().all(|rate| (0.001..=1.0).contains(rate) && format!("{rate}").len() <= 10),
        "{rates:?}"
    );
    assert!(values(&spec, "baseline", "batch_size").iter().all(Value::is_u64));
    let flags = values(&spec, "baseline", "optimizer.nesterov");
    assert_eq!(flags.iter().filter(|flag| **flag == true).count(), 32);
}

#[test]
fn a_grid_has_every_combination_once() {
    let space = json!({
        "optimizer.learning_rate": { "from": 0.01, "to": 1, "scale": "log" },
        "batch_size": { "values": [8, 16] },
    });
    let tune = |trials: u64| json!({ "tune": { "trials": trials, "sampler": "grid", "space": space } });
    let spec = spec(tune(6));
    assert_eq!(
        values(&spec, "opt", RATE),
        [0.01, 0.1, 1.0, 0.01, 0.1, 1.0].map(|rate| if rate == 1.0 { json!(1) } else { json!(rate) })
    );
    assert_eq!(numbers(&spec, "opt", "batch_size"), [8.0, 8.0, 8.0, 16.0, 16.0, 16.0]);
    let wrong = read(tune(7)).unwrap_err();
    assert!(
        wrong.starts_with("/tune/trials: must be the number of points of a grid, such as 6 or 8"),
        "{wrong}"
    );
}

#[test]
fn a_stored_spec_makes_the_same_jobs_and_a_copy_inherits_the_same() {
    let own = json!({ "optimizer.learning_rate": { "from": 0.1, "to": 0.2 } });
    let spec = spec(arms(json!([
        { "name": "baseline", "method": { "kind": "baseline" }, "train": { "batch_size": 16 } },
        { "name": "opt", "method": { "kind": "opt", "transform": "cayley" }, "tune": own },
    ])));
    assert!(numbers(&spec, "opt", RATE).iter().all(|rate| (0.1..=0.2).contains(rate)), "its own range");
    let stored = serde_json::to_value(&spec).unwrap();
    for again in [ExperimentSpec::from_stored(&stored).unwrap(), ExperimentSpec::from_value(&stored).unwrap()]
    {
        assert_eq!((&again, again.jobs()), (&spec, spec.jobs()));
    }
    let draft = spec.draft(None);
    assert_eq!(draft["arms"][1]["method"], json!({ "kind": "opt", "transform": "cayley" }));
    assert_eq!(ExperimentSpec::from_value(&draft).unwrap(), spec);
    let more =
        json!({ "arms": [{ "name": "late", "method": { "kind": "opt", "transform": "gram_schmidt" } }] });
    let (extended, _) = spec.with_more_arms(None, &more.to_string(), &more).unwrap();
    assert_eq!(extended.jobs().len(), 8 * 2 * 3);
}

#[test]
fn mistakes_in_ranges_are_rejected_with_their_path() {
    let space = |space: Value| json!({ "tune": { "space": space } });
    let rate = |range: Value| json!({ "tune": { "space": { "optimizer.learning_rate": range } } });
    for (changes, says) in [
        (json!({ "tune": { "trials": 0 } }), "/tune/trials: must be a whole number from 1 to 1000, is 0"),
        (
            json!({ "tune": { "trials": 1001 } }),
            "/tune/trials: must be a whole number from 1 to 1000, is 1001",
        ),
        (json!({ "tune": { "trials": null } }), "/tune/trials: is missing"),
        (
            json!({ "tune": { "seeds": [1, 7] } }),
            "/seeds: must differ from `tune.seeds`, because fresh seeds confirm; 1 is in both",
        ),
        (
            json!({ "tune": { "sampler": "random" } }),
            "/tune/sampler: must be `sobol` or `grid`, is \"random\"",
        ),
        (json!({ "train": { "data": { "validation": 0 } } }), "/train/data/validation: must be above 0"),
        (
            space(json!({ "optimizer.learnign_rate": { "from": 1, "to": 2 } })),
            "/tune/space/optimizer.learnign_rate: unknown field; did you mean `learning_rate`?",
        ),
        (
            space(json!({ "optimzer.learning_rate": { "from": 1, "to": 2 } })),
            "/tune/space/optimzer.learning_rate: unknown field",
        ),
        (
            space(json!({ "precision": { "from": 1, "to": 2 } })),
            "/tune/space/precision/from: must be `float32`",
        ),
        (
            space(json!({ "optimizer.nesterov": { "from": 1, "to": 2 } })),
            "/tune/space/optimizer.nesterov/from: must be true or false",
        ),
        (
            space(json!({ "train.batch_size": { "values": [8] } })),
            "/tune/space/train.batch_size: must be written without `train`: `batch_size`",
        ),
        (
            space(json!({ "data.validation": { "values": [0.1] } })),
            "/tune/space/data.validation: cannot be tuned",
        ),
        (
            space(json!({ "batch_size": { "values": [8, 0] } })),
            "/tune/space/batch_size/values/1: must be a whole number from 1",
        ),
        (
            space(json!({ "batch_size": { "values": [8, 8] } })),
            "/tune/space/batch_size/values: must be unique; 8 is repeated",
        ),
        (
            space(json!({ "batch_size": { "values": [] } })),
            "/tune/space/batch_size/values: must be a list of 1 to 1000 entries",
        ),
        (
            space(json!({ "model": { "values": [[8]] } })),
            "/tune/space/model/values/0: must be a number, a word or a flag",
        ),
        (
            rate(json!({ "from": 0.1, "to": 2000 })),
            "/tune/space/optimizer.learning_rate/to: must be a number from 0 to 1000, is 2000",
        ),
        (
            rate(json!({ "from": -1, "to": 1, "scale": "linear" })),
            "/tune/space/optimizer.learning_rate/from: must be a number from 0 to 1000, is -1",
        ),
        (
            rate(json!({ "from": 1, "to": 1 })),
            "/tune/space/optimizer.learning_rate/from: must be below `to`, 1, is 1",
        ),
        (
            rate(json!({ "from": 0, "to": 1 })),
            "/tune/space/optimizer.learning_rate/from: must be above 0 on a logarithmic scale",
        ),
        (
            rate(json!({ "values": [0.1] })),
            "/tune/space/optimizer.learning_rate/from: cannot be given beside `values`",
        ),
        (rate(json!(0.1)), "/tune/space/optimizer.learning_rate: must be a table, is 0.1"),
        (
            json!({ "tune": null, "arms": [{ "name": "a", "method": { "kind": "baseline" }, "tune": {} }] }),
            "/arms/0/tune: needs the table `tune` of the experiment",
        ),
        (
            arms(
                json!([{ "name": "a", "method": { "kind": "baseline" }, "train": { "optimizer": { "learning_rate": 0.1 } } }]),
            ),
            "/arms/0/train/optimizer/learning_rate: is tuned, so the arm cannot set it",
        ),
        (
            arms(
                json!([{ "name": "a", "method": { "kind": "baseline" }, "tune": { "method.learning_rate": { "from": 1, "to": 2 } } }]),
            ),
            "/arms/0/tune/method.learning_rate: unknown field",
        ),
        (
            json!({ "train": { "optimizer": { "nesterov": true } }, "tune": { "space": { "optimizer.momentum": { "values": [0.9, 0] } } } }),
            "/tune/space/optimizer.momentum/values/1: does not fit: /train/optimizer/nesterov must be false without momentum",
        ),
        (
            json!({ "tune": { "trials": 1000, "seeds": [5, 6, 7, 8, 9] } }),
            "/tune: would make 10004 jobs of all arms; at most 10000 are allowed",
        ),
    ] {
        let problems = read(changes.clone()).expect_err(&changes.to_string());
        assert!(problems.lines().any(|line| line.starts_with(says)), "{says}\n{problems}");
    }
    let none = read(json!({ "tune": null })).map(|spec| spec.tune);
    assert_eq!(none, Ok(None));
    let empty =
        json!({ "name": "x", "train": base()["train"], "arms": base()["arms"], "tune": { "trials": 3 } });
    let problems = ExperimentSpec::from_value(&empty).unwrap_err().to_string();
    assert!(problems.starts_with("/arms/0/tune: needs a range"), "{problems}");
}

#[test]
fn a_resolved_arm_is_read_whole() {
    let resolved = serde_json::to_value(spec(json!({}))).unwrap();
    assert!(ExperimentSpec::from_value(&resolved).is_ok());
    for (place, pointer) in [
        ("/arms/0/method", "/arms/0/method/surprise"),
        ("/arms/0/train/optimizer", "/arms/0/train/optimizer/surprise"),
        ("/arms/1/source", "/arms/1/source/surprise"),
        ("/arms/1/source/method", "/arms/1/method/surprise"),
    ] {
        let mut changed = resolved.clone();
        changed.pointer_mut(place).unwrap()["surprise"] = json!(1);
        let problems = ExperimentSpec::from_value(&changed).unwrap_err();
        assert_eq!(problems.list[0].pointer, pointer, "{problems}");
    }
}
