//! Submissions and their repetition.

use optlab::store::{Edit, Import, StoreError, Submission};
use optlab_domain::{ExperimentId, JobState, Provenance};
use serde_json::json;
use tokio::sync::mpsc;

use crate::fixture::{Fixture, is_not_found, spec};

pub async fn an_idempotency_key_makes_one_experiment(fixture: Fixture) {
    let clients = (0..8).map(|_| {
        let store = fixture.store.clone();
        tokio::spawn(async move {
            let spec = spec(json!({}));
            store
                .submit(Submission { idempotency: Some(("key", "body")), ..Submission::of(&spec) })
                .await
                .unwrap()
        })
    });
    let mut ids = Vec::new();
    for client in clients.collect::<Vec<_>>() {
        ids.push(client.await.unwrap());
    }
    ids.dedup();
    assert_eq!(ids.len(), 1, "{ids:?}");
    let page = fixture.store.experiments(None, 100).await.unwrap();
    assert_eq!((page.items.len(), page.items[0].id), (1, ids[0]));
    assert_eq!(fixture.jobs(ids[0]).await.len(), 3);
    let spec = spec(json!({}));
    let other = Submission { idempotency: Some(("key", "other body")), ..Submission::of(&spec) };
    assert!(matches!(fixture.store.submit(other).await, Err(StoreError::KeyReused)));
}

pub async fn the_provenance_is_stored_and_exported_and_does_not_distinguish_submissions(fixture: Fixture) {
    let spec = spec(json!({}));
    let from = |hash: char, command: &str| Provenance {
        commit_hash: Some(hash.to_string().repeat(40)),
        commit_dirty: Some(hash == 'a'),
        command_line: Some(command.to_owned()),
    };
    let submission =
        |provenance| Submission { idempotency: Some(("key", "body")), provenance, ..Submission::of(&spec) };
    let first = from('a', "optlab submit ü.toml");
    let id = fixture.store.submit(submission(first.clone())).await.unwrap();
    let again = fixture.store.submit(submission(from('b', "optlab submit other.toml"))).await;
    assert_eq!(again.unwrap(), id, "the same submission from another commit");
    assert_eq!(fixture.store.experiment(id).await.unwrap().provenance, first);
    let unknown = fixture.store.submit(Submission::of(&spec)).await.unwrap();
    assert!(fixture.store.experiment(unknown).await.unwrap().provenance.is_empty());

    for (id, provenance) in [(id, first), (unknown, Provenance::default())] {
        let (experiment, jobs) = fixture.store.records(id).await.unwrap();
        let import = Import { experiment, jobs, series: Vec::new(), points: 0 };
        let (_, points) = mpsc::channel(1);
        let copy = fixture.store.import(&import, points).await.unwrap();
        assert_eq!(fixture.store.experiment(copy).await.unwrap().provenance, provenance);
    }
}

pub async fn the_submitted_text_is_stored_and_exported(fixture: Fixture) {
    let text = "# Why.\nname = \"x\"\n";
    let spec = spec(json!({}));
    let submission = |text| Submission { text, ..Submission::of(&spec) };
    let id = fixture.store.submit(submission(Some(text))).await.unwrap();
    fixture.store.add_seeds(id, &[5]).await.unwrap();
    assert_eq!(fixture.store.submitted_text(id).await.unwrap().as_deref(), Some(text));
    let unknown = fixture.store.submit(submission(None)).await.unwrap();
    assert_eq!(fixture.store.submitted_text(unknown).await.unwrap(), None);
    is_not_found(fixture.store.submitted_text(ExperimentId::from(99)).await);

    // An export contains it.
    let (experiment, jobs) = fixture.store.records(id).await.unwrap();
    let import = Import { experiment, jobs, series: Vec::new(), points: 0 };
    let (_, points) = mpsc::channel(1);
    let copy = fixture.store.import(&import, points).await.unwrap();
    assert_eq!(fixture.store.submitted_text(copy).await.unwrap().as_deref(), Some(text));
}

/// Its arms have only their own fields of `train`, as an older version stored them.
pub async fn arms_of_older_experiments_are_completed(fixture: Fixture) {
    let id = fixture.submit(json!({ "seeds": [0] })).await;
    let older = fixture.execute(
        r#"UPDATE experiments SET submitted_text = NULL, spec = '{
            "version": 1, "name": "old", "notes": "", "tags": [], "seeds": [0], "priority": 0, "max_attempts": 5,
            "time_limit_seconds": 9, "resources": { "device": "any", "threads": 1 },
            "train": {
                "epochs": 2, "steps": null, "batch_size": 32, "data": { "name": "digits" },
                "model": { "kind": "mlp", "hidden": [8] }, "optimizer": { "kind": "sgd", "learning_rate": 0.1 }
            },
            "arms": [
                { "name": "baseline", "method": { "kind": "baseline" } },
                {
                    "name": "opt", "method": { "kind": "opt", "transform": "cayley", "learning_rate": 0.1 },
                    "train": { "batch_size": 16 }
                }
            ]
        }'"#,
    );
    assert_eq!(older.await, 1);
    for seeds in [1, 2] {
        let spec = fixture.store.experiment(id).await.unwrap().spec;
        let trains: Vec<_> = spec.arms.iter().map(|arm| (arm.train.epochs, arm.train.batch_size)).collect();
        assert_eq!((trains, spec.seeds.len()), (vec![(Some(2), 32), (Some(2), 16)], seeds));
        let arms = &spec.draft(None)["arms"];
        assert_eq!(arms[1]["train"], json!({ "batch_size": 16 }));
        assert_eq!(arms[1]["method"], json!({ "kind": "opt", "transform": "cayley" }));
        // From then on it is stored with complete arms.
        fixture.store.add_seeds(id, &[7]).await.unwrap();
    }
}

pub async fn new_seeds_are_added_to_every_arm_once(fixture: Fixture) {
    let id = fixture.submit(json!({ "seeds": [3] })).await;
    for _ in 0..2 {
        fixture.store.add_seeds(id, &[3, 1, 2, 1]).await.unwrap();
    }
    assert_eq!(fixture.store.experiment(id).await.unwrap().spec.seeds, [3, 1, 2]);
    let figures = fixture.store.figures(id).await.unwrap();
    let cells: Vec<_> = figures.iter().map(|figures| (figures.arm.as_str(), figures.seed)).collect();
    let arms = ["baseline", "opt-cayley", "opt-gram-schmidt"];
    let expected: Vec<_> = arms.into_iter().flat_map(|arm| [1, 2, 3].map(|seed| (arm, seed))).collect();
    assert_eq!(cells, expected);
    is_not_found(fixture.store.add_seeds(ExperimentId::from(99), &[1]).await);
}

pub async fn the_priority_of_queued_jobs_can_be_changed(fixture: Fixture) {
    let [first, second] = [fixture.submit(json!({})).await, fixture.submit(json!({})).await];
    let started = fixture.claim().await.unwrap().job;
    let edit = |priority| Edit { priority: Some(priority), ..Edit::default() };
    fixture.store.edit_experiment(second, edit(7)).await.unwrap();
    let next = fixture.claim().await.unwrap();
    assert_eq!(fixture.job(next.job).await.record.experiment_id, second, "it is claimed before older jobs");
    fixture.store.edit_experiment(first, edit(-3)).await.unwrap();
    for (id, priority) in [(first, -3), (second, 7)] {
        assert_eq!(fixture.store.experiment(id).await.unwrap().spec.priority, priority);
        for job in fixture.jobs(id).await {
            assert_eq!(job.record.priority, priority, "{job:?}");
        }
    }
    // Jobs in every state, and new seeds, are requeued with the new priority.
    assert_eq!(fixture.job(started).await.record.state, JobState::Running);
    fixture.store.add_seeds(first, &[99]).await.unwrap();
    assert!(fixture.jobs(first).await.iter().all(|job| job.record.priority == -3));
    is_not_found(fixture.store.edit_experiment(ExperimentId::from(99), edit(1)).await);
}
