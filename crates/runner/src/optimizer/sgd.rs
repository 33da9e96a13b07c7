//! Stochastic gradient descent with momentum: Sutskever et al., ICML 2013.

use tch::{TchError, Tensor};

use super::scalar::scalar;

/// m <- momentum m + g, then x <- x - rate m, or with Nesterov x <- x - rate (g + momentum m). `memory` is m, or
/// empty where momentum is 0.
pub(super) fn step(
    tensor: &mut Tensor,
    mut gradient: Tensor,
    memory: &mut [&mut Tensor],
    rate: f64,
    momentum: f64,
    nesterov: bool,
) -> Result<(), TchError> {
    let direction = match memory {
        [m] => {
            let momentum = scalar(momentum)?;
            let _ = gradient.f_addcmul_out(m, m, &momentum)?;
            if nesterov {
                let _ = gradient.f_addcmul_(m, &momentum)?;
                &gradient
            } else {
                m
            }
        }
        _ => &gradient,
    };
    let _ = tensor.f_addcmul_(direction, &scalar(-rate)?)?;
    Ok(())
}
