//! The standing of an arm against the baseline.

use crate::word::words;

/// Pairs that a claim needs unless a server is set otherwise. With five, the sign-flip test can reach p = 0.0625.
pub const PAIRS_NEEDED: u16 = 5;
/// The smallest number of pairs that a server can be set to.
pub const FEWEST_PAIRS_NEEDED: u16 = 3;

words! {
    /// What a comparison concludes of an arm.
    pub enum Standing {
        /// Significantly better.
        Better,
        /// Significantly worse.
        Worse,
        /// Significantly different, by a metric of which neither direction is better.
        Different,
        /// Chance explains the difference.
        NoClearDifference,
        /// Fewer pairs than a claim needs.
        TooFewSeeds,
        /// Equal seeds are no pairs, because task, measure or training images differ.
        NotComparable,
    }
}
