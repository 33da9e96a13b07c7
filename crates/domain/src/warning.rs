//! What can be wrong with a job that looks healthy.

use crate::word::words;

words! {
    /// Why a job is not what it seems.
    pub enum WarningKind {
        /// An energy or an orthogonality error has drifted further than rounding explains.
        InvariantBroken,
        /// The final accuracy is that of guessing.
        AtChance,
        /// The training loss is higher than at its start.
        LossRose,
    }
}
