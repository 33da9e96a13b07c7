//! Statistics as pure functions, without a database or a clock.

mod band;
mod bucket;

mod spread;
mod t_test;
mod bootstrap;
mod sign_flip;
mod power;
mod holm;

mod wins;
mod comparison;
mod verdict;

mod tuning;

pub use band::band;
pub use bootstrap::{RESAMPLES, SEED, bootstrap_interval};
pub use bucket::{Bucket, CurvePoint, extremes, floor, widen, width_for};
pub use comparison::{CannotTell, adjust, paired_difference, pairs};
pub use holm::holm;
pub use power::{POWER, power, seeds_needed};
pub use sign_flip::sign_flip;
pub use spread::{Spread, spread};
pub use t_test::{interval, p_value};
pub use tuning::{BestOf, best_of, by_score, score};
pub use verdict::{Contender, Verdict, standing, verdict};
pub use wins::wins;

/// The level of confidence intervals.
const LEVEL: f64 = 0.95;
/// The level of significance.
pub const SIGNIFICANT: f64 = 0.05;
