//! Lists of jobs by conditions on any field, in the order of any field, and in groups.

use optlab::store::{Column, Condition, Field, Job, JobFilter, JobGroup, JobOrder};
use optlab_domain::{ExperimentId, JobId};
use serde_json::{Value, json};

use crate::fixture::{Fixture, LEASE_MS, crashed, finished, point};
use crate::listing::pages;

/// Settings of an experiment with two arms, each with one seed.
fn arms(rate: Value, more: Value) -> Value {
    let opt = json!({ "kind": "opt", "transform": "cayley", "learning_rate": 0.3 });
    let train = optlab_spec::merge(json!({ "optimizer": { "learning_rate": rate } }), &more);
    json!({
        "arms": [
            { "name": "baseline", "method": { "kind": "baseline" }, "train": train },
            { "name": "64", "method": opt, "train": train },
        ],
    })
}

/// Four experiments of two jobs. The jobs 1 to 3 have succeeded, 4 has crashed once, and the others wait.
async fn fill(fixture: &Fixture) -> Vec<ExperimentId> {
    let mut experiments = Vec::new();
    for (rate, train, more) in [
        (json!(0.05), json!({ "batch_size": 64 }), json!({ "name": "x-DROP", "tags": ["paper", "a.b"] })),
        (json!(0.1), json!({ "evaluate_every": 10, "clip_norm": 1 }), json!({ "name": "second" })),
        (
            json!(0.123_456_789_012_345_67),
            json!({ "data": { "augment": ["flip"] } }),
            json!({ "name": "third", "tags": ["pap"] }),
        ),
        (json!(1e-9), json!({ "optimizer": { "nesterov": true } }), json!({ "name": "fourth" })),
    ] {
        let spec = optlab_spec::merge(arms(rate, train), &more);
        fixture.clock.advance(1000);
        experiments.push(fixture.submit(spec).await);
    }
    for accuracy in [90.0, 97.5, 97.5] {
        let lease = fixture.claim().await.unwrap();
        fixture.start(lease, 0).await;
        let mut last = point(100, accuracy);
        last.series = "test/accuracy".to_owned();
        fixture.store.record(lease, &[last], Some(100), LEASE_MS).await.unwrap();
        fixture.end(lease, finished()).await;
    }
    let lease = fixture.claim().await.unwrap();
    fixture.end(lease, crashed()).await;
    fixture.execute("UPDATE experiments SET archived = 1 WHERE id = 3").await;
    experiments
}

fn filter(condition: &str) -> JobFilter {
    let condition: Condition = condition.parse().unwrap_or_else(|error| panic!("{condition}: {error}"));
    JobFilter { condition, ..JobFilter::default() }
}

/// The ids of all matching jobs, in pages of three.
async fn matching(fixture: &Fixture, filter: &JobFilter) -> Vec<i64> {
    numbers(pages(fixture, filter, JobOrder::default()).await)
}

fn numbers(ids: Vec<JobId>) -> Vec<i64> {
    ids.into_iter().map(i64::from).collect()
}

pub async fn conditions_select_jobs_by_every_operator_and_type(fixture: Fixture) {
    fill(&fixture).await;
    for (condition, expected) in [
        ("", vec![1, 2, 3, 4, 5, 6, 7, 8]),
        // Numbers of settings, by every operator.
        ("train.optimizer.learning_rate = 0.1", vec![3, 4]),
        ("train.optimizer.learning_rate != 0.1", vec![1, 2, 5, 6, 7, 8]),
        ("train.optimizer.learning_rate < 0.05", vec![7, 8]),
        ("train.optimizer.learning_rate <= 5e-2", vec![1, 2, 7, 8]),
        ("train.optimizer.learning_rate > 0.1", vec![5, 6]),
        ("train.optimizer.learning_rate >= 0.1", vec![3, 4, 5, 6]),
        ("train.optimizer.learning_rate = 0.12345678901234567", vec![5, 6]),
        ("batch_size = 64", vec![1, 2]),
        // Without rotations, the optimizer's rate trains the layers of the method.
        ("method.learning_rate = 0.1", vec![3]),
        ("method.learning_rate = 0.3", vec![2, 4, 6, 8]),
        ("method.learning_rate = null", vec![]),
        // Words, flags, lists and absent values of settings.
        ("method.kind = opt", vec![2, 4, 6, 8]),
        ("method.kind != opt", vec![1, 3, 5, 7]),
        ("method.kind ~ PT", vec![2, 4, 6, 8]),
        ("method.kind > c", vec![2, 4, 6, 8]),
        ("method.transform = cayley and train.clip_norm >= 1", vec![4]),
        ("method.transform = null", vec![1, 3, 5, 7]),
        ("method.transform != null", vec![2, 4, 6, 8]),
        ("method.transform != lowdin", vec![2, 4, 6, 8]),
        ("train.clip_norm = null", vec![1, 2, 5, 6, 7, 8]),
        ("train.clip_norm < 5", vec![3, 4]),
        ("train.optimizer.nesterov = true", vec![7, 8]),
        ("train.optimizer.nesterov != true", vec![1, 2, 3, 4, 5, 6]),
        ("train.data.augment = [\"flip\"]", vec![5, 6]),
        ("train.data.augment ~ flip", vec![5, 6]),
        ("train.model.hidden != []", vec![1, 2, 3, 4, 5, 6, 7, 8]),
        // A setting that holds a word or a number.
        ("train.evaluate_every = epoch", vec![1, 2, 5, 6, 7, 8]),
        ("train.evaluate_every < 11", vec![3, 4]),
        ("train.evaluate_every != 10", vec![1, 2, 5, 6, 7, 8]),
        // Columns: numbers, words, texts, times, figures.
        ("id > 6", vec![7, 8]),
        ("experiment_id = 2", vec![3, 4]),
        ("experiment = second", vec![3, 4]),
        ("experiment ~ DROP", vec![1, 2]),
        ("arm = 64 and seed = 0", vec![2, 4, 6, 8]),
        ("arm < a", vec![2, 4, 6, 8]),
        ("method ~ cayley", vec![2, 4, 6, 8]),
        ("state = succeeded", vec![1, 2, 3]),
        ("state != succeeded and attempt > 0", vec![4]),
        ("progress = 1", vec![1, 2, 3]),
        ("steps > 100", vec![]),
        ("test_error < 5", vec![2, 3]),
        ("test_error != 10", vec![2, 3]),
        ("test_error = null", vec![4, 5, 6, 7, 8]),
        ("test_accuracy >= 97.5", vec![2, 3]),
        ("seconds = 2.5 and peak_memory_bytes = 4096", vec![1, 2, 3]),
        ("parameters_trained = 10", vec![1, 2, 3]),
        ("created_at < 1970-01-01T00:16:43Z", vec![1, 2, 3, 4]),
        ("ended_at != null", vec![1, 2, 3]),
        ("error ~ nothing", vec![]),
        ("device = cpu", vec![1, 2, 3, 4]),
        // Tags and archives belong to the experiment.
        ("tags = paper", vec![1, 2]),
        ("tags = pap", vec![5, 6]),
        ("tags ~ AP", vec![1, 2, 5, 6]),
        ("tags != paper", vec![3, 4, 5, 6, 7, 8]),
        ("tags = null", vec![3, 4, 7, 8]),
        ("tags != null and archived = false", vec![1, 2]),
    ] {
        assert_eq!(matching(&fixture, &filter(condition)).await, expected, "{condition}");
    }
    let archived = JobFilter { archived: Some(true), ..JobFilter::default() };
    assert_eq!(matching(&fixture, &archived).await, [5, 6]);
    let all = JobFilter { arm: Some("64".to_owned()), archived: Some(false), ..filter("state = queued") };
    assert_eq!(matching(&fixture, &all).await, [4, 8]);
}

pub async fn hostile_values_are_only_compared(fixture: Fixture) {
    fill(&fixture).await;
    for value in [
        "'; DROP TABLE jobs; --",
        "\\\" OR 1 = 1 --",
        "%",
        "_",
        "$1",
        "?1",
        "a\\\",\\\"b",
        "\u{202e}\u{1f600}",
        "') OR ('1' = '1",
        "[\\\"paper\\\",\\\"a.b\\\"]",
    ] {
        for condition in [
            format!("arm = \"{value}\""),
            format!("tags = \"{value}\""),
            format!("tags ~ \"{value}\""),
            format!("experiment ~ \"{value}\""),
            format!("train.data.name = \"{value}\""),
            format!("train.data.augment ~ \"{value}\""),
            format!("error > \"{value}\""),
        ] {
            assert_eq!(matching(&fixture, &filter(&condition)).await, [0; 0], "{condition}");
        }
    }
    assert_eq!(matching(&fixture, &filter("")).await.len(), 8);
}

/// A place in an order: numbers, then texts, then nothing.
fn rank(value: &Value, descending: bool) -> (u8, f64, Vec<u8>) {
    let sign = if descending { -1.0 } else { 1.0 };
    match value {
        Value::Number(number) => (0, sign * number.as_f64().unwrap(), Vec::new()),
        // Bytes that are subtracted from 255 are in the opposite order; the last one ends the text.
        Value::String(text) if descending => (1, 0.0, text.bytes().map(|b| 255 - b).chain([255]).collect()),
        Value::String(text) => (1, 0.0, text.bytes().collect()),
        _ => (2, 0.0, Vec::new()),
    }
}

pub async fn lists_are_ordered_by_any_field_across_pages(fixture: Fixture) {
    fill(&fixture).await;
    let ids: Vec<JobId> = (1..=8).map(JobId::from).collect();
    for name in [
        "train.optimizer.learning_rate",
        "train.evaluate_every",
        "train.clip_norm",
        "method.transform",
        "method",
        "experiment",
        "test_error",
        "seconds",
        "experiment_id",
    ] {
        let by = Field::parse(name).unwrap();
        let values = fixture.store.job_values(&ids, &[by]).await.unwrap();
        for descending in [false, true] {
            let mut expected = ids.clone();
            expected.sort_by(|a, b| {
                let rank = |id: &JobId| (rank(&values[id][name], descending), *id);
                rank(a).partial_cmp(&rank(b)).unwrap()
            });
            let order = JobOrder { by, descending };
            assert_eq!(pages(&fixture, &JobFilter::default(), order).await, expected, "{order:?}");
            let some: Vec<JobId> = expected.into_iter().filter(|id| i64::from(*id) > 2).collect();
            assert_eq!(pages(&fixture, &filter("id > 2"), order).await, some, "{order:?}");
        }
    }
}

pub async fn values_are_those_of_the_spec_and_the_columns(fixture: Fixture) {
    fill(&fixture).await;
    let ids: Vec<JobId> = [1, 4, 99].map(JobId::from).to_vec();
    let names = [
        "train.batch_size",
        "train.clip_norm",
        "train.data.augment",
        "tags",
        "archived",
        "attempt",
        "device",
        "test_error",
        "ended_at",
        "created_at",
    ];
    let fields: Vec<Field> = names.iter().map(|name| Field::parse(name).unwrap()).collect();
    let values = fixture.store.job_values(&ids, &fields).await.unwrap();
    assert_eq!(values.len(), 2, "there is no job 99");
    assert_eq!(
        Value::Object(values[&ids[0]].clone()),
        json!({
            "train.batch_size": 64, "train.clip_norm": null, "train.data.augment": [], "tags": ["paper", "a.b"],
            "archived": false, "attempt": 1, "device": "cpu", "test_error": 10.0,
            "ended_at": "1970-01-01T00:16:44.000Z", "created_at": "1970-01-01T00:16:41.000Z",
        })
    );
    assert_eq!(values[&ids[1]]["train.clip_norm"], json!(1.0));
    assert_eq!(values[&ids[1]]["ended_at"], Value::Null);
    // Every column has a value, and each is comparable.
    let all: Vec<Field> = Field::all().collect();
    let values = fixture.store.job_values(&ids[..1], &all).await.unwrap();
    assert_eq!(values[&ids[0]]["method.kind"], "baseline");
    assert_eq!(values[&ids[0]]["method.learning_rate"], values[&ids[0]]["train.optimizer.learning_rate"]);
    for (name, value) in &values[&ids[0]] {
        let absent = [
            "requested",
            "trial",
            "error",
            "validation_error",
            "validation_accuracy",
            "best_validation_accuracy",
            "energy",
        ];
        assert_eq!(
            value.is_null(),
            name.contains('.') && value.is_null() || absent.contains(&name.as_str()),
            "{name}"
        );
        if !value.is_null() {
            let present = filter(&format!("{name} != null and id = 1"));
            assert_eq!(matching(&fixture, &present).await, [1], "{name}");
        }
    }
}

async fn groups(fixture: &Fixture, filter: &JobFilter, by: &str, figure: Column) -> Vec<JobGroup> {
    let fields: Vec<Field> = by.split(',').map(|name| Field::parse(name).unwrap()).collect();
    fixture.store.job_groups(filter, (fields[0], fields.get(1).copied()), figure).await.unwrap()
}

fn group(values: Value, counts: (i64, i64, i64), mean: Option<f64>, best: Option<(f64, i64)>) -> JobGroup {
    let (jobs, succeeded, measured) = counts;
    JobGroup {
        values: values.as_array().unwrap().clone(),
        jobs,
        succeeded,
        measured,
        mean,
        best: best.map(|(value, _)| value),
        best_job: best.map(|(_, job)| JobId::from(job)),
    }
}

pub async fn groups_have_their_best_job(fixture: Fixture) {
    fill(&fixture).await;
    let all = JobFilter::default();
    assert_eq!(
        groups(&fixture, &all, "train.batch_size", Column::TestError).await,
        [
            group(json!([32]), (6, 1, 1), Some(2.5), Some((2.5, 3))),
            group(json!([64]), (2, 2, 2), Some(6.25), Some((2.5, 2))),
        ]
    );
    assert_eq!(
        groups(&fixture, &filter("id < 7"), "arm,train.optimizer.learning_rate", Column::TestError).await,
        [
            group(json!(["64", 0.05]), (1, 1, 1), Some(2.5), Some((2.5, 2))),
            group(json!(["64", 0.1]), (1, 0, 0), None, None),
            group(json!(["64", 0.123_456_789_012_345_67]), (1, 0, 0), None, None),
            group(json!(["baseline", 0.1]), (1, 1, 1), Some(2.5), Some((2.5, 3))),
            group(json!(["baseline", 0.05]), (1, 1, 1), Some(10.0), Some((10.0, 1))),
            group(json!(["baseline", 0.123_456_789_012_345_67]), (1, 0, 0), None, None),
        ]
    );
    // The highest accuracy is the best, and the oldest of equal jobs.
    assert_eq!(
        groups(&fixture, &all, "train.evaluate_every", Column::TestAccuracy).await,
        [
            group(json!([10]), (2, 1, 1), Some(97.5), Some((97.5, 3))),
            group(json!(["epoch"]), (6, 2, 2), Some(93.75), Some((97.5, 2))),
        ]
    );
    let absent = groups(&fixture, &filter("id = 8"), "train.clip_norm", Column::Energy).await;
    assert_eq!(absent, [group(json!([null]), (1, 0, 0), None, None)]);
    // A job is in the group of each of its tags.
    assert_eq!(
        groups(&fixture, &all, "tags", Column::TestError).await,
        [
            group(json!([null]), (4, 1, 1), Some(2.5), Some((2.5, 3))),
            group(json!(["a.b"]), (2, 2, 2), Some(6.25), Some((2.5, 2))),
            group(json!(["paper"]), (2, 2, 2), Some(6.25), Some((2.5, 2))),
            group(json!(["pap"]), (2, 0, 0), None, None),
        ]
    );
    assert_eq!(
        groups(&fixture, &filter("tags = paper"), "arm,tags", Column::TestError).await,
        [
            group(json!(["64", "a.b"]), (1, 1, 1), Some(2.5), Some((2.5, 2))),
            group(json!(["64", "paper"]), (1, 1, 1), Some(2.5), Some((2.5, 2))),
            group(json!(["baseline", "a.b"]), (1, 1, 1), Some(10.0), Some((10.0, 1))),
            group(json!(["baseline", "paper"]), (1, 1, 1), Some(10.0), Some((10.0, 1))),
        ]
    );
    let dates = groups(&fixture, &filter("id < 3"), "created_at", Column::Seconds).await;
    assert_eq!(dates, [group(json!(["1970-01-01T00:16:41.000Z"]), (2, 2, 2), Some(2.5), Some((2.5, 1)))]);
}

pub async fn a_list_with_a_condition_has_whole_jobs(fixture: Fixture) {
    fill(&fixture).await;
    let jobs = |filter: JobFilter| {
        let store = fixture.store.clone();
        async move { store.jobs(filter, JobOrder::default(), None, 100).await.unwrap().items }
    };
    let of = |jobs: Vec<Job>| jobs.iter().map(|job| format!("{job:?}")).collect::<Vec<_>>();
    let plain = of(jobs(JobFilter::default()).await);
    assert_eq!(of(jobs(filter("id > 0")).await), plain);
}
