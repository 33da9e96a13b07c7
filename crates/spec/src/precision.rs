//! The arithmetic of a network.

use serde::{Deserialize, Serialize};
use strum::{IntoStaticStr, VariantArray};

use crate::fields::Fields;

/// The arithmetic of a network's layers. Weights, their updates and the loss are always float32.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, IntoStaticStr, VariantArray)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum Precision {
    /// 24 significant bits throughout, also on GPUs that could round for speed.
    Float32,
    /// Matrix products on a GPU round their factors to 11 significant bits, also in rotations, whose orthogonality
    /// error is then about 1e-3. On a CPU, the same as float32.
    Tf32,
    /// Activations, and weights at their use, have 8 significant bits. Parameters and statistics of batch normalisation
    /// and everything of OPT stay float32.
    Bfloat16,
}

impl Precision {
    pub(crate) fn read(fields: &mut Fields<'_>) -> Self {
        fields.choice("precision", Some(Self::Float32))
    }
}
