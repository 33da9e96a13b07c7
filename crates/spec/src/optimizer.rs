//! How raw gradients become steps.

use serde::{Deserialize, Serialize};

use crate::fields::Fields;

/// The optimizer of every trained tensor; rotations may have their own learning rate and weight decay
/// (see [`MethodSpec`](crate::MethodSpec)).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum OptimizerSpec {
    /// Stochastic gradient descent with momentum as in Sutskever et al. (ICML 2013):
    /// `m <- momentum m + g; w <- w - lr m`, with Nesterov `w <- w - lr (g + momentum m)`.
    Sgd {
        /// Step size before the schedule's factor.
        learning_rate: f64,
        /// Share of the last step that is kept.
        momentum: f64,
        /// Look ahead by one momentum step.
        nesterov: bool,
        /// L2 penalty, added to the gradient of every tensor that decays.
        weight_decay: f64,
    },
    /// Adam (Kingma and Ba, ICLR 2015).
    Adam {
        /// Step size before the schedule's factor.
        learning_rate: f64,
        /// Decay of the first moment.
        beta1: f64,
        /// Decay of the second moment.
        beta2: f64,
        /// Added to the root of the second moment.
        epsilon: f64,
        /// L2 penalty, added to the gradient of every tensor that decays.
        weight_decay: f64,
    },
}

impl OptimizerSpec {
    /// Step size before the schedule's factor.
    pub fn learning_rate(&self) -> f64 {
        match self {
            Self::Sgd { learning_rate, .. } | Self::Adam { learning_rate, .. } => *learning_rate,
        }
    }

    /// L2 penalty of the tensors that decay.
    pub fn weight_decay(&self) -> f64 {
        match self {
            Self::Sgd { weight_decay, .. } | Self::Adam { weight_decay, .. } => *weight_decay,
        }
    }

    pub(crate) fn read(fields: &mut Fields<'_>) -> Self {
        match fields.choice("kind", Some("sgd"), &[("sgd", "sgd"), ("adam", "adam")]) {
            "adam" => Self::Adam {
                learning_rate: learning_rate(fields, Some(1e-3)),
                beta1: fields.number("beta1", Some(0.9), 0.0..=0.9999),
                beta2: fields.number("beta2", Some(0.999), 0.0..=0.999_999),
                epsilon: fields.number("epsilon", Some(1e-8), 1e-16..=1.0),
                weight_decay: weight_decay(fields, Some(0.0)),
            },
            _ => Self::Sgd {
                learning_rate: learning_rate(fields, Some(0.1)),
                momentum: fields.number("momentum", Some(0.9), 0.0..=0.9999),
                nesterov: fields.flag("nesterov", false),
                weight_decay: weight_decay(fields, Some(0.0)),
            },
        }
    }
}

pub(crate) fn learning_rate(fields: &mut Fields<'_>, default: Option<f64>) -> f64 {
    fields.number("learning_rate", default, 0.0..=1000.0)
}

pub(crate) fn weight_decay(fields: &mut Fields<'_>, default: Option<f64>) -> f64 {
    fields.number("weight_decay", default, 0.0..=10.0)
}
