//! Ways to keep a learned matrix orthogonal: one file each, behind [`Rotation`].

// In reading order, each followed by the modules that it uses.
mod algorithm;

pub mod gram_schmidt;
pub mod householder;
mod orthonormal;
mod qr;

pub mod lowdin;

pub mod cayley;
mod lu;

pub mod descent;

pub mod relaxed;
pub mod unconstrained;

pub mod stochastic;

#[cfg(test)]
mod checks;

use std::fmt;

pub use algorithm::Algorithm;
use tch::Tensor;

use crate::Error;

/// A learned orthogonal matrix R, given by a raw parameter that an optimizer steps in place.
///
/// Shapes: d is the dimension of the neurons, n their number.
pub trait Rotation: fmt::Debug + Send {
    /// The learned parameter, `[d, d]` unless the implementation documents another shape. Step a shallow clone of it in
    /// place, under `no_grad`.
    fn raw(&self) -> &Tensor;

    /// Rotates the neurons (rows) of `frozen_weight`, `[n, d]`, with the present raw parameter.
    ///
    /// # Errors
    /// [`Error::FrozenWeightShape`], or libtorch's own if kinds or devices differ.
    fn rotate(&self, frozen_weight: &Tensor) -> Result<Rotated, Error>;

    /// R, `[d, d]`: the result of [`rotate`](Self::rotate) for the unit vectors. `None` if R is never formed.
    ///
    /// # Errors
    /// Those of [`rotate`](Self::rotate).
    fn matrix(&self) -> Result<Option<Tensor>, Error> {
        let raw = self.raw();
        let eye = Tensor::f_eye(raw.size()[0], (raw.kind(), raw.device()))?;
        Ok(Some(self.rotate(&eye)?.weight.f_tr()?.f_contiguous()?))
    }

    /// The rotation itself, if it steps its own raw parameter. `None` if any optimizer may step it.
    fn own_step(&mut self) -> Option<&mut dyn OwnStep> {
        None
    }

    /// State that is kept between steps besides the raw parameter, by fixed names. A program that stores both, and
    /// restores them in an equal rotation, continues as if it had not stopped.
    fn memory(&mut self) -> Vec<(&'static str, State<'_>)> {
        Vec::new()
    }

    /// Removes accumulated rounding errors before this rotation is merged into the neurons, after which they could not
    /// be separated any more.
    ///
    /// # Errors
    /// libtorch's own.
    fn settle(&mut self) -> Result<(), Error> {
        Ok(())
    }

    /// A warning about the present raw parameter, if any. Reads from the device.
    ///
    /// # Errors
    /// libtorch's own.
    fn warning(&self) -> Result<Option<Warning>, Error> {
        Ok(None)
    }
}

/// A rotation that steps its own raw parameter, because a step entry by entry would leave the manifold.
pub trait OwnStep {
    /// Steps the raw parameter against its gradient, by `rate`.
    ///
    /// # Errors
    /// libtorch's own.
    fn step_along(&mut self, raw_gradient: &Tensor, rate: f64) -> Result<(), Error>;
}

/// A part of the state between steps, to be read or overwritten.
#[derive(Debug)]
pub enum State<'a> {
    /// A tensor that shares its memory with the owner's, to be overwritten in place under `no_grad`.
    Tensor(Tensor),
    /// A number of steps.
    Count(&'a mut u64),
}

/// Rotated neurons, and the pullback of their gradient.
#[derive(Debug)]
pub struct Rotated {
    /// W^T = (R V)^T, `[n, d]`, contiguous, detached from any graph.
    pub weight: Tensor,
    /// Keeps the factors of this rotation, so it stays valid when the raw parameter changes.
    pub pullback: Box<dyn Pullback>,
}

/// The transposed derivative of one [`Rotation::rotate`] call: from the gradient of W, G = dL/dW^T, `[n, d]`, to those
/// of its inputs. Builds no graph.
pub trait Pullback: fmt::Debug + Send {
    /// dL/draw, in the shape of the raw parameter and contiguous.
    ///
    /// # Errors
    /// libtorch's own.
    fn gradient(&self, weight_gradient: &Tensor) -> Result<Tensor, Error>;

    /// dL/dV^T = (R^T G^T)^T, `[n, d]`, for neurons that are learned together with their rotation.
    ///
    /// # Errors
    /// [`Error::NoRotation`] if R is never formed, and libtorch's own.
    fn frozen_gradient(&self, weight_gradient: &Tensor) -> Result<Tensor, Error>;
}

/// A state that is valid but worth a warning.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Warning {
    /// The Cayley transform's rounding error grows with the norm of its skew matrix.
    LargeSkewNorm {
        /// Estimate of the spectral norm, from below.
        norm: f64,
    },
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LargeSkewNorm { norm } => {
                write!(
                    f,
                    "the skew matrix has spectral norm {norm:.0}: its Cayley transform loses orthogonality"
                )
            }
        }
    }
}

/// A copy of a raw parameter with canonical strides and no graph, if it is a non-empty square matrix.
fn square(raw: &Tensor) -> Result<Tensor, Error> {
    match raw.size()[..] {
        [rows, columns] if rows == columns && rows > 0 => canonical(raw),
        _ => Err(Error::RawShape { size: raw.size() }),
    }
}

/// A copy whose strides depend only on its size. (`contiguous` keeps unusual strides of dimensions of size one.)
pub(crate) fn canonical(tensor: &Tensor) -> Result<Tensor, Error> {
    let _guard = tch::no_grad_guard();
    let mut copy = Tensor::f_empty(tensor.size(), (tensor.kind(), tensor.device()))?;
    copy.f_copy_(tensor)?;
    Ok(copy)
}

/// M^T - M for a square `matrix` M: skew to the last bit, contiguous.
///
/// The transpose is copied first: libtorch copies it tile by tile, but would subtract it column by column, five
/// times slower at d = 2048.
fn transpose_difference(matrix: &Tensor) -> Result<Tensor, Error> {
    Ok(canonical(&matrix.f_tr()?)?.f_sub_(matrix)?)
}

fn check_frozen_weight(raw: &Tensor, frozen_weight: &Tensor) -> Result<(), Error> {
    let dimension = raw.size()[0];
    match frozen_weight.size()[..] {
        [_, columns] if columns == dimension => Ok(()),
        _ => Err(Error::FrozenWeightShape { dimension, size: frozen_weight.size() }),
    }
}
