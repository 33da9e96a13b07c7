//! The method, the one field in which the arms of a fair comparison differ.

mod opt;
mod transform;

use std::fmt;
use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};
use strum::{IntoStaticStr, VariantArray};

pub use opt::{LayerChoice, Neurons, OptSpec, StochasticSpec};
pub use transform::{DescentForm, LowdinForm, RotationInit, TransformSpec};

use crate::architecture::Architecture;
use crate::fields::Fields;
use crate::train::TrainSpec;

/// How the hidden layers are trained; the classifier is trained normally in every arm.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum MethodSpec {
    /// Every weight is trained directly.
    Baseline {
        /// Initialization of the neurons of the hidden layers.
        init: NeuronInit,
    },
    /// Neurons stay as drawn; one orthogonal matrix per layer rotates them (Liu et al., CVPR 2021).
    Opt(Box<OptSpec>),
    /// The baseline, with `weight` times the hyperspherical energy of every hidden layer added to its loss (Liu et
    /// al., NeurIPS 2018).
    Mhe {
        /// s of the kernel z^-s; 0 means log(1/z).
        power: u8,
        /// A neuron and its mirror image count as one direction.
        half_space: bool,
        /// Factor of the energies, each the mean over its layer's pairs.
        weight: f64,
    },
    /// The baseline, with `weight` times the distance of every hidden layer's neurons from orthonormal ones added to
    /// its loss (Bansal, Chen and Wang, NeurIPS 2018).
    SoftOrthogonal {
        /// The measure of the distance.
        form: SoftForm,
        /// Factor of the distances.
        weight: f64,
    },
}

/// Initialization of neurons that are trained directly.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, IntoStaticStr, VariantArray)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum NeuronInit {
    /// Independent normal entries of variance 2/d (He et al., ICCV 2015).
    Gaussian,
    /// The orthogonal factor of such a matrix, at the same mean square length (Saxe, McClelland and Ganguli, ICLR
    /// 2014).
    Orthogonal,
}

/// A distance of W^T W from I, with neurons as columns; of W W^T if there are more neurons than dimensions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, IntoStaticStr, VariantArray)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum SoftForm {
    /// The square of the Frobenius norm.
    Frobenius,
    /// The spectral norm, by power iteration: spectral restricted isometry property.
    Srip,
}

/// Reads the fields of one kind of method.
type Read = fn(&mut Fields<'_>, &TrainSpec) -> MethodSpec;

const KINDS: [(&str, Read); 4] = [
    ("baseline", |fields, _| MethodSpec::Baseline {
        init: fields.choice("init", Some(NeuronInit::Gaussian)),
    }),
    ("opt", |fields, train| MethodSpec::Opt(Box::new(OptSpec::read(fields, train)))),
    ("mhe", read_mhe),
    ("soft_orthogonal", |fields, _| MethodSpec::SoftOrthogonal {
        form: fields.choice("form", Some(SoftForm::Frobenius)),
        weight: fields.number("weight", None, PENALTY_WEIGHTS),
    }),
];

/// With weight 0 it would be the baseline.
const PENALTY_WEIGHTS: RangeInclusive<f64> = 1e-9..=1e6;

fn read_mhe(fields: &mut Fields<'_>, train: &TrainSpec) -> MethodSpec {
    let architecture = train.architecture().ok();
    let alone = architecture.iter().flat_map(Architecture::method_layers).find(|(_, _, n)| *n < 2);
    if let Some((layer, ..)) = alone {
        fields.wrong(
            "kind",
            format!("cannot be `mhe`: layer `{layer}` has only one neuron, and energy needs pairs"),
        );
    }
    MethodSpec::Mhe {
        power: fields.integer("power", Some(1), 0..=2) as u8,
        half_space: fields.flag("half_space", false),
        weight: fields.number("weight", Some(1.0), PENALTY_WEIGHTS),
    }
}

impl MethodSpec {
    /// The same method with other rates, which have no influence on the time of a step.
    pub fn without_rates(&self) -> Self {
        match self {
            Self::Opt(opt) => {
                Self::Opt(Box::new(OptSpec { learning_rate: 0.0, weight_decay: 0.0, ..(**opt).clone() }))
            }
            other => other.clone(),
        }
    }

    /// Plain training from Gaussian neurons.
    pub const BASELINE: Self = Self::Baseline { init: NeuronInit::Gaussian };

    /// `train` is that of the arm. Rates that are not given are those of its optimizer and spelled out, and named
    /// layers must be in its model.
    pub(crate) fn read(fields: &mut Fields<'_>, train: &TrainSpec) -> Self {
        fields.belong(&OptSpec::OWN_FIELDS, "kind = \"opt\"");
        fields.kind(None, &KINDS, |read, fields| read(fields, train))
    }

    /// The transform that rotates the neurons of `layer`, if there is one.
    pub fn rotates(&self, layer: &str) -> Option<&OptSpec> {
        match self {
            Self::Opt(opt) => opt.layers.holds(layer).then_some(opt.as_ref()),
            _ => None,
        }
    }
}

impl fmt::Display for MethodSpec {
    /// The `method` column of the database: `baseline`, `opt:cayley`, `s-opt:cayley`, `mhe:half_space`, ...
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Baseline { init: NeuronInit::Gaussian } => f.write_str("baseline"),
            Self::Baseline { init: NeuronInit::Orthogonal } => f.write_str("baseline:orthogonal"),
            Self::Opt(opt) => write!(f, "{opt}"),
            Self::Mhe { half_space: false, .. } => f.write_str("mhe"),
            Self::Mhe { half_space: true, .. } => f.write_str("mhe:half_space"),
            Self::SoftOrthogonal { form: SoftForm::Frobenius, .. } => {
                f.write_str("soft_orthogonal:frobenius")
            }
            Self::SoftOrthogonal { form: SoftForm::Srip, .. } => f.write_str("soft_orthogonal:srip"),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::{ExperimentSpec, Problems};

    /// The method of an arm of a network with the layers `hidden1` (d = 64) and `hidden2` (d = 16).
    fn read(method: Value) -> Result<MethodSpec, Problems> {
        let optimizer = json!({ "learning_rate": 0.3, "weight_decay": 0.01 });
        let train = json!({
            "epochs": 1, "data": { "name": "digits" }, "optimizer": optimizer,
            "model": { "kind": "mlp", "hidden": [16, 8] },
        });
        let arms = json!([{ "name": "arm", "method": method }]);
        let spec = ExperimentSpec::from_value(&json!({ "name": "x", "train": train, "arms": arms }))?;
        Ok(spec.arms[0].method.clone())
    }

    #[test]
    fn every_method_has_a_word_and_round_trips() {
        for (method, word) in [
            (json!({ "kind": "baseline" }), "baseline"),
            (json!({ "kind": "baseline", "init": "orthogonal" }), "baseline:orthogonal"),
            (json!({ "kind": "opt", "transform": "gram_schmidt", "init": "scaled" }), "opt:gram_schmidt"),
            (json!({ "kind": "opt", "transform": "householder", "neurons": "learned" }), "opt:householder"),
            (json!({ "kind": "opt", "transform": "lowdin", "layers": ["hidden2"] }), "opt:lowdin"),
            (json!({ "kind": "opt", "transform": "lowdin", "form": "polynomial" }), "opt:lowdin"),
            (json!({ "kind": "opt", "transform": "cayley", "neuron_mean": 0.05 }), "opt:cayley"),
            (json!({ "kind": "opt", "transform": "descent", "form": "low_rank" }), "opt:descent"),
            (json!({ "kind": "opt", "transform": "relaxed", "beta": 0.2 }), "opt:relaxed"),
            (json!({ "kind": "opt", "transform": "unconstrained", "refine_steps": 9 }), "opt:unconstrained"),
            (
                json!({ "kind": "opt", "transform": "householder", "stochastic": { "inner_steps": 5 } }),
                "s-opt:householder",
            ),
            (json!({ "kind": "mhe" }), "mhe"),
            (json!({ "kind": "mhe", "half_space": true, "power": 0, "weight": 10 }), "mhe:half_space"),
            (json!({ "kind": "soft_orthogonal", "weight": 0.1 }), "soft_orthogonal:frobenius"),
            (json!({ "kind": "soft_orthogonal", "form": "srip", "weight": 1 }), "soft_orthogonal:srip"),
        ] {
            let spec = read(method).unwrap_or_else(|problems| panic!("{word}: {problems}"));
            assert_eq!(spec.to_string(), word);
            let spelled_out = serde_json::to_value(&spec).unwrap();
            assert_eq!(serde_json::from_value::<MethodSpec>(spelled_out.clone()).unwrap(), spec, "{word}");
            assert_eq!(read(spelled_out).unwrap(), spec, "{word}");
        }
    }

    #[test]
    fn invalid_combinations_are_rejected_at_their_field() {
        let opt = |options: Value| {
            let mut method = json!({ "kind": "opt", "transform": "cayley" });
            method.as_object_mut().unwrap().extend(options.as_object().unwrap().clone());
            method
        };
        for (method, field, says) in [
            (json!({ "kind": "opt", "transform": "caylay" }), "transform", "did you mean `cayley`?"),
            (
                json!({ "kind": "mhe", "transform": "cayley" }),
                "transform",
                "unknown field; it belongs to kind = \"opt\"",
            ),
            (json!({ "kind": "mhe", "power": 3 }), "power", "from 0 to 2"),
            (json!({ "kind": "soft_orthogonal" }), "weight", "is missing"),
            (json!({ "kind": "baseline", "init": "identity" }), "init", "`gaussian` or `orthogonal`"),
            (opt(json!({ "beta": 0.1 })), "beta", "unknown field"),
            (opt(json!({ "form": "exact" })), "form", "unknown field"),
            (opt(json!({ "stochastic": {} })), "stochastic/inner_steps", "is missing"),
            (
                opt(json!({ "stochastic": { "inner_steps": 9, "fraction": 0 } })),
                "stochastic/fraction",
                "from 0.0001",
            ),
            (
                opt(json!({ "stochastic": { "inner_steps": 9 }, "init": "gaussian" })),
                "init",
                "every round starts",
            ),
            (opt(json!({ "stochastic": { "inner_steps": 9 }, "neurons": "learned" })), "neurons", "merges"),
            (opt(json!({ "transform": "descent", "neurons": "learned" })), "neurons", "must be `fixed`"),
            (opt(json!({ "transform": "descent", "init": "gaussian" })), "init", "from R = I"),
            (opt(json!({ "transform": "descent", "weight_decay": 0.1 })), "weight_decay", "must be 0"),
            (
                opt(json!({ "transform": "lowdin", "form": "polynomial", "init": "gaussian" })),
                "init",
                "near an orthogonal",
            ),
            (
                opt(json!({ "stochastic": { "inner_steps": 12 } })),
                "stochastic/inner_steps",
                "at most 11, the updates of train.epochs = 1",
            ),
            (opt(json!({ "transform": "relaxed", "beta": 0 })), "beta", "from 0.000001"),
            (json!({ "kind": "soft_orthogonal", "weight": 0 }), "weight", "from 0.000000001"),
            (opt(json!({ "layers": ["hidden1", "hidden2", "hidden1"] })), "layers", "`hidden1` is repeated"),
            (opt(json!({ "layers": [] })), "layers", "1 to 1000 entries"),
            (opt(json!({ "layers": "hidden1" })), "layers", "a list of names"),
            (opt(json!({ "layers": ["hidden2", "hiden1"] })), "layers/1", "did you mean `hidden1`?"),
            (opt(json!({ "layers": ["classifier"] })), "layers/0", "(`hidden1` or `hidden2`)"),
        ] {
            let problems = read(method.clone()).unwrap_err();
            let [problem] = &problems.list[..] else { panic!("{method}: {problems}") };
            assert_eq!(problem.pointer, format!("/arms/0/method/{field}"), "{problem}");
            assert!(problem.detail.contains(says), "{problem}");
        }
    }

    #[test]
    fn unknown_names_do_not_count_as_repeated() {
        let method = json!({ "kind": "opt", "transform": "cayley", "layers": ["hidden3", "classifier"] });
        let problems = read(method).unwrap_err();
        let pointers: Vec<_> = problems.list.iter().map(|problem| problem.pointer.as_str()).collect();
        assert_eq!(pointers, ["/arms/0/method/layers/0", "/arms/0/method/layers/1"]);
    }

    #[test]
    fn default_rates_are_the_optimizers_or_for_descent_the_published_ones() {
        for (transform, rates) in [("cayley", (0.3, 0.01)), ("descent", (0.02, 0.0))] {
            let MethodSpec::Opt(opt) = read(json!({ "kind": "opt", "transform": transform })).unwrap() else {
                panic!("{transform}")
            };
            assert_eq!((opt.learning_rate, opt.weight_decay), rates, "{transform}");
        }
    }

    #[test]
    fn a_round_rotates_at_least_two_dimensions() {
        let spec = StochasticSpec { fraction: 0.25, inner_steps: 1 };
        assert_eq!([1, 2, 27, 576].map(|d| spec.dimensions(d)), [1, 2, 7, 144]);
    }
}
