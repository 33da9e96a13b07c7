//! Gradient clipping by the norm of all gradients together: Pascanu et al., ICML 2013,
//! <https://arxiv.org/abs/1211.5063>, algorithm 1.

use tch::{TchError, Tensor};

/// Scales every gradient in place by min(1, most / norm). The norm stays on the device.
pub(super) fn clip(gradients: &mut [Tensor], most: f64) -> Result<(), TchError> {
    let norms = gradients.iter().map(Tensor::f_norm).collect::<Result<Vec<_>, _>>()?;
    let mut factor = Tensor::f_stack(&norms, 0)?.f_norm()?;
    let factor = factor.f_reciprocal_()?.f_mul_scalar_(most)?.f_clamp_max_(1.0)?;
    for gradient in gradients {
        let _ = gradient.f_mul_(&factor)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clipped(gradients: [&[f32]; 2], most: f64) -> Vec<Vec<f32>> {
        let mut gradients = gradients.map(Tensor::from_slice);
        clip(&mut gradients, most).unwrap();
        gradients.iter().map(|gradient| Vec::try_from(gradient).unwrap()).collect()
    }

    #[test]
    fn a_longer_gradient_is_shortened_and_keeps_its_direction() {
        assert_eq!(clipped([&[3.0], &[0.0, 4.0]], 2.5), [vec![1.5], vec![0.0, 2.0]]);
    }

    #[test]
    fn a_shorter_one_keeps_its_bits_and_none_stays_none() {
        assert_eq!(clipped([&[0.1], &[0.2, -0.3]], 2.5), [vec![0.1], vec![0.2, -0.3]]);
        assert_eq!(clipped([&[0.0], &[0.0, 0.0]], 2.5), [vec![0.0], vec![0.0, 0.0]]);
    }
}
