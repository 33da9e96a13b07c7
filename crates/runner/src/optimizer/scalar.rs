//! Numbers as tensors: tch's sums take no factor.

use tch::{Device, Kind, TchError, Tensor};

/// A number in the memory of the host. As the last factor of `addcmul`, on any device, it costs a GPU no kernel of its
/// own, and the product is fused into the sum.
pub(super) fn scalar(value: f64) -> Result<Tensor, TchError> {
    Tensor::f_full([0; 0], value, (Kind::Float, Device::Cpu))
}
