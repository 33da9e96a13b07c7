//! Adam: Kingma and Ba, ICLR 2015, <https://arxiv.org/abs/1412.6980>, algorithm 1.

use optlab_spec::AdamSpec;
use tch::{TchError, Tensor};

use super::scalar::scalar;

/// m <- b1 m + (1 - b1) g, v <- b2 v + (1 - b2) g^2, both freed of their start at 0, then
/// x <- x - rate m / (sqrt(v) + epsilon). `memory` is m and v, `update` counts from 1.
pub(super) fn step(
    tensor: &mut Tensor,
    gradient: &Tensor,
    memory: &mut [&mut Tensor],
    rate: f64,
    adam: &AdamSpec,
    update: i32,
) -> Result<(), TchError> {
    let AdamSpec { beta1, beta2, epsilon, .. } = *adam;
    let [m, v] = memory else { unreachable!("Adam remembers two moments") };
    let _ = m.f_lerp_(gradient, 1.0 - beta1)?;
    let _ = v.f_lerp_(&gradient.f_square()?, 1.0 - beta2)?;
    let unbiased = |beta: f64| 1.0 - beta.powi(update);
    let mut scale = v.f_div_scalar(unbiased(beta2))?;
    let scale = scale.f_sqrt_()?.f_add_scalar_(epsilon)?;
    let descent = scalar(-rate / unbiased(beta1))?;
    let _ = tensor.f_addcmul_(&m.f_div(&scale)?, &descent)?;
    Ok(())
}
