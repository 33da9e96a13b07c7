//! A weight whose neurons are rotated by learned rotations.

use optlab_opt::{Error, OwnStep, RotatedWeight};
use optlab_spec::{Neurons, OptSpec};
use tch::Tensor;

use crate::failure::JobError;
use crate::rotation::Rotations;
use crate::start::Start;
use crate::trained::{Parameter, Parameters, Parts, Role, Trained};

/// R V: its parameters are the raw parameter of R and, where neurons are learned too, V.
#[derive(Debug)]
pub struct Rotated {
    name: String,
    rotated: RotatedWeight,
    rotations: Rotations,
    learns_neurons: bool,
}

impl Rotated {
    /// The start of an OPT arm's layer with these `neurons`, V^T, `[n, d]`.
    ///
    /// # Errors
    /// libtorch's own.
    pub fn new(opt: &OptSpec, start: Start<'_>, layer: &str, neurons: &Tensor) -> Result<Self, JobError> {
        let rotations = Rotations::new(opt, start, layer);
        let rotated = RotatedWeight::new(neurons, rotations.rotation(neurons, start.updates)?)?;
        let name = format!("{layer}.weight");
        Ok(Self { name, rotated, rotations, learns_neurons: opt.neurons == Neurons::Learned })
    }

    /// The current weight.
    pub fn rotated(&self) -> &RotatedWeight {
        &self.rotated
    }
}

impl Trained for Rotated {
    fn name(&self) -> &str {
        &self.name
    }

    fn parameters(&self) -> Vec<Parameter> {
        let raw = Parameter { role: Role::Rotation, tensor: self.rotated.raw().shallow_clone() };
        let neurons =
            || Parameter { role: Role::Weight, tensor: self.rotated.frozen_weight().shallow_clone() };
        [raw].into_iter().chain(self.learns_neurons.then(neurons)).collect()
    }

    fn state(&mut self) -> Parts<'_> {
        let state = self.rotated.state().into_iter();
        state.map(|(part, state)| (format!("{}.{part}", self.name), state)).collect()
    }

    fn value(&self) -> &Tensor {
        self.rotated.value()
    }

    fn effective_gradient(&self) -> Result<Tensor, Error> {
        self.rotated.weight_gradient()
    }

    fn gradients(&self) -> Result<Vec<Tensor>, Error> {
        let neurons = self.learns_neurons.then(|| self.rotated.frozen_gradient()).transpose()?;
        Ok([self.rotated.raw_gradient()?].into_iter().chain(neurons).collect())
    }

    fn own_step(&mut self) -> Option<&mut dyn OwnStep> {
        self.rotated.own_step()
    }

    fn refresh(&mut self) -> Result<(), Error> {
        self.rotated.refresh()
    }

    fn renew(&mut self, updates: u64) -> Result<Parameters, Error> {
        if !self.rotations.round_ends(updates) {
            return Ok(Parameters::Kept);
        }
        self.rotated.merge(|neurons| self.rotations.rotation(neurons, updates))?;
        Ok(Parameters::Renewed)
    }
}
