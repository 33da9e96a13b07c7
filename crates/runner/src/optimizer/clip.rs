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
    use optlab_opt::{Error, GramSchmidt, RotatedWeight};
    use optlab_spec::{MethodSpec, OptimizerSpec};
    use tch::Kind;

    use super::*;
    use crate::optimizer::Optimizer;
    use crate::trained::{Parameter, Plain, Role, Trained};

    fn clipped(gradients: [&[f32]; 2], most: f64) -> Vec<Vec<f32>> {
        let mut gradients = gradients.map(Tensor::from_slice);
        clip(&mut gradients, most).unwrap();
        gradients.iter().map(|gradient| Vec::try_from(gradient).unwrap()).collect()
    }

    #[test]
    fn a_long_gradient_is_scaled_down() {
        assert_eq!(clipped([&[3.0], &[0.0, 4.0]], 2.5), [vec![1.5], vec![0.0, 2.0]]);
    }

    #[test]
    fn a_short_gradient_is_unchanged() {
        assert_eq!(clipped([&[0.1], &[0.2, -0.3]], 2.5), [vec![0.1], vec![0.2, -0.3]]);
        assert_eq!(clipped([&[0.0], &[0.0, 0.0]], 2.5), [vec![0.0], vec![0.0, 0.0]]);
    }

    /// A rotated weight, trained by its raw parameter.
    struct Rotated(RotatedWeight);

    impl Trained for Rotated {
        fn name(&self) -> &str {
            "rotated"
        }

        fn parameters(&self) -> Vec<Parameter> {
            vec![Parameter { role: Role::Rotation, tensor: self.0.raw().shallow_clone() }]
        }

        fn value(&self) -> &Tensor {
            self.0.value()
        }

        fn effective_gradient(&self) -> Result<Tensor, Error> {
            self.0.weight_gradient()
        }

        fn gradients(&self) -> Result<Vec<Tensor>, Error> {
            Ok(vec![self.0.raw_gradient()?])
        }

        fn refresh(&mut self) -> Result<(), Error> {
            self.0.refresh()
        }
    }

    /// A weight under a rotation with `raw` and a bias, after a backward pass through both.
    fn rotated_and_plain(raw: &Tensor) -> (Rotated, Plain) {
        let neurons = Tensor::from_slice(&[1.0f32, 0.5, -0.3, 0.2, -1.0, 0.4]).view([2, 3]);
        let weight = RotatedWeight::new(&neurons, Box::new(GramSchmidt::new(raw).unwrap())).unwrap();
        let bias = Plain::new("bias".to_owned(), Tensor::from_slice(&[0.1f32, -0.2]), Role::Offset).unwrap();
        let xs = Tensor::from_slice(&[1.0f32, 2.0, 3.0]);
        (weight.value().matmul(&xs) + bias.value()).square().sum(Kind::Float).backward();
        (Rotated(weight), bias)
    }

    #[test]
    fn clipping_uses_the_gradient_of_effective_weights() {
        const MOST: f64 = 0.5;
        let raw = Tensor::from_slice(&[1.0f32, 0.2, 0.1, -0.3, 1.1, 0.4, 0.2, -0.5, 0.9]).view([3, 3]);
        let rule =
            OptimizerSpec::Sgd { learning_rate: 1.0, momentum: 0.0, nesterov: false, weight_decay: 0.0 };
        // The gradient of a raw parameter is inversely proportional to its length.
        for scale in [1.0, 100.0] {
            let raw = &raw * scale;
            let (mut weight, mut bias) = rotated_and_plain(&raw);
            let norm = |tensor: Tensor| tensor.norm().double_value(&[]);
            let whole =
                norm(weight.effective_gradient().unwrap()).hypot(norm(bias.effective_gradient().unwrap()));
            assert!(whole > 2.0 * MOST, "{whole}");
            let expected = &raw - weight.gradients().unwrap().remove(0) * (MOST / whole);
            let mut optimizer =
                Optimizer::new(&rule, Some(MOST), &MethodSpec::BASELINE, &mut [&mut weight, &mut bias])
                    .unwrap();
            optimizer.step(vec![&mut weight, &mut bias], 1.0, 1).unwrap();
            assert!(weight.0.raw().allclose(&expected, 1e-5, 1e-7, false));
            let moved = norm(bias.value() - Tensor::from_slice(&[0.1f32, -0.2]));
            assert!(moved > 0.01 && moved < MOST, "{moved}");
        }
    }
}
