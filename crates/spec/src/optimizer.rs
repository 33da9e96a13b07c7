//! Optimizers.

use serde::{Deserialize, Serialize};

use crate::fields::Fields;

/// The optimizer of every trained tensor; rotations may have their own learning rate and weight decay
/// (see [`MethodSpec`](crate::MethodSpec)).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum OptimizerSpec {
    /// Stochastic gradient descent with momentum as in Sutskever et al. (ICML 2013):
    /// `m <- momentum m + g; w <- w - lr m`, with Nesterov `w <- w - lr (g + momentum m)`.
    Sgd {
        /// Step size before the schedule's factor.
        learning_rate: f64,
        /// Share of the previous step that is kept.
        momentum: f64,
        /// Look ahead by one momentum step.
        nesterov: bool,
        /// L2 penalty, added to the gradient of every tensor that decays.
        weight_decay: f64,
    },
    /// Adam (Kingma and Ba, ICLR 2015); weight decay is an L2 penalty, added to the gradient.
    Adam(AdamSpec),
    /// Adam with decoupled weight decay (Loshchilov and Hutter, ICLR 2019, algorithm 2): a share of the tensor is
    /// subtracted, which the second moment does not rescale.
    #[serde(rename = "adamw")]
    AdamW(AdamSpec),
}

/// The parameters of Adam and AdamW.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AdamSpec {
    /// Step size before the schedule's factor.
    pub learning_rate: f64,
    /// Decay of the first moment.
    pub beta1: f64,
    /// Decay of the second moment.
    pub beta2: f64,
    /// Added to the root of the second moment.
    pub epsilon: f64,
    /// Decay of every tensor that decays.
    pub weight_decay: f64,
}

/// Reads the fields of one kind of optimizer.
type Read = fn(&mut Fields<'_>) -> OptimizerSpec;

const KINDS: [(&str, Read); 3] = [
    ("sgd", SGD),
    ("adam", |fields| OptimizerSpec::Adam(AdamSpec::read(fields, 0.0))),
    ("adamw", |fields| OptimizerSpec::AdamW(AdamSpec::read(fields, 0.01))),
];

/// The default kind of an optimizer.
const SGD: Read = |fields| {
    let sgd = OptimizerSpec::Sgd {
        learning_rate: learning_rate(fields, Some(0.1)),
        momentum: fields.number("momentum", Some(0.9), 0.0..=0.9999),
        nesterov: fields.flag("nesterov", false),
        weight_decay: weight_decay(fields, Some(0.0)),
    };
    if matches!(sgd, OptimizerSpec::Sgd { nesterov: true, momentum: 0.0, .. }) {
        fields.wrong("nesterov", "must be false without momentum");
    }
    sgd
};

impl OptimizerSpec {
    /// Step size before the schedule's factor.
    pub fn learning_rate(&self) -> f64 {
        match self {
            Self::Sgd { learning_rate, .. } => *learning_rate,
            Self::Adam(adam) | Self::AdamW(adam) => adam.learning_rate,
        }
    }

    /// Of the tensors that decay.
    pub fn weight_decay(&self) -> f64 {
        match self {
            Self::Sgd { weight_decay, .. } => *weight_decay,
            Self::Adam(adam) | Self::AdamW(adam) => adam.weight_decay,
        }
    }

    pub(crate) fn read(fields: &mut Fields<'_>) -> Self {
        fields.kind(Some(SGD), &KINDS, |read, fields| read(fields))
    }
}

impl AdamSpec {
    fn read(fields: &mut Fields<'_>, default_decay: f64) -> Self {
        Self {
            learning_rate: learning_rate(fields, Some(1e-3)),
            beta1: fields.number("beta1", Some(0.9), 0.0..=0.9999),
            beta2: fields.number("beta2", Some(0.999), 0.0..=0.999_999),
            epsilon: fields.number("epsilon", Some(1e-8), 1e-16..=1.0),
            weight_decay: weight_decay(fields, Some(default_decay)),
        }
    }
}

pub(crate) fn learning_rate(fields: &mut Fields<'_>, default: Option<f64>) -> f64 {
    fields.number("learning_rate", default, 0.0..=1000.0)
}

pub(crate) fn weight_decay(fields: &mut Fields<'_>, default: Option<f64>) -> f64 {
    fields.number("weight_decay", default, 0.0..=10.0)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn read(value: Value) -> OptimizerSpec {
        Fields::read(&value, OptimizerSpec::read).unwrap_or_else(|problems| panic!("{problems}"))
    }

    #[test]
    fn nesterov_needs_a_momentum() {
        let read = |value: Value| Fields::read(&value, OptimizerSpec::read);
        assert!(read(json!({ "nesterov": true })).is_ok());
        let problems = read(json!({ "nesterov": true, "momentum": 0 })).unwrap_err();
        assert_eq!(problems.list[0].pointer, "/nesterov");
    }

    #[test]
    fn adam_and_adamw_differ_by_their_word_and_default_decay() {
        for (kind, weight_decay) in [("adam", 0.0), ("adamw", 0.01)] {
            let spec = read(json!({ "kind": kind }));
            let stored = serde_json::to_value(&spec).unwrap();
            assert_eq!(
                stored,
                json!({
                    "kind": kind, "learning_rate": 0.001, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8,
                    "weight_decay": weight_decay,
                })
            );
            assert_eq!((read(stored.clone()), spec.weight_decay()), (spec.clone(), weight_decay));
            assert_eq!(serde_json::from_value::<OptimizerSpec>(stored).unwrap(), spec);
        }
    }

    #[test]
    fn a_field_of_another_kind_is_rejected() {
        let problems = Fields::read(&json!({ "kind": "adamw", "momentum": 0.9 }), OptimizerSpec::read);
        assert!(problems.unwrap_err().to_string().starts_with("/momentum: unknown field"));
    }
}
