//! A penalty instead of a constraint, OPT (OR): R is a free matrix that a penalty pulls towards orthogonality.
//!
//! Source: Liu et al., CVPR 2021 (<https://arxiv.org/abs/2004.04690>), section "Orthogonality Regularization", in the
//! form of the public code, beta = 0.1 and the norm not squared, where the paper squares it. Per layer, the loss gains
//!
//! ```text
//! beta ||E||_F,   E = R R^T - I,   with the gradient 2 beta E R / ||E||_F, and 0 at E = 0
//! ```
//!
//! The rest is [`Unconstrained`]. Because the norm is not squared, the penalty's gradient does not shrink near the
//! orthogonal matrices, so with a constant learning rate R ends up oscillating around one, at about the length of a
//! step.

use tch::Tensor;

use super::unconstrained::{Factors, Unconstrained};
use super::{Pullback, Rotated, Rotation};
use crate::Error;

/// Smallest norm of E: rounding leaves none below it, and its square would vanish in float32.
const LEAST_NORM: f64 = 1e-18;

/// R is the raw parameter itself, `[d, d]`, with a penalty for its distance from orthogonality.
#[derive(Debug)]
pub struct Relaxed {
    free: Unconstrained,
    beta: f64,
}

impl Relaxed {
    /// Takes `raw` = R, `[d, d]`: N(0, 1) as published, or I; and the weight `beta` of the penalty, 0.1 in the
    /// public code.
    ///
    /// # Errors
    /// [`Error::RawShape`] unless `raw` is square and not empty.
    pub fn new(raw: &Tensor, beta: f64) -> Result<Self, Error> {
        Ok(Self { free: Unconstrained::new(raw)?, beta })
    }
}

impl Rotation for Relaxed {
    fn raw(&self) -> &Tensor {
        self.free.raw()
    }

    fn rotate(&self, frozen_weight: &Tensor) -> Result<Rotated, Error> {
        let (weight, free) = self.free.turn(frozen_weight)?;
        Ok(Rotated { weight, pullback: Box::new(Penalised { free, beta: self.beta }) })
    }
}

/// E = R R^T - I, `[d, d]`.
fn excess(raw: &Tensor) -> Result<Tensor, Error> {
    let gram = raw.f_matmul(&raw.f_tr()?)?;
    let _ = gram.f_diagonal(0, 0, 1)?.f_sub_scalar_(1)?;
    Ok(gram)
}

#[derive(Debug)]
struct Penalised {
    free: Factors,
    beta: f64,
}

impl Pullback for Penalised {
    /// The gradient of the loss and the penalty together; the penalty's does not depend on `weight_gradient`.
    fn gradient(&self, weight_gradient: &Tensor) -> Result<Tensor, Error> {
        let gradient = self.free.gradient(weight_gradient)?;
        let _guard = tch::no_grad_guard();
        let raw = &self.free.raw;
        let excess = excess(raw)?;
        let norm = excess.f_norm()?.f_clamp_min(LEAST_NORM)?;
        let pull = excess.f_matmul(raw)?.f_mul(&norm.f_reciprocal()?.f_mul_scalar(2.0 * self.beta)?)?;
        Ok(gradient.f_add(&pull)?)
    }

    fn frozen_gradient(&self, weight_gradient: &Tensor) -> Result<Tensor, Error> {
        self.free.frozen_gradient(weight_gradient)
    }
}

#[cfg(test)]
mod tests {
    use tch::{Device, Kind};

    use super::*;
    use crate::draws::gaussian;
    use crate::transform::checks;

    const BETA: f64 = 0.1;

    fn relaxed(raw: &Tensor) -> Box<dyn Rotation> {
        Box::new(Relaxed::new(raw, BETA).unwrap())
    }

    fn naive_penalty(raw: &Tensor) -> Tensor {
        (raw.matmul(&raw.tr()) - Tensor::eye(raw.size()[0], (raw.kind(), raw.device()))).norm() * BETA
    }

    #[test]
    fn agrees_with_the_definition() {
        checks::agrees_with(Tensor::shallow_clone, relaxed);
    }

    #[test]
    fn gradient_is_that_of_the_loss_with_the_penalty() {
        for d in checks::SIZES.into_iter().chain(checks::LARGE_SIZES) {
            let raw = gaussian(&[d, d], d as u64, Kind::Double).set_requires_grad(true);
            let (frozen_weight, weight_gradient) =
                (gaussian(&[9, d], 1, Kind::Double), gaussian(&[9, d], 2, Kind::Double));
            let loss = (frozen_weight.matmul(&raw.tr()) * &weight_gradient).sum(Kind::Double);
            (loss + naive_penalty(&raw)).backward();
            let gradient = relaxed(&raw).rotate(&frozen_weight).unwrap().pullback.gradient(&weight_gradient);
            let error = (gradient.unwrap() - raw.grad()).norm() / raw.grad().norm();
            assert!(error.double_value(&[]) < 1e-12, "d = {d}: {error}");
        }
    }

    #[test]
    fn the_penalty_has_no_gradient_at_an_orthogonal_matrix() {
        for entries in [[1f32, 0.0, 0.0, 1.0], [0.0, -1.0, 1.0, 0.0]] {
            let raw = Tensor::from_slice(&entries).view([2, 2]);
            let none = Tensor::zeros([3, 2], (Kind::Float, Device::Cpu));
            let gradient = relaxed(&raw).rotate(&none).unwrap().pullback.gradient(&none).unwrap();
            assert_eq!(gradient, Tensor::zeros([2, 2], (Kind::Float, Device::Cpu)));
        }
    }

    #[test]
    fn the_penalty_s_gradient_is_bounded_near_an_orthogonal_matrix() {
        for offset in [1e-3, 1e-10, 1e-20, 1e-30] {
            let raw = Tensor::from_slice(&[1.0, offset, 0.0, 1.0]).view([2, 2]).to_kind(Kind::Float);
            let none = Tensor::zeros([3, 2], (Kind::Float, Device::Cpu));
            let gradient = relaxed(&raw).rotate(&none).unwrap().pullback.gradient(&none).unwrap();
            let length = gradient.norm().double_value(&[]);
            assert!(length <= 2.0 * BETA * 1.01, "{offset}: {length}");
        }
    }

    #[test]
    fn descent_on_the_penalty_alone_leads_to_an_orthogonal_matrix() {
        let rotation = relaxed(
            &(Tensor::eye(6, (Kind::Double, Device::Cpu)) + gaussian(&[6, 6], 1, Kind::Double) * 0.2),
        );
        let none = Tensor::zeros([1, 6], (Kind::Double, Device::Cpu));
        let before = checks::error_of(rotation.as_ref());
        for step in 0..400 {
            let gradient = rotation.rotate(&none).unwrap().pullback.gradient(&none).unwrap();
            let _ = rotation.raw().shallow_clone().g_sub_(&(gradient * (0.98f64.powi(step))));
        }
        let after = checks::error_of(rotation.as_ref());
        assert!(before > 0.1 && after < 1e-3, "{before} -> {after}");
    }

    #[test]
    fn pullback_keeps_its_factors() {
        checks::pullback_keeps_its_factors(relaxed);
    }

    #[test]
    fn passes_on_values_that_are_not_finite() {
        checks::passes_on_values_that_are_not_finite(relaxed, &checks::NOT_FINITE);
    }

    #[test]
    fn rejects_wrong_shapes() {
        checks::rejects_wrong_shapes(|raw| Relaxed::new(raw, BETA).map(|r| Box::new(r) as Box<dyn Rotation>));
    }
}
