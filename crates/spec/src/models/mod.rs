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

/// Reads the fields of one kind of model.
type Read = fn(&mut Fields<'_>) -> ModelSpec;

const KINDS: &[(&str, Read)] = &[("mlp", |fields| ModelSpec::Mlp(Mlp::read(fields)))];

impl ModelSpec {
    /// The layers for inputs and classes of `dataset`.
    pub fn architecture(&self, dataset: &dyn Dataset) -> Architecture {
        match self {
            Self::Mlp(mlp) => mlp.architecture(dataset),
        }
    }

    pub(crate) fn read(fields: &mut Fields<'_>) -> Self {
        let read = fields.choice("kind", None, KINDS);
        read(fields)
    }
}
