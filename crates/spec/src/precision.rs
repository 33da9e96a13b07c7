//! The arithmetic of a network.

use serde::{Deserialize, Serialize};
use strum::{IntoStaticStr, VariantArray};

use crate::fields::Fields;

/// The arithmetic of a network's layers. Weights are kept and stepped in float32 in any case, and the loss is float32.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, IntoStaticStr, VariantArray)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum Precision {
    /// 24 significant bits throughout, also on GPUs that would round for speed.
    Float32,
    /// The products of a GPU round their factors to 11 significant bits. Those of rotations too: their orthogonality
    /// error is then some 1e-3. On a CPU it is float32.
    Tf32,
    /// Activations, and weights where they are used, have 8 significant bits. Batch normalisation's parameters and
    /// statistics and everything of OPT stay float32.
    Bfloat16,
}

impl Precision {
    pub(crate) fn read(fields: &mut Fields<'_>) -> Self {
        fields.choice("precision", Some(Self::Float32))
    }
}
