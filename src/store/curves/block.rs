//! The encoding of levels of detail: neighbouring buckets of a level are packed into one value.

use crate::stats::{Bucket, CurvePoint, floor};
use crate::store::StoreError;

/// Number of intervals of a block; an interval has a bucket unless it has no points.
const STRETCHES: i64 = 64;
/// Width of a level's buckets, in buckets of the level below.
const FACTOR: i64 = 4;
/// Minimum number of points in a bucket of the finest level, if they are evenly spaced.
const FINEST: i64 = 8;
/// Six little-endian numbers of eight bytes: n, sum, and steps and values of the lowest and the highest point.
const BUCKET_BYTES: usize = 48;

/// The bucket width of the finest level, for a curve that begins with `n` points over `span` steps.
pub(super) fn finest_width(span: i64, n: usize) -> i64 {
    let steps = (span * FINEST) as u64 / n.max(1) as u64;
    steps.max(1).next_power_of_two() as i64
}

/// The bucket widths of the levels above the finest one, endlessly.
pub(super) fn levels(finest: i64) -> impl Iterator<Item = i64> {
    std::iter::successors(Some(finest), |width| width.checked_mul(FACTOR))
}

/// The coarsest level whose buckets can be merged into buckets of `width`, if there is one.
pub(super) fn level_for(finest: i64, width: i64) -> Option<i64> {
    levels(finest).take_while(|level| *level <= width).last()
}

/// Start of the block of a level that contains `step`.
pub(super) fn block_of(step: i64, width: i64) -> i64 {
    floor(step, width.saturating_mul(STRETCHES))
}

pub(super) fn pack(buckets: &[Bucket]) -> Vec<u8> {
    buckets
        .iter()
        .flat_map(|Bucket { n, sum, low, high }| {
            let numbers = [*n, sum.to_bits(), low.step as u64, low.value.to_bits()];
            numbers.into_iter().chain([high.step as u64, high.value.to_bits()])
        })
        .flat_map(u64::to_le_bytes)
        .collect()
}

/// # Errors
/// [`StoreError::Corrupt`] for bytes that [`pack`] cannot have written.
pub(super) fn unpack(bytes: &[u8]) -> Result<Vec<Bucket>, StoreError> {
    let (buckets, rest) = bytes.as_chunks::<BUCKET_BYTES>();
    if !rest.is_empty() {
        return Err(StoreError::Corrupt(format!("a block of a curve of {} bytes", bytes.len())));
    }
    Ok(buckets.iter().map(unpack_one).collect())
}

fn unpack_one(bytes: &[u8; BUCKET_BYTES]) -> Bucket {
    let (numbers, _) = bytes.as_chunks::<8>();
    let number = |index: usize| u64::from_le_bytes(numbers[index]);
    let point = |index| CurvePoint { step: number(index) as i64, value: f64::from_bits(number(index + 1)) };
    Bucket { n: number(0), sum: f64::from_bits(number(1)), low: point(2), high: point(4) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_round_trip() {
        let low = CurvePoint { step: -3, value: -1.5e-300 };
        let bucket = Bucket { n: 7, sum: 0.1 + 0.2, low, high: CurvePoint { step: i64::MAX, value: 1e300 } };
        assert_eq!(unpack(&pack(&[bucket, bucket])).unwrap(), [bucket, bucket]);
        assert!(unpack(&[0; 47]).is_err());
    }

    #[test]
    fn levels_start_where_buckets_hold_eight_points_or_more() {
        assert_eq!(
            [(1000, 1000), (1000, 100), (10, 1000)].map(|(span, n)| finest_width(span, n)),
            [8, 128, 1]
        );
        assert_eq!(level_for(8, 4), None);
        assert_eq!([8, 16, 32, 1000].map(|width| level_for(8, width)), [8, 8, 32, 512].map(Some));
        assert_eq!((block_of(511, 8), block_of(512, 8)), (0, 512));
    }
}
