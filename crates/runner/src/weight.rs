//! How the weight of a method layer comes about: the one place where arms differ.

mod turned;

use optlab_opt::{EnergyConfig, RotatedWeight, refine};
use optlab_spec::{MethodSpec, NeuronInit, OptSpec};
use tch::{Device, Tensor};

use crate::failure::JobError;
use crate::random::{self, Purpose};
use crate::trained::{Plain, Role, Trained};

pub use turned::Turned;

/// W^T, `[n, d]`, of a layer: rows are neurons.
#[derive(Debug)]
pub enum Weight {
    /// Trained as it is.
    Plain(Plain),
    /// R V with V as drawn, and R trained.
    Turned(Turned),
}

/// What decides how the weights of a network start.
#[derive(Clone, Copy, Debug)]
pub struct Start<'a> {
    /// Of the arm.
    pub method: &'a MethodSpec,
    /// The energy that a refined start lowers.
    pub energy: EnergyConfig,
    /// Of the job.
    pub seed: u64,
    /// Where the network lives.
    pub device: Device,
}

impl Weight {
    /// A weight of a hidden layer under the arm's method: V ~ N(0, 2/d) where it is trained directly, R_0 V with the
    /// same V for OPT (He et al., ICCV 2015).
    ///
    /// # Errors
    /// libtorch's own.
    pub fn by_method(start: Start<'_>, layer: &str, d: i64, n: i64) -> Result<Self, JobError> {
        let neurons = neurons(start, layer, d, n, 2.0)?;
        let orthogonal = matches!(start.method, MethodSpec::Baseline { init: NeuronInit::Orthogonal });
        Ok(match start.method.rotates(layer) {
            Some(opt) => Self::Turned(Turned::new(opt, start, layer, &moved(neurons, opt, start.energy)?)?),
            None if orthogonal => Self::Plain(Plain::new(orthogonalised(&neurons)?, Role::Weight)?),
            None => Self::Plain(Plain::new(neurons, Role::Weight)?),
        })
    }

    /// A weight that is trained normally in every arm: the classifier's, N(0, 1/d), because no ReLU follows it.
    ///
    /// # Errors
    /// libtorch's own.
    pub fn plain(start: Start<'_>, layer: &str, d: i64, n: i64) -> Result<Self, JobError> {
        Ok(Self::Plain(Plain::new(neurons(start, layer, d, n, 1.0)?, Role::Weight)?))
    }

    /// What the layer computes with.
    pub fn value(&self) -> &Tensor {
        match self {
            Self::Plain(plain) => plain.value(),
            Self::Turned(turned) => turned.rotated().value(),
        }
    }

    /// The weight under its learned rotation, where there is one.
    pub fn rotated(&self) -> Option<&RotatedWeight> {
        match self {
            Self::Plain(_) => None,
            Self::Turned(turned) => Some(turned.rotated()),
        }
    }

    /// What the optimizer steps.
    pub fn trained(&mut self) -> &mut dyn Trained {
        match self {
            Self::Plain(plain) => plain,
            Self::Turned(turned) => turned,
        }
    }
}

/// Neurons of mean square length `variance`.
fn neurons(start: Start<'_>, layer: &str, d: i64, n: i64, variance: f64) -> Result<Tensor, JobError> {
    let stream = random::stream(start.seed, Purpose::Neurons(layer));
    Ok(random::gaussian(stream, [n, d], (variance / d as f64).sqrt(), start.device)?)
}

/// Drawn neurons as the ablations of an OPT arm want them.
fn moved(neurons: Tensor, opt: &OptSpec, energy: EnergyConfig) -> Result<Tensor, JobError> {
    let neurons = if opt.neuron_mean == 0.0 { neurons } else { neurons.f_add_scalar(opt.neuron_mean)? };
    // One neuron has no energy to lower.
    let refined = opt.refine_steps > 0 && neurons.size()[0] > 1;
    Ok(if refined { refine(&neurons, &energy, opt.refine_steps)? } else { neurons })
}

/// The orthonormal rows or columns, whichever are fewer, nearest in span to those of `neurons`, `[n, d]`, at the same
/// mean square length (Saxe, McClelland and Ganguli, ICLR 2014).
fn orthogonalised(neurons: &Tensor) -> Result<Tensor, JobError> {
    let _guard = tch::no_grad_guard();
    let wide = neurons.size()[0] <= neurons.size()[1];
    let columns = if wide { neurons.f_tr()? } else { neurons.shallow_clone() };
    let (q, r) = columns.f_linalg_qr("reduced")?;
    // A positive diagonal makes the factor unique, and uniform over the orthogonal matrices.
    let signs = r.f_diagonal(0, 0, 1)?.f_sign()?;
    let orthonormal = q.f_mul(&signs)?;
    let scale = neurons.f_norm()?.f_div(&orthonormal.f_norm()?)?;
    let scaled = orthonormal.f_mul(&scale)?;
    Ok(if wide { scaled.f_tr()? } else { scaled }.f_contiguous()?)
}
