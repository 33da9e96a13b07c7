//! Layers, one file each.

mod batch_norm;
mod linear;
mod stateless;

use std::fmt::Debug;

use tch::{TchError, Tensor};

use crate::trained::Trained;
use crate::weight::Weight;

pub use batch_norm::BatchNorm;
pub use linear::{Linear, LinearConfig};
pub use stateless::{Flatten, Relu};

/// What a forward pass is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// A step: batch statistics are used and gathered.
    Train,
    /// A measurement: nothing changes.
    Evaluate,
}

/// A part of a network.
pub trait Layer: Debug {
    /// Maps a batch.
    ///
    /// # Errors
    /// libtorch's own.
    fn forward(&self, xs: &Tensor, mode: Mode) -> Result<Tensor, TchError>;

    /// What is trained, always in the same order.
    fn trained(&mut self) -> Vec<&mut dyn Trained> {
        Vec::new()
    }

    /// Name and weight, if the arm's method trains it.
    fn by_method(&self) -> Option<(&str, &Weight)> {
        None
    }
}
