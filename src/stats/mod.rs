//! Figures from figures: pure functions, no database and no clock.

mod band;
mod comparison;
mod downsample;
mod verdict;

pub use band::{BandPoint, band};
pub use comparison::{Difference, Spread, paired_difference, spread};
pub use downsample::downsample;
pub use verdict::{Contender, verdict};
