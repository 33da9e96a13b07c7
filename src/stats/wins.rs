//! How often an arm is better than the baseline: P(A > B) of Bouthillier et al. (Accounting for Variance in Machine
//! Learning Benchmarks, MLSys 2021, section 4).
//!
//! They take its interval by the bootstrap, which has no width if the arm is better in every pair. This one is exact for
//! any number of pairs (Clopper and Pearson, 1934).

use optlab_api_types::Wins;
use statrs::distribution::{Beta, ContinuousCDF};

use super::LEVEL;

/// Counts the pairs in which the arm is better; `None` without pairs. A tie counts as half a win.
pub fn wins(pairs: &[f64], higher_is_better: bool) -> Option<Wins> {
    let n = pairs.len();
    let wins = pairs.iter().filter(|pair| if higher_is_better { **pair > 0.0 } else { **pair < 0.0 }).count();
    let ties = pairs.iter().filter(|pair| **pair == 0.0).count();
    let won = wins as f64 + ties as f64 / 2.0;
    let lost = n as f64 - won;
    let tail = (1.0 - LEVEL) / 2.0;
    let quantile = |a, b, share| Beta::new(a, b).expect("both are positive").inverse_cdf(share);
    (n > 0).then(|| Wins {
        wins,
        ties,
        probability: won / n as f64,
        low: if won == 0.0 { 0.0 } else { quantile(won, lost + 1.0, tail) },
        high: if lost == 0.0 { 1.0 } else { quantile(won + 1.0, lost, 1.0 - tail) },
    })
}
