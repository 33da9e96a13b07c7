//! How the weight of a method layer comes about: the one place where arms differ.

use optlab_opt::{Cayley, GramSchmidt, RotatedWeight, Rotation};
use optlab_spec::{MethodSpec, RotationInit, TransformKind};
use tch::{Device, Kind, TchError, Tensor};

use crate::failure::JobError;
use crate::random::{self, Purpose};
use crate::trained::{Plain, Role, Trained};

/// W^T, `[n, d]`, of a layer: rows are neurons.
#[derive(Debug)]
pub enum Weight {
    /// Trained as it is.
    Plain(Plain),
    /// R V with V as drawn, and R trained.
    Rotated(RotatedWeight),
}

/// What decides how the weights of a network start.
#[derive(Clone, Copy, Debug)]
pub struct Start<'a> {
    /// Of the arm.
    pub method: &'a MethodSpec,
    /// Of the job.
    pub seed: u64,
    /// Where the network lives.
    pub device: Device,
}

impl Weight {
    /// A weight of a hidden layer under the arm's method: V ~ N(0, 2/d) for the baseline, R_0 V with the same V for
    /// OPT (He et al., ICCV 2015).
    ///
    /// # Errors
    /// libtorch's own.
    pub fn by_method(start: Start<'_>, layer: &str, d: i64, n: i64) -> Result<Self, JobError> {
        let neurons = neurons(start, layer, d, n, 2.0)?;
        match start.method {
            MethodSpec::Baseline => Ok(Self::Plain(Plain::new(neurons, Role::Weight)?)),
            MethodSpec::Opt { transform, init, .. } => {
                let raw = raw(start, *transform, *init, layer, d)?;
                let rotation: Box<dyn Rotation> = match transform {
                    TransformKind::Cayley => Box::new(Cayley::new(&raw)?),
                    TransformKind::GramSchmidt => Box::new(GramSchmidt::new(&raw)?),
                };
                Ok(Self::Rotated(RotatedWeight::new(&neurons, rotation)?))
            }
        }
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
            Self::Rotated(rotated) => rotated.value(),
        }
    }

    /// The weight under its learned rotation, where there is one.
    pub fn rotated(&self) -> Option<&RotatedWeight> {
        match self {
            Self::Plain(_) => None,
            Self::Rotated(rotated) => Some(rotated),
        }
    }

    /// What the optimizer steps.
    pub fn trained(&mut self) -> &mut dyn Trained {
        match self {
            Self::Plain(plain) => plain,
            Self::Rotated(rotated) => rotated,
        }
    }
}

/// Neurons of mean square length `variance`.
fn neurons(start: Start<'_>, layer: &str, d: i64, n: i64, variance: f64) -> Result<Tensor, TchError> {
    let stream = random::stream(start.seed, Purpose::Neurons(layer));
    random::gaussian(stream, [n, d], (variance / d as f64).sqrt(), start.device)
}

/// The rotation's first raw parameter, `[d, d]`.
fn raw(
    start: Start<'_>,
    transform: TransformKind,
    init: RotationInit,
    layer: &str,
    d: i64,
) -> Result<Tensor, TchError> {
    let options = (Kind::Float, start.device);
    let gaussian = |standard_deviation| {
        let stream = random::stream(start.seed, Purpose::Rotation(layer));
        random::gaussian(stream, [d, d], standard_deviation, start.device)
    };
    match (init, transform) {
        // What gives R = I: the skew matrix 0, the rows of I.
        (RotationInit::Identity, TransformKind::Cayley) => Tensor::f_zeros([d, d], options),
        (RotationInit::Identity, TransformKind::GramSchmidt) => Tensor::f_eye(d, options),
        (RotationInit::Gaussian, _) => gaussian(1.0),
        (RotationInit::Scaled, _) => gaussian((d as f64).sqrt().recip()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn weight(method: &MethodSpec) -> Weight {
        Weight::by_method(Start { method, seed: 5, device: Device::Cpu }, "hidden1", 12, 7).unwrap()
    }

    #[test]
    fn every_arm_starts_from_the_same_neurons() {
        let baseline = weight(&MethodSpec::Baseline);
        for transform in [TransformKind::Cayley, TransformKind::GramSchmidt] {
            for init in [RotationInit::Identity, RotationInit::Gaussian, RotationInit::Scaled] {
                let rotated =
                    weight(&MethodSpec::Opt { transform, init, learning_rate: 0.1, weight_decay: 0.0 });
                let r = rotated.rotated().unwrap().rotation().matrix().unwrap().unwrap();
                let expected = baseline.value().detach().matmul(&r.tr());
                assert!(
                    rotated.value().detach().allclose(&expected, 1e-4, 1e-5, false),
                    "{transform} {init:?}"
                );
                let same = *rotated.value() == *baseline.value();
                assert_eq!(same, init == RotationInit::Identity, "{transform} {init:?}");
            }
        }
    }
}
