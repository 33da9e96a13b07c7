//! Numbers as tensors: tch's sums take no factor.

use tch::{Kind, TchError, Tensor};

/// A number on the device of `tensor`. A product with it, fused into a sum, saves a pass over the data.
pub(super) fn scalar(value: f64, tensor: &Tensor) -> Result<Tensor, TchError> {
    Tensor::f_full([0; 0], value, (Kind::Float, tensor.device()))
}
