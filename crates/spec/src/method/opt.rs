//! Orthogonal Over-Parameterized Training: its transform, neurons and layers.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use strum::{IntoStaticStr, VariantArray};

use super::transform::TransformSpec;
use crate::architecture::{Architecture, LONGEST_NEURON};
use crate::fields::Fields;
use crate::optimizer::{learning_rate, weight_decay};
use crate::problem::{Problems, alternatives, shown, suggestion};
use crate::train::{MOST_STEPS, TrainSpec};

/// An OPT arm; the options beyond the transform are the ablations of Liu et al. (CVPR 2021).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OptSpec {
    /// The transform that keeps the matrix orthogonal.
    #[serde(flatten)]
    pub transform: TransformSpec,
    /// Rounds that each rotate some of the dimensions; `None` to rotate all dimensions all the time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub stochastic: Option<StochasticSpec>,
    /// Whether the neurons are trained as well.
    pub neurons: Neurons,
    /// Mean of the normal distribution of the entries of neurons. Any mean but 0 raises the energy.
    pub neuron_mean: f64,
    /// Steps before training that move the drawn neurons to lower energy (power 1, whole sphere) and keep their
    /// lengths.
    pub refine_steps: u32,
    /// Step size of the raw parameters before the schedule's factor; default: that of the other tensors, or for descent
    /// the published 0.02.
    pub learning_rate: f64,
    /// Decay of the raw parameters; default: that of the other tensors, or for descent none.
    pub weight_decay: f64,
    /// The layers whose neurons are rotated; the others are trained directly.
    pub layers: LayerChoice,
}

/// Stochastic OPT: in each round, a random subset of the dimensions has its own rotation, which is then merged.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct StochasticSpec {
    /// Share of a layer's dimensions that a round rotates. At least two are rotated, because one alone cannot be.
    pub fraction: f64,
    /// Updates per round.
    pub inner_steps: u64,
}

/// Whether V is trained.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, IntoStaticStr, VariantArray)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Neurons {
    /// V stays fixed.
    Fixed,
    /// V is trained together with R, so the energy is not constant.
    Learned,
}

/// Some of a network's method layers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(untagged)]
pub enum LayerChoice {
    /// All of them.
    All(AllWord),
    /// The layers of these names.
    Named(Vec<String>),
}

/// The word `"all"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum AllWord {
    /// `"all"`.
    #[serde(rename = "all")]
    All,
}

/// The published rate of OPT (OGD).
const DESCENT_RATE: f64 = 0.02;

impl OptSpec {
    /// Fields that only this kind of method has.
    pub(super) const OWN_FIELDS: [&str; 7] =
        ["transform", "beta", "stochastic", "neurons", "neuron_mean", "refine_steps", "layers"];

    /// Whether every learned matrix is orthogonal at every step.
    pub fn is_orthogonal(&self) -> bool {
        !matches!(self.transform, TransformSpec::Relaxed { .. } | TransformSpec::Unconstrained { .. })
    }

    /// Whether the energy of every rotated layer stays constant, because orthogonal matrices rotate fixed neurons.
    pub fn keeps_energy(&self) -> bool {
        self.is_orthogonal() && self.neurons == Neurons::Fixed
    }

    pub(crate) fn read(fields: &mut Fields<'_>, train: &TrainSpec) -> Self {
        let rounds = fields.has("stochastic");
        let stochastic =
            rounds.then(|| fields.table("stochastic", None, |fields| StochasticSpec::read(fields, train)));
        let transform = TransformSpec::read(fields, rounds);
        let descends = matches!(transform, TransformSpec::Descent { .. });
        let (rate, decay) = match transform {
            TransformSpec::Descent { .. } => (DESCENT_RATE, 0.0),
            _ => (train.optimizer.learning_rate(), train.optimizer.weight_decay()),
        };
        let opt = Self {
            transform,
            stochastic,
            neurons: fields.choice("neurons", Some(Neurons::Fixed)),
            neuron_mean: fields.number("neuron_mean", Some(0.0), -100.0..=100.0),
            refine_steps: fields.integer("refine_steps", Some(0), 0..=10_000) as u32,
            learning_rate: learning_rate(fields, Some(rate)),
            weight_decay: weight_decay(fields, Some(decay)),
            layers: LayerChoice::read(fields, train, stochastic),
        };
        if descends && opt.weight_decay > 0.0 {
            fields.wrong(
                "weight_decay",
                "must be 0: descent steps along the orthogonal group, where nothing can decay",
            );
        }
        if opt.neurons == Neurons::Learned && descends {
            fields.wrong(
                "neurons",
                "must be `fixed` with transform = \"descent\", which steps the rotated neurons themselves",
            );
        }
        if opt.neurons == Neurons::Learned && opt.stochastic.is_some() {
            fields.wrong(
                "neurons",
                "must be `fixed` with `stochastic`, which merges its rotations into the neurons",
            );
        }
        opt
    }
}

impl fmt::Display for OptSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", if self.stochastic.is_some() { "s-opt" } else { "opt" }, self.transform)
    }
}

impl StochasticSpec {
    /// A round longer than the run would never rotate most dimensions.
    fn read(fields: &mut Fields<'_>, train: &TrainSpec) -> Self {
        let fraction = fields.number("fraction", Some(0.25), 1e-4..=1.0);
        let inner_steps = fields.integer("inner_steps", None, 1..=MOST_STEPS);
        let updates = train.total_steps();
        // The length of the run is unknown if the data is.
        if train.data.sizes().is_some() && inner_steps > updates {
            let length = match train.epochs {
                Some(epochs) => format!("the updates of train.epochs = {epochs}"),
                None => "train.steps".to_owned(),
            };
            fields.wrong("inner_steps", format!("must be at most {updates}, {length}, is {inner_steps}"));
        }
        Self { fraction, inner_steps }
    }

    /// The number of dimensions, of `d`, that a round rotates.
    pub fn dimensions(&self, d: u64) -> u64 {
        ((self.fraction * d as f64).round() as u64).clamp(d.min(2), d)
    }
}

impl LayerChoice {
    /// Whether `layer` is among these layers.
    pub fn holds(&self, layer: &str) -> bool {
        match self {
            Self::All(_) => true,
            Self::Named(names) => names.iter().any(|name| name == layer),
        }
    }

    fn read(fields: &mut Fields<'_>, train: &TrainSpec, stochastic: Option<StochasticSpec>) -> Self {
        // A model that does not fit its data is reported on its own, and has no layers to compare with.
        let architecture = train.architecture().ok();
        let sizes: Vec<_> = architecture.iter().flat_map(Architecture::method_layers).collect();
        let choice = match fields.raw("layers") {
            None => Self::All(AllWord::All),
            Some(value) if value == "all" => Self::All(AllWord::All),
            Some(Value::Array(_)) => {
                let known: Vec<&str> = sizes.iter().map(|(name, _, _)| *name).collect();
                let names = fields.list("layers", None, 1..=1000, |value, pointer, problems| {
                    name(value, pointer, problems, &known)
                });
                Self::Named(names)
            }
            Some(value) => {
                let is = shown(value);
                fields.wrong("layers", format!("must be \"all\" or a list of names of layers, is {is}"));
                Self::All(AllWord::All)
            }
        };
        if let Self::Named(names) = &choice
            && let Some(twice) = names
                .iter()
                // Unknown names have been reported already.
                .filter(|name| !name.is_empty())
                .find(|name| names.iter().filter(|other| other == name).count() > 1)
        {
            fields.wrong("layers", format!("must name each layer once; `{twice}` is repeated"));
        }
        // The size of a rotation is the square of the dimensions that it rotates.
        let turned = |d: u64| stochastic.map_or(d, |stochastic| stochastic.dimensions(d));
        for (layer, d, _) in &sizes {
            if choice.holds(layer) && turned(*d) > LONGEST_NEURON {
                let detail = format!(
                    "cannot rotate layer `{layer}`: its neurons have length {d}, and at most {LONGEST_NEURON} \
                     dimensions can be turned together (see `stochastic`)"
                );
                fields.wrong("layers", detail);
            }
        }
        choice
    }
}

fn name(value: &Value, pointer: &str, problems: &mut Problems, known: &[&str]) -> String {
    match value.as_str() {
        Some(name) if known.is_empty() || known.contains(&name) => name.to_owned(),
        _ => {
            let hint =
                value.as_str().map_or_else(String::new, |given| suggestion(given, known.iter().copied()));
            let names = alternatives(known.iter().copied());
            problems.add(
                pointer,
                format!("must be a layer that the method trains ({names}), is {}{hint}", shown(value)),
            );
            String::new()
        }
    }
}
