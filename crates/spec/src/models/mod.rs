//! The networks, one file each: its fields in a spec, and its layers. To add one, write its file and name it here.

use optlab_data::Dataset;
use serde::{Deserialize, Serialize};

use crate::architecture::Architecture;
use crate::fields::Fields;

macro_rules! models {
    ($($kind:literal => $module:ident::$Model:ident),* $(,)?) => {
        $(mod $module;)*
        $(pub use $module::$Model;)*

        /// The network of a run.
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[serde(tag = "kind")]
        pub enum ModelSpec {
            $(
                #[doc = concat!("`", $kind, "`")]
                #[serde(rename = $kind)]
                $Model($Model),
            )*
        }

        /// Reads the fields of one kind of model.
        type Read = fn(&mut Fields<'_>) -> ModelSpec;

        const KINDS: &[(&str, Read)] = &[$(($kind, |fields| ModelSpec::$Model($Model::read(fields)))),*];

        impl ModelSpec {
            /// The layers for inputs and classes of `dataset`.
            pub fn architecture(&self, dataset: &dyn Dataset) -> Architecture {
                match self {
                    $(Self::$Model(model) => model.architecture(dataset)),*
                }
            }
        }
    };
}

models! {
    "mlp" => mlp::Mlp,
}

impl ModelSpec {
    pub(crate) fn read(fields: &mut Fields<'_>) -> Self {
        let read = fields.choice("kind", None, KINDS);
        read(fields)
    }
}
