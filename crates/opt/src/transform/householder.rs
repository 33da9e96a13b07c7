//! The Householder parametrisation, OPT (HR): R = H_1 H_2 ... H_{d-1}, the reflections that make a matrix P triangular.
//!
//! Source: Liu et al., CVPR 2021 (<https://arxiv.org/abs/2004.04690>), section "Unrolling Orthogonalization
//! Algorithms". H_i reflects what is left of P's column i onto the positive half of its axis, so P = Q T with R = Q,
//! T's diagonal positive but for its last entry, and det R = (-1)^(d-1), one sign for each reflection. LAPACK's
//! reflections differ in signs only. With `qr/`, for G = dL/dW:
//!
//! ```text
//! W = R V = Q V,   B = Q^T G,   N = V B^T,   dL/dP as for any such Q
//! ```
//!
//! The raw parameter is P^T, `[d, d]`: its rows are the columns of P, so that LAPACK needs no copy in its order. For
//! P ~ N(0, 1) that is the same draw.
//!
//! Next to P = I the published R is I for odd d, but for even d it is the reflection diag(1, ..., 1, -1). Rounds of
//! stochastic OPT start at I, hence [`Householder::rotation`], whose last column is negated for even d: det R = 1.
//!
//! The scale of P is a gauge: R does not depend on it, and the gradient is inversely proportional to it. A P whose
//! first d - 1 columns do not have full rank still gives an orthogonal R, but no finite gradient.

use tch::Tensor;

use super::algorithm::Algorithm;
use super::qr::Qr;
use super::{Pullback, Rotated, Rotation, canonical, check_frozen_weight, square};
use crate::Error;

/// R = Q of the QR factorisation of P. The raw parameter is P^T, `[d, d]`.
#[derive(Debug)]
pub struct Householder {
    raw: Tensor,
    determinant: f64,
    algorithm: Algorithm,
}

impl Householder {
    /// As published: det R = (-1)^(d-1). Takes `raw` = P^T, `[d, d]`, of full rank: N(0, 1) as published; I gives
    /// R = I for odd d and R = diag(1, ..., 1, -1) for even d.
    ///
    /// # Errors
    /// [`Error::RawShape`] unless `raw` is square and not empty.
    pub fn new(raw: &Tensor) -> Result<Self, Error> {
        let rotation = Self::rotation(raw)?;
        let determinant = if rotation.raw.size()[0] % 2 == 0 { -1.0 } else { 1.0 };
        Ok(Self { determinant, ..rotation })
    }

    /// With det R = 1, so that `raw` = I gives R = I for every d. Otherwise as [`new`](Self::new).
    ///
    /// # Errors
    /// [`Error::RawShape`] unless `raw` is square and not empty.
    pub fn rotation(raw: &Tensor) -> Result<Self, Error> {
        Ok(Self { raw: square(raw)?, determinant: 1.0, algorithm: Algorithm::of(raw.device()) })
    }

    /// Replaces the algorithm that was chosen by the device.
    #[must_use]
    pub fn with_algorithm(self, algorithm: Algorithm) -> Self {
        Self { algorithm, ..self }
    }
}

impl Rotation for Householder {
    fn raw(&self) -> &Tensor {
        &self.raw
    }

    fn rotate(&self, frozen_weight: &Tensor) -> Result<Rotated, Error> {
        check_frozen_weight(&self.raw, frozen_weight)?;
        let _guard = tch::no_grad_guard();
        let qr = Qr::new(&self.raw, self.determinant, self.algorithm)?;
        let weight = qr.turn(frozen_weight)?;
        let factors = Factors { qr, frozen_weight: canonical(frozen_weight)? };
        Ok(Rotated { weight, pullback: Box::new(factors) })
    }
}

#[derive(Debug)]
struct Factors {
    qr: Qr,
    /// V^T, `[n, d]`.
    frozen_weight: Tensor,
}

impl Pullback for Factors {
    fn gradient(&self, weight_gradient: &Tensor) -> Result<Tensor, Error> {
        let turned_back = self.frozen_gradient(weight_gradient)?;
        let _guard = tch::no_grad_guard();
        self.qr.gradient(&self.frozen_weight.f_tr()?.f_matmul(&turned_back)?)
    }

    fn frozen_gradient(&self, weight_gradient: &Tensor) -> Result<Tensor, Error> {
        let _guard = tch::no_grad_guard();
        self.qr.turn_back(weight_gradient)
    }
}

#[cfg(test)]
mod tests {
    use tch::{Device, Kind};

    use super::*;
    use crate::draws::gaussian;
    use crate::transform::checks;

    /// The published process for autograd: one reflection after another, accumulated.
    fn naive(raw: &Tensor) -> Tensor {
        let d = raw.size()[0];
        let axes = Tensor::eye(d, (raw.kind(), raw.device()));
        let (mut r, mut rest) = (axes.copy(), raw.tr());
        for i in 0..d - 1 {
            let below = axes.get(i).cumsum(0, raw.kind());
            let column = rest.select(1, i) * below;
            let normal = &column - axes.get(i) * column.norm();
            let normal = &normal / normal.norm();
            rest = &rest - normal.outer(&rest.tr().mv(&normal)) * 2;
            r = &r - r.mv(&normal).outer(&normal) * 2;
        }
        r
    }

    fn naive_rotation(raw: &Tensor) -> Tensor {
        with_determinant(&naive(raw), 1.0)
    }

    fn with_determinant(r: &Tensor, determinant: f64) -> Tensor {
        let last = r.size()[0] - 1;
        let sign = Tensor::linalg_det(&r.detach()).sign() * determinant;
        Tensor::cat(&[r.narrow(1, 0, last), r.narrow(1, last, 1) * sign], 1)
    }

    type New = fn(&Tensor) -> Box<dyn Rotation>;

    fn published(raw: &Tensor) -> Box<dyn Rotation> {
        Box::new(Householder::new(raw).unwrap())
    }

    fn rotation(raw: &Tensor) -> Box<dyn Rotation> {
        Box::new(Householder::rotation(raw).unwrap())
    }

    fn published_as_on_gpu(raw: &Tensor) -> Box<dyn Rotation> {
        Box::new(Householder::new(raw).unwrap().with_algorithm(Algorithm::Gpu))
    }

    fn rotation_as_on_gpu(raw: &Tensor) -> Box<dyn Rotation> {
        Box::new(Householder::rotation(raw).unwrap().with_algorithm(Algorithm::Gpu))
    }

    #[test]
    fn is_orthogonal() {
        checks::is_orthogonal(published);
        checks::is_orthogonal(published_as_on_gpu);
        checks::is_orthogonal(rotation);
        checks::is_orthogonal(rotation_as_on_gpu);
    }

    #[test]
    fn agrees_with_the_definition() {
        checks::agrees_with(naive, published);
        checks::agrees_with(naive, published_as_on_gpu);
        checks::agrees_with(naive_rotation, rotation);
        checks::agrees_with(naive_rotation, rotation_as_on_gpu);
    }

    #[test]
    fn gradient_agrees_with_autograd() {
        checks::gradient_agrees_with(naive, published, Tensor::shallow_clone);
        checks::gradient_agrees_with(naive, published_as_on_gpu, Tensor::shallow_clone);
        checks::gradient_agrees_with(naive_rotation, rotation, Tensor::shallow_clone);
        checks::gradient_agrees_with(naive_rotation, rotation_as_on_gpu, Tensor::shallow_clone);
    }

    #[test]
    fn gradient_agrees_with_libtorch_at_large_sizes() {
        fn by_library(raw: &Tensor) -> Tensor {
            let (q, triangle) = Tensor::linalg_qr(&raw.tr(), "reduced");
            with_determinant(&(q * triangle.detach().diagonal(0, 0, 1).sign()), 1.0)
        }
        checks::gradient_agrees_at_large_sizes(by_library, rotation, Tensor::shallow_clone);
        checks::gradient_agrees_at_large_sizes(by_library, rotation_as_on_gpu, Tensor::shallow_clone);
    }

    #[test]
    fn keeps_energy() {
        checks::keeps_energy(published);
        checks::keeps_energy(published_as_on_gpu);
    }

    #[test]
    fn scale_is_a_gauge() {
        checks::scale_is_a_gauge(published);
        checks::scale_is_a_gauge(published_as_on_gpu);
    }

    #[test]
    fn pullback_keeps_its_factors() {
        checks::pullback_keeps_its_factors(published);
        checks::pullback_keeps_its_factors(published_as_on_gpu);
    }

    #[test]
    fn passes_on_values_that_are_not_finite() {
        checks::passes_on_values_that_are_not_finite(published, &checks::NOT_FINITE);
        checks::passes_on_values_that_are_not_finite(published_as_on_gpu, &checks::NOT_FINITE);
    }

    #[test]
    fn every_reflection_flips_the_published_determinant() {
        for d in [1, 2, 3, 5, 8] {
            let raw = gaussian(&[d, d], 40 + d as u64, Kind::Double);
            let det = |rotation: Box<dyn Rotation>| {
                Tensor::linalg_det(&rotation.matrix().unwrap().unwrap()).double_value(&[])
            };
            for published in [published, published_as_on_gpu] {
                assert!((det(published(&raw)) - (-1f64).powi(d as i32 - 1)).abs() < 1e-12, "d = {d}");
            }
            for rotation in [rotation, rotation_as_on_gpu] {
                assert!((det(rotation(&raw)) - 1.0).abs() < 1e-12, "d = {d}");
            }
        }
    }

    #[test]
    fn the_identity_gives_the_identity_or_its_last_axis_reflected() {
        for d in [1, 2, 5, 6] {
            let eye = Tensor::eye(d, (Kind::Float, Device::Cpu));
            for rotation in [rotation, rotation_as_on_gpu] {
                assert_eq!(rotation(&eye).matrix().unwrap().unwrap(), eye);
            }
            let expected = eye.copy();
            let _ = expected.get(d - 1).g_mul_scalar_(if d % 2 == 0 { -1.0 } else { 1.0 });
            for published in [published, published_as_on_gpu] {
                assert_eq!(published(&eye).matrix().unwrap().unwrap(), expected);
            }
        }
    }

    #[test]
    fn is_orthogonal_without_full_rank() {
        let zero = Tensor::zeros([4, 4], tch::kind::FLOAT_CPU);
        let rank_1 = gaussian(&[6, 1], 1, Kind::Float).matmul(&gaussian(&[1, 6], 2, Kind::Float));
        for (published, rotation) in
            [(published as New, rotation as New), (published_as_on_gpu, rotation_as_on_gpu)]
        {
            assert_eq!(checks::error_of(published(&zero).as_ref()), 0.0);
            assert!(checks::error_of(rotation(&rank_1).as_ref()) < 1e-6);
        }
    }

    #[test]
    fn rejects_wrong_shapes() {
        checks::rejects_wrong_shapes(|raw| Householder::new(raw).map(|r| Box::new(r) as Box<dyn Rotation>));
        checks::rejects_wrong_shapes(|raw| {
            Householder::rotation(raw).map(|r| Box::new(r) as Box<dyn Rotation>)
        });
    }
}
