//! The fields of batch normalisation in a model: Ioffe and Szegedy, ICML 2015.

use serde::{Deserialize, Serialize};

use crate::fields::Fields;

/// Settings of batch normalisation, as fields of the model.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BatchNorm {
    /// Weight of the newest batch in the running statistics.
    #[serde(rename = "batch_norm_momentum")]
    pub momentum: f64,
    /// Added to a variance.
    #[serde(rename = "batch_norm_epsilon")]
    pub epsilon: f64,
}

/// Optional batch normalisation.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OptionalBatchNorm {
    /// Normalise before each ReLU; the preceding layer then has no bias.
    pub batch_norm: bool,
    /// `Some` if `batch_norm` is true.
    #[serde(flatten)]
    #[cfg_attr(feature = "openapi", schema(schema_with = crate::schema::optional::<BatchNorm>))]
    pub settings: Option<BatchNorm>,
}

impl BatchNorm {
    pub(crate) fn read(fields: &mut Fields<'_>) -> Self {
        Self {
            momentum: fields.number("batch_norm_momentum", Some(0.1), 1e-6..=1.0),
            epsilon: fields.number("batch_norm_epsilon", Some(1e-5), 1e-12..=1.0),
        }
    }
}

impl OptionalBatchNorm {
    pub(crate) fn read(fields: &mut Fields<'_>, default: bool) -> Self {
        let batch_norm = fields.flag("batch_norm", default);
        if batch_norm {
            return Self { batch_norm, settings: Some(BatchNorm::read(fields)) };
        }
        for name in ["batch_norm_momentum", "batch_norm_epsilon"] {
            if fields.has(name) {
                fields.wrong(name, "has no effect without `batch_norm = true`");
            }
        }
        Self { batch_norm, settings: None }
    }
}
