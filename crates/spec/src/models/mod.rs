//! The networks, one file each: its fields in a spec, and its layers. To add one, write its file and name it here.

mod mlp;

use optlab_data::Dataset;
use serde::{Deserialize, Serialize};

use crate::architecture::Architecture;
use crate::fields::Fields;

pub use mlp::Mlp;

/// The network of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ModelSpec {
    /// Fully connected layers.
    Mlp(Mlp),
}

impl ModelSpec {
    /// The layers for inputs and classes of `dataset`.
    pub fn architecture(&self, dataset: &dyn Dataset) -> Architecture {
        match self {
            Self::Mlp(mlp) => mlp.architecture(dataset),
        }
    }

    pub(crate) fn read(fields: &mut Fields<'_>) -> Self {
        let kinds: [(&str, fn(&mut Fields<'_>) -> Self); 1] =
            [("mlp", |fields| Self::Mlp(Mlp::read(fields)))];
        let read = fields.choice("kind", None, &kinds);
        read(fields)
    }
}
