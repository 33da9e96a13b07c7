//! Figures from figures: pure functions, no database and no clock.

mod band;
mod bucket;
mod comparison;
mod verdict;

pub use band::{BandPoint, band};
pub use bucket::{Bucket, CurvePoint, extremes, floor, widen, width_for};
pub use comparison::{Difference, Spread, paired_difference, spread};
pub use verdict::{Contender, verdict};
