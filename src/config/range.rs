//! Numbers within a range, and times.

use std::ops::RangeInclusive;
use std::time::Duration;

/// A text is not a number in the range.
#[derive(Debug, thiserror::Error)]
#[error("must be a whole number from {least} to {most}")]
pub(super) struct OutOfRange {
    least: u64,
    most: u64,
}

/// A text is no time.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be a time like 2027-01-31T08:00:00Z, or seconds since 1970")]
pub(super) struct NotATime;

/// Parses a number of the range.
pub(super) fn within<T: TryFrom<u64>>(
    range: RangeInclusive<u64>,
) -> impl Fn(&str) -> Result<T, OutOfRange> + Clone {
    move |text: &str| {
        let number = text.parse::<u64>().ok().filter(|number| range.contains(number));
        let error = OutOfRange { least: *range.start(), most: *range.end() };
        number.and_then(|number| T::try_from(number).ok()).ok_or(error)
    }
}

/// Parses a number of seconds of the range.
pub(super) fn seconds(range: RangeInclusive<u64>) -> impl Fn(&str) -> Result<Duration, OutOfRange> + Clone {
    let number = within(range);
    move |text: &str| number(text).map(Duration::from_secs)
}
