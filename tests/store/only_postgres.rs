//! Postgres only: overlapping transactions, notifications, values that are not finite.

use optlab::store::{StoreError, Submission};
use optlab_domain::Action;
use serde_json::json;
use sqlx::{Connection, PgConnection};
use tokio::time::timeout;

use crate::fixture::{Fixture, LEASE_MS, point, spec};
use crate::support::waiting::{Patience, STUCK};

#[tokio::test]
async fn a_write_that_commits_late_is_not_missed() {
    let fixture = Fixture::postgres().await;
    let experiment = fixture.submit(json!({})).await;
    let jobs = fixture.jobs(experiment).await;
    let (late, early) = (jobs[0].record.id, jobs[1].record.id);
    let before = fixture.jobs_since(0, 10).await[0].version;

    let mut connection = PgConnection::connect(&fixture.url).await.unwrap();
    let mut slow = connection.begin().await.unwrap();
    sqlx::query("UPDATE jobs SET step = 7, version = pg_current_xact_id()::TEXT::BIGINT WHERE id = $1")
        .bind(i64::from(late))
        .execute(&mut *slow)
        .await
        .unwrap();
    // It begins later, gets a higher version and commits earlier.
    fixture.store.act_on_job(early, Action::Cancel).await.unwrap();
    let seen = fixture.store.jobs_since(before, 10).await.unwrap();
    let last = seen.last().map_or(before, |job| job.version);
    let said = fixture.store.version().await.unwrap();
    slow.commit().await.unwrap();

    assert!(fixture.job(late).await.version < fixture.job(early).await.version);
    for version in [last, said] {
        let found = fixture.jobs_since(version, 10).await;
        assert!(
            found.iter().any(|job| (job.record.id, job.record.step) == (late, 7)),
            "after {version}: {found:?}"
        );
    }
}

#[tokio::test]
async fn queued_jobs_wake_slots_of_other_processes() {
    let fixture = Fixture::postgres().await;
    let other = fixture.other_process().await;
    let mut changes = other.changes();
    // It counts once when it begins to listen; it writes nothing itself.
    timeout(STUCK, changes.wait_for(|changes| *changes == 1)).await.expect("listens").unwrap();
    fixture.submit(json!({})).await;
    timeout(STUCK, changes.wait_for(|changes| *changes == 2)).await.expect("woken").unwrap();
}

#[tokio::test]
async fn a_point_that_is_not_finite_is_rejected() {
    let fixture = Fixture::postgres().await;
    fixture.one_job(json!({})).await;
    let lease = fixture.claim().await.unwrap();
    for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        assert!(fixture.store.record(lease, &[point(1, value)], None, LEASE_MS).await.is_err(), "{value}");
    }
    for (step, value) in [f64::MAX, f64::MIN, f64::MIN_POSITIVE, -0.0].into_iter().enumerate() {
        fixture.store.record(lease, &[point(step as u64, value)], None, LEASE_MS).await.unwrap();
    }
}

#[tokio::test]
async fn a_full_disk_is_reported_and_the_next_write_succeeds() {
    let fixture = Fixture::postgres().await;
    fixture
        .execute(
            "CREATE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql AS
             $$ BEGIN RAISE 'could not extend file' USING ERRCODE = 'disk_full'; END $$",
        )
        .await;
    fixture
        .execute("CREATE TRIGGER no_room BEFORE INSERT ON jobs FOR EACH ROW EXECUTE FUNCTION no_room()")
        .await;
    let spec = spec(json!({}));
    let submitted = fixture.store.submit(Submission::of(&spec)).await;
    assert!(matches!(submitted, Err(StoreError::Full)), "{submitted:?}");
    fixture.execute("DROP TRIGGER no_room ON jobs").await;
    fixture.submit(json!({})).await;
}

#[tokio::test]
async fn versions_of_another_cluster_hide_no_write() {
    let fixture = Fixture::postgres().await;
    let experiment = fixture.submit(json!({})).await;
    let job = fixture.jobs(experiment).await[0].record.id;
    fixture.execute("UPDATE jobs SET version = 9000000000000000").await;
    let store = optlab::store::open(&fixture.url).await.unwrap();
    let before = store.version().await.unwrap();
    store.act_on_job(job, Action::Cancel).await.unwrap();
    // The write settles when the transactions of other tests on this cluster that are older have ended.
    let mut patience = Patience::until("the write settles");
    while !store.unsettled_jobs(10).await.unwrap().is_empty() {
        patience.again(());
    }
    let changed = store.jobs_since(before, 10).await.unwrap();
    assert_eq!(changed.iter().map(|job| job.record.id).collect::<Vec<_>>(), [job]);
    store.close().await;
}
