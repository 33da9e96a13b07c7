//! Curves from levels of detail agree with their points, however the points were written.

use std::collections::BTreeSet;

use optlab::stats::{Bucket, CurvePoint, widen, width_for};
use optlab::store::{Curve, CurveRange, TimedPoint};
use optlab_domain::{JobId, Lease};
use optlab_spec::protocol::Point;
use serde_json::json;

use crate::fixture::{Fixture, LEASE_MS, crashed, finished, point};

/// Enough for blocks and several levels.
const POINTS: u64 = 12_000;

/// A noisy curve with a point every other step.
fn curve(steps: std::ops::Range<u64>) -> Vec<Point> {
    let value = |step: u64| ((step * 7919) % 10_007) as f64 + step as f64 / 16.0;
    steps.filter(|step| step % 2 == 0).map(|step| point(step, value(step))).collect()
}

/// In batches, as runners flush.
async fn record(fixture: &Fixture, lease: Lease, points: &[Point]) {
    for batch in points.chunks(301) {
        let step = batch.last().map(|point| point.step);
        fixture.store.record(lease, batch, step, LEASE_MS).await.unwrap();
    }
}

fn all(buckets: usize) -> CurveRange {
    CurveRange { after_step: -1, to_step: i64::MAX, buckets }
}

/// The curve of a range; checks that the points alone give the same.
async fn read(fixture: &Fixture, job: JobId, range: CurveRange) -> Curve {
    let set = fixture.store.curves(&[job], "train/loss", range).await.unwrap();
    let [curve] = &set.curves[..] else { panic!("one job, one curve") };
    let points = fixture.curve(job, "train/loss").await.into_iter();
    let points: Vec<_> = points
        .map(|TimedPoint { step, value, .. }| CurvePoint { step, value })
        .filter(|point| point.step > range.after_step && point.step <= range.to_step)
        .collect();
    assert!(curve.buckets.len() <= range.buckets.max(points.len().min(2 * range.buckets)), "{range:?}");
    let expected = widen(points.iter().copied().map(Bucket::from), set.width);
    assert_eq!(curve.buckets, expected, "{range:?}, width {}", set.width);
    let shown: BTreeSet<_> = curve.points().iter().map(|point| point.step).collect();
    for end in [points.first(), points.last()].into_iter().flatten() {
        assert!(range.after_step > -1 || range.to_step < i64::MAX || shown.contains(&end.step), "{range:?}");
    }
    curve.clone()
}

async fn agrees_at_every_resolution(fixture: &Fixture, job: JobId) {
    for buckets in [1, 3, 50, 400, 1000, 10_000] {
        read(fixture, job, all(buckets)).await;
        for (after_step, to_step) in
            [(0, 100), (4999, 5003), (777, 9_001), (8_191, 16_384), (11_000, 1 << 40)]
        {
            read(fixture, job, CurveRange { after_step, to_step, buckets }).await;
        }
    }
}

pub async fn short_curves_keep_their_ends(fixture: Fixture) {
    let job = fixture.one_job(json!({})).await;
    let lease = fixture.claim().await.unwrap();
    fixture.start(lease, 0).await;
    // The extremes are not at the ends.
    record(&fixture, lease, &curve(2..602)).await;
    agrees_at_every_resolution(&fixture, job).await;
    assert_eq!(fixture.execute("UPDATE curve_blocks SET width = width").await, 0, "it is not condensed");
}

pub async fn downsampled_curves_agree_with_their_points(fixture: Fixture) {
    let job = fixture.one_job(json!({})).await;
    let lease = fixture.claim().await.unwrap();
    fixture.start(lease, 0).await;
    record(&fixture, lease, &curve(0..2 * POINTS)).await;
    agrees_at_every_resolution(&fixture, job).await;
    assert_ne!(fixture.execute("UPDATE curve_blocks SET width = width").await, 0, "nothing was condensed");

    fixture.end(lease, finished()).await;
    agrees_at_every_resolution(&fixture, job).await;
    // The long curves of a succeeded job are read almost only from levels.
    let raw = fixture.execute("DELETE FROM metric_points WHERE step < 23000").await;
    assert_eq!(raw, 11_500);
    let set = fixture.store.curves(&[job], "train/loss", all(400)).await.unwrap();
    assert_eq!((set.width, set.curves[0].buckets.len()), (width_for(2 * POINTS as i64 - 1, 400), 375));
    assert_eq!(set.curves[0].buckets.iter().map(|bucket| bucket.n).sum::<u64>(), POINTS);
}

pub async fn resuming_from_an_earlier_step_removes_levels_of_detail(fixture: Fixture) {
    let job = fixture.one_job(json!({ "max_attempts": 10 })).await;
    let mut from = 0;
    // To the middle of a block, to a border, near the beginning, to nothing.
    for back_to in [9_001, 8_192, 8_191, 600, 15, 0] {
        let lease = fixture.claim().await.unwrap();
        fixture.start(lease, from).await;
        record(&fixture, lease, &curve(from + u64::from(from > 0)..2 * POINTS / 2)).await;
        fixture.end(lease, crashed()).await;
        fixture.clock.advance(1_000_000);
        let lease = fixture.claim().await.unwrap();
        fixture.start(lease, back_to).await;
        agrees_at_every_resolution(&fixture, job).await;
        fixture.end(lease, crashed()).await;
        fixture.clock.advance(1_000_000);
        fixture.execute("UPDATE jobs SET attempts_before = attempt").await;
        from = back_to;
    }
}

pub async fn curves_of_several_jobs_have_the_same_buckets(fixture: Fixture) {
    let experiment = fixture.submit(json!({})).await;
    let (long, short) = (fixture.claim().await.unwrap(), fixture.claim().await.unwrap());
    for (lease, steps) in [(long, 4 * POINTS / 3), (short, 700)] {
        fixture.start(lease, 0).await;
        record(&fixture, lease, &curve(0..steps)).await;
    }
    let jobs: Vec<JobId> = fixture.jobs(experiment).await.iter().map(|job| job.record.id).collect();
    let set = fixture.store.curves(&jobs, "train/loss", all(100)).await.unwrap();
    assert_eq!(set.width, 256);
    assert_eq!(set.curves.iter().map(|curve| curve.buckets.len()).collect::<Vec<_>>(), [63, 3, 0]);
    assert!(fixture.store.curves(&jobs, "no/such", all(9)).await.unwrap().curves[0].buckets.is_empty());
}

pub async fn thinned_curves_count_the_remaining_points(fixture: Fixture) {
    let job = fixture.one_job(json!({})).await;
    let lease = fixture.claim().await.unwrap();
    fixture.start(lease, 0).await;
    record(&fixture, lease, &curve(0..POINTS)).await;
    fixture.end(lease, finished()).await;
    let experiment = fixture.job(job).await.record.experiment_id;
    fixture.store.thin(experiment, 5).await.unwrap();
    agrees_at_every_resolution(&fixture, job).await;
}
