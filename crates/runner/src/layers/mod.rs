//! Layers, one file each.

mod neurons;

mod conv2d;
mod linear;

mod batch_norm;
mod pooling;
mod stateless;

mod residual;
mod sequence;

use std::fmt::Debug;

use tch::{TchError, Tensor};

use crate::trained::{Parts, Trained};
use crate::weight::Weight;

pub use batch_norm::{BatchNorm, BatchNormConfig};
pub use conv2d::Conv2d;
pub use linear::Linear;
pub use neurons::{Neurons, NeuronsConfig};
pub use pooling::{GlobalAveragePool, MaxPool};
pub use residual::{Residual, ZeroPadShortcut};
pub use sequence::Sequence;
pub use stateless::{Flatten, Relu};

/// The purpose of a forward pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Training: batch statistics are used and collected.
    Train,
    /// Evaluation: nothing changes.
    Evaluate,
}

/// A part of a network.
pub trait Layer: Debug {
    /// Maps a batch.
    ///
    /// # Errors
    /// libtorch's own.
    fn forward(&self, xs: &Tensor, mode: Mode) -> Result<Tensor, TchError>;

    /// The trained tensors, always in the same order.
    fn trained(&mut self) -> Vec<&mut dyn Trained> {
        Vec::new()
    }

    /// Everything on which the next step depends: the state of trained tensors, and running statistics.
    fn state(&mut self) -> Parts<'_> {
        self.trained().into_iter().flat_map(|trained| trained.state()).collect()
    }

    /// The tensors of an equivalent ordinary layer, with the names of PyTorch's layers, outside any graph.
    ///
    /// # Errors
    /// libtorch's own.
    fn tensors(&self) -> Result<Vec<(String, Tensor)>, TchError> {
        Ok(Vec::new())
    }

    /// Names and weights of the layers that the arm's method trains, always in the same order.
    fn by_method(&self) -> Vec<(&str, &Weight)> {
        Vec::new()
    }
}
