//! The one field in which the arms of a fair comparison differ.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::fields::Fields;
use crate::optimizer::{OptimizerSpec, learning_rate, weight_decay};

/// How the hidden layers are trained; the classifier is trained normally in every arm.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum MethodSpec {
    /// Every weight is trained directly.
    Baseline,
    /// Neurons stay as drawn; one orthogonal matrix per layer rotates them (Liu et al., CVPR 2021).
    Opt {
        /// What keeps the matrix orthogonal.
        transform: TransformKind,
        /// Where its raw parameter starts.
        init: RotationInit,
        /// Step size of the raw parameters before the schedule's factor; default: that of the other tensors.
        learning_rate: f64,
        /// L2 penalty on the raw parameters; default: that of the other tensors.
        weight_decay: f64,
    },
}

/// The transforms, by the names of Liu et al. (CVPR 2021), section 4.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TransformKind {
    /// OPT (CP): Cayley parametrisation of a skew matrix.
    Cayley,
    /// OPT (GS): Gram-Schmidt on the rows of a square matrix.
    GramSchmidt,
}

/// Where a raw parameter starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RotationInit {
    /// R = I.
    Identity,
    /// Standard normal entries, as published.
    Gaussian,
    /// Normal entries of variance 1/d.
    Scaled,
}

const TRANSFORMS: [(&str, TransformKind); 2] =
    [("cayley", TransformKind::Cayley), ("gram_schmidt", TransformKind::GramSchmidt)];

const INITS: [(&str, RotationInit); 3] = [
    ("identity", RotationInit::Identity),
    ("gaussian", RotationInit::Gaussian),
    ("scaled", RotationInit::Scaled),
];

impl MethodSpec {
    /// `optimizer` is that of the arm: rates that are not given are taken from it and spelled out.
    pub(crate) fn read(fields: &mut Fields<'_>, optimizer: &OptimizerSpec) -> Self {
        match fields.choice("kind", None, &[("baseline", "baseline"), ("opt", "opt")]) {
            "opt" => {
                let transform = fields.choice("transform", None, &TRANSFORMS);
                Self::Opt {
                    transform,
                    init: fields.choice("init", Some(transform.default_init()), &INITS),
                    learning_rate: learning_rate(fields, Some(optimizer.learning_rate())),
                    weight_decay: weight_decay(fields, Some(optimizer.weight_decay())),
                }
            }
            _ => Self::Baseline,
        }
    }
}

impl fmt::Display for MethodSpec {
    /// `baseline`, `opt:cayley`, ...: the `method` column of the database.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Baseline => f.write_str("baseline"),
            Self::Opt { transform, .. } => write!(f, "opt:{transform}"),
        }
    }
}

impl TransformKind {
    /// Cayley starts at R = I, because the gradient of a Gaussian start is some thirty times smaller;
    /// for Gram-Schmidt the scale of the start is only a choice of effective learning rate.
    fn default_init(self) -> RotationInit {
        match self {
            Self::Cayley => RotationInit::Identity,
            Self::GramSchmidt => RotationInit::Gaussian,
        }
    }
}

impl fmt::Display for TransformKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (word, _) = TRANSFORMS.iter().find(|(_, kind)| kind == self).expect("every kind has its word");
        f.write_str(word)
    }
}
