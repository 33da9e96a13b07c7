//! The networks. A network, or a family of them, is one file: its fields in a spec, and its layers. To add one, write
//! its file and a row of the table.

mod builder;

mod batch_norm;
mod residual;

mod cifar_resnet;
mod mlp;
mod plain_cnn;
mod resnet18;

use serde::{Deserialize, Serialize};

use crate::architecture::{Architecture, Task};
use crate::fields::Fields;

pub use batch_norm::{BatchNorm, OptionalBatchNorm};
pub use cifar_resnet::CifarResnet;
pub use mlp::Mlp;
pub use plain_cnn::PlainCnn;
pub use resnet18::Resnet18;

macro_rules! models {
    // `tt`, because utoipa does not parse the group of a `literal`.
    ($($kind:tt => $Kind:ident($Model:ident $(, $depth:literal)?)),* $(,)?) => {
        /// The network of a run.
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        #[serde(tag = "kind")]
        pub enum ModelSpec {
            $(
                #[doc = concat!("`", $kind, "`")]
                #[serde(rename = $kind)]
                $Kind($Model),
            )*
        }

        /// Reads the fields of one kind of model.
        type Read = fn(&mut Fields<'_>) -> ModelSpec;

        const KINDS: &[(&str, Read)] = &[$(($kind, |fields| ModelSpec::$Kind($Model::read(fields)))),*];

        impl ModelSpec {
            /// The word of its kind.
            pub fn kind(&self) -> &'static str {
                match self {
                    $(Self::$Kind(_) => $kind),*
                }
            }

            /// The layers for the images and classes of `task`.
            ///
            /// # Errors
            /// The reason why there are none, as the end of a sentence about the model. A submission with it is
            /// rejected.
            pub fn architecture(&self, task: &Task) -> Result<Architecture, String> {
                match self {
                    $(Self::$Kind(model) => model.architecture(task $(, $depth)?)),*
                }
            }
        }
    };
}

// Members of a family differ in the depth of a stage: its convolutions, or its residual blocks.
models! {
    "mlp" => Mlp(Mlp),
    "cnn6" => Cnn6(PlainCnn, 2),
    "cnn9" => Cnn9(PlainCnn, 3),
    "resnet20" => Resnet20(CifarResnet, 3),
    "resnet32" => Resnet32(CifarResnet, 5),
    "resnet18" => Resnet18(Resnet18),
}

impl ModelSpec {
    pub(crate) fn read(fields: &mut Fields<'_>) -> Self {
        fields.kind(None, KINDS, |read, fields| read(fields))
    }
}

#[cfg(test)]
mod checks;

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use serde_json::{Value, json};

    use super::*;
    use crate::ExperimentSpec;
    use crate::architecture::Layer;

    fn each_kind() -> impl Iterator<Item = ModelSpec> {
        KINDS.iter().map(|(kind, _)| {
            let sizes = if *kind == "mlp" { json!({ "hidden": [4, 3] }) } else { json!({ "width": 4 }) };
            checks::model(crate::merge(json!({ "kind": kind }), &sizes))
        })
    }

    #[test]
    fn names_are_unique_in_every_network() {
        for model in each_kind() {
            let architecture = model.architecture(&checks::CIFAR_10).unwrap();
            let mut names = HashSet::new();
            for layer in architecture.walk() {
                let (Layer::Linear { name, .. } | Layer::Conv2d { name, .. } | Layer::BatchNorm { name, .. }) =
                    layer
                else {
                    continue;
                };
                assert!(names.insert(name), "{model:?}: {name}");
            }
        }
    }

    #[test]
    fn a_resolved_model_is_read_as_it_was_written() {
        for model in each_kind() {
            let value = serde_json::to_value(&model).unwrap();
            assert_eq!(checks::model(value.clone()), model, "{value}");
            assert_eq!(serde_json::from_value::<ModelSpec>(value).unwrap(), model);
        }
    }

    #[test]
    fn images_that_are_too_small_are_rejected() {
        let model = checks::model(json!({ "kind": "cnn9", "width": 4 }));
        let task = |size| Task { shape: [3, size, size], classes: 10 };
        assert!(model.architecture(&task(8)).is_ok());
        assert_eq!(
            model.architecture(&task(7)).unwrap_err(),
            "does not fit images this small: a layer needs 2x2 pixels, but a side has only 1 left"
        );
    }

    #[test]
    fn an_invalid_model_is_rejected_at_its_path_also_in_an_arm() {
        let data = json!({ "name": "synthetic", "shape": [1, 7, 8], "classes": 2, "samples": 100 });
        let submit = |model: Value, arm: Value| {
            let train = json!({ "epochs": 1, "data": data, "model": model });
            let arms = json!([{ "name": "arm", "method": { "kind": "baseline" }, "train": arm }]);
            ExperimentSpec::from_value(&json!({ "name": "x", "train": train, "arms": arms }))
        };
        let (mlp, cnn) = (json!({ "kind": "mlp", "hidden": [4] }), json!({ "kind": "cnn6", "width": 4 }));
        for (model, arm, pointer) in
            [(cnn.clone(), json!({}), "/train/model"), (mlp, json!({ "model": cnn }), "/arms/0/train/model")]
        {
            let problems = submit(model, arm).unwrap_err();
            assert_eq!(problems.list.len(), 1, "{problems}");
            assert_eq!(problems.list[0].pointer, pointer, "{problems}");
        }
    }

    #[test]
    fn an_arm_can_switch_off_the_batch_norm_of_its_base() {
        let train = json!({
            "epochs": 1,
            "data": { "name": "digits" },
            "model": { "kind": "cnn6", "width": 4, "batch_norm_momentum": 0.001 },
        });
        let arm = json!({
            "name": "arm",
            "method": { "kind": "baseline" },
            "train": { "model": { "batch_norm": false, "widths": [4, 4, 4] } },
        });
        let spec =
            ExperimentSpec::from_value(&json!({ "name": "x", "train": train, "arms": [arm] })).unwrap();
        let model = &spec.jobs()[0].train.model;
        assert_eq!(
            serde_json::to_value(model).unwrap(),
            json!({ "kind": "cnn6", "width": null, "widths": [4, 4, 4], "batch_norm": false })
        );
    }
}
