//! The rotations of an OPT layer, from its arm's method.

use optlab_opt::{
    Cayley, Descent, Error, GramSchmidt, Householder, Lowdin, Relaxed, Rotation, Stochastic, Unconstrained,
    host,
};
use optlab_spec::{DescentForm, LowdinForm, OptSpec, RotationInit, StochasticSpec, TransformSpec};
use tch::{Kind, Tensor};

use crate::random::{self, Purpose};
use crate::start::Start;

/// The source of one layer's rotations: one for the whole run or, in stochastic OPT, one per round.
#[derive(Debug)]
pub struct Rotations {
    transform: TransformSpec,
    stochastic: Option<StochasticSpec>,
    seed: u64,
    layer: String,
}

impl Rotations {
    /// The rotations of `layer`.
    pub fn new(opt: &OptSpec, start: Start<'_>, layer: &str) -> Self {
        let OptSpec { transform, stochastic, .. } = *opt;
        Self { transform, stochastic, seed: start.seed, layer: layer.to_owned() }
    }

    /// The rotation that acts on `neurons`, V^T, `[n, d]`, from `updates` completed updates on.
    ///
    /// # Errors
    /// libtorch's own.
    pub fn rotation(&self, neurons: &Tensor, updates: u64) -> Result<Box<dyn Rotation>, Error> {
        let Some(stochastic) = self.stochastic else { return self.of_every_dimension(neurons) };
        let d = neurons.size()[1];
        let round = Purpose::Dimensions(&self.layer, updates / stochastic.inner_steps);
        let dimensions = random::permutation(random::stream(self.seed, round), d as u64);
        let turned = &dimensions[..stochastic.dimensions(d as u64) as usize];
        let columns = neurons.f_index_select(1, &host::send(turned, neurons.device())?)?;
        Ok(Box::new(Stochastic::new(turned, d, self.of_every_dimension(&columns)?)?))
    }

    /// Whether a round ends after `updates` completed updates.
    pub fn round_ends(&self, updates: u64) -> bool {
        self.stochastic.is_some_and(|stochastic| updates.is_multiple_of(stochastic.inner_steps))
    }

    fn of_every_dimension(&self, neurons: &Tensor) -> Result<Box<dyn Rotation>, Error> {
        let raw = || self.raw(neurons);
        Ok(match self.transform {
            TransformSpec::GramSchmidt { .. } => Box::new(GramSchmidt::new(&raw()?)?),
            // With the published signs, no P gives R = I in every dimension, and R jumps by a reflection next to it.
            TransformSpec::Householder { init: RotationInit::Identity } => {
                Box::new(Householder::rotation(&raw()?)?)
            }
            TransformSpec::Householder { .. } => Box::new(Householder::new(&raw()?)?),
            TransformSpec::Lowdin { form: LowdinForm::Exact, .. } => Box::new(Lowdin::new(&raw()?)?),
            TransformSpec::Lowdin { form: LowdinForm::Polynomial, .. } => {
                Box::new(Lowdin::polynomial(&raw()?)?)
            }
            TransformSpec::Cayley { .. } => Box::new(Cayley::new(&raw()?)?),
            TransformSpec::Descent { form } => Box::new(Descent::new(
                neurons,
                match form {
                    DescentForm::Omega => optlab_opt::DescentForm::Omega,
                    DescentForm::LowRank => optlab_opt::DescentForm::LowRank,
                },
            )?),
            TransformSpec::Relaxed { beta, .. } => Box::new(Relaxed::new(&raw()?, beta)?),
            TransformSpec::Unconstrained { .. } => Box::new(Unconstrained::new(&raw()?)?),
        })
    }

    /// The first raw parameter, `[d, d]`.
    fn raw(&self, neurons: &Tensor) -> Result<Tensor, Error> {
        let (d, device) = (neurons.size()[1], neurons.device());
        let gaussian = |standard_deviation| {
            let stream = random::stream(self.seed, Purpose::Rotation(&self.layer));
            Ok(random::gaussian(stream, [d, d], standard_deviation, device)?)
        };
        match (self.transform.init(), self.transform) {
            // The raw parameter for R = I: the skew matrix 0, and I for all others.
            (RotationInit::Identity, TransformSpec::Cayley { .. }) => {
                Ok(Tensor::f_zeros([d, d], (Kind::Float, device))?)
            }
            (RotationInit::Identity, _) => Ok(Tensor::f_eye(d, (Kind::Float, device))?),
            (RotationInit::Gaussian, _) => gaussian(1.0),
            (RotationInit::Scaled, _) => gaussian((d as f64).sqrt().recip()),
        }
    }
}
