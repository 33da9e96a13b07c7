//! Layers without parameters.

use tch::{TchError, Tensor};

use super::{Layer, Mode};

/// `[batch, ...]` to `[batch, d]`.
#[derive(Debug)]
pub struct Flatten;

impl Layer for Flatten {
    fn forward(&self, xs: &Tensor, _mode: Mode) -> Result<Tensor, TchError> {
        xs.f_flatten(1, -1)
    }
}

/// max(x, 0).
#[derive(Debug)]
pub struct Relu;

impl Layer for Relu {
    fn forward(&self, xs: &Tensor, _mode: Mode) -> Result<Tensor, TchError> {
        xs.f_relu()
    }
}
