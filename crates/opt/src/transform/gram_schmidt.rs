//! The Gram-Schmidt parametrisation, OPT (GS): the rows of R are the rows of P, orthonormalised in order.
//!
//! Source: Liu et al., CVPR 2021 (<https://arxiv.org/abs/2004.04690>), section "Unrolling Orthogonalization
//! Algorithms". That is the QR factorisation P^T = Q T with T's diagonal positive, which Householder reflections
//! reach without the loss of orthogonality that the published row-by-row process suffers in float32:
//!
//! ```text
//! W = R V = Q^T V,   N = G W^T,   dL/dP as for any such Q
//! ```
//!
//! for G = dL/dW; `qr/` has the factorisation, for a GPU another one, and its gradient.
//!
//! One departure from the published form: the sign of R's last row is chosen such that det R = 1, so that R moves
//! without jumps where the published sign, the last row's own, would reflect the neurons. R starts as the published
//! one of the same P, or of P with its last row negated, which is as likely a draw.
//!
//! The scale of P is a gauge: R does not depend on it, and the gradient is inversely proportional to it. A P whose
//! first d - 1 rows do not have full rank still gives an orthogonal R, but no finite gradient.

use tch::Tensor;

use super::algorithm::Algorithm;
use super::qr::Qr;
use super::{Pullback, Rotated, Rotation, check_frozen_weight, square};
use crate::Error;

/// R = the rows of the raw parameter P, `[d, d]`, orthonormalised in order.
#[derive(Debug)]
pub struct GramSchmidt {
    raw: Tensor,
    algorithm: Algorithm,
}

impl GramSchmidt {
    /// Takes `raw` = P, `[d, d]`, of full rank: N(0, 1) as published, or I for R = I.
    ///
    /// # Errors
    /// [`Error::RawShape`] unless `raw` is square and not empty.
    pub fn new(raw: &Tensor) -> Result<Self, Error> {
        Ok(Self { raw: square(raw)?, algorithm: Algorithm::of(raw.device()) })
    }

    /// Replaces the algorithm that [`new`](Self::new) chose by the device.
    #[must_use]
    pub fn with_algorithm(self, algorithm: Algorithm) -> Self {
        Self { algorithm, ..self }
    }
}

impl Rotation for GramSchmidt {
    fn raw(&self) -> &Tensor {
        &self.raw
    }

    fn rotate(&self, frozen_weight: &Tensor) -> Result<Rotated, Error> {
        check_frozen_weight(&self.raw, frozen_weight)?;
        let _guard = tch::no_grad_guard();
        let qr = Qr::new(&self.raw, 1.0, self.algorithm)?;
        let weight = qr.turn_back(frozen_weight)?;
        let factors = Factors { qr, weight: weight.shallow_clone() };
        Ok(Rotated { weight, pullback: Box::new(factors) })
    }
}

#[derive(Debug)]
struct Factors {
    qr: Qr,
    /// W^T, `[n, d]`.
    weight: Tensor,
}

impl Pullback for Factors {
    fn gradient(&self, weight_gradient: &Tensor) -> Result<Tensor, Error> {
        let _guard = tch::no_grad_guard();
        self.qr.gradient(&weight_gradient.f_tr()?.f_matmul(&self.weight)?)
    }

    fn frozen_gradient(&self, weight_gradient: &Tensor) -> Result<Tensor, Error> {
        let _guard = tch::no_grad_guard();
        self.qr.turn(weight_gradient)
    }
}

#[cfg(test)]
mod tests {
    use tch::Kind;

    use super::*;
    use crate::draws::gaussian;
    use crate::transform::checks;

    /// The published process, one row after another, for autograd, with our departure for the last row.
    fn naive(raw: &Tensor) -> Tensor {
        let mut rows: Vec<Tensor> = Vec::new();
        for i in 0..raw.size()[0] {
            let row = raw.get(i);
            let rest = rows.iter().fold(row.shallow_clone(), |rest, q| rest - q * q.dot(&row));
            rows.push(&rest / rest.norm());
        }
        let det = Tensor::linalg_det(&Tensor::stack(&rows, 0)).detach().sign();
        let last = rows.pop().unwrap();
        rows.push(last * det);
        Tensor::stack(&rows, 0)
    }

    fn rotation(raw: &Tensor) -> Box<dyn Rotation> {
        Box::new(GramSchmidt::new(raw).unwrap())
    }

    fn as_on_gpu(raw: &Tensor) -> Box<dyn Rotation> {
        Box::new(GramSchmidt::new(raw).unwrap().with_algorithm(Algorithm::Gpu))
    }

    #[test]
    fn is_orthogonal() {
        checks::is_orthogonal(rotation);
        checks::is_orthogonal(as_on_gpu);
    }

    #[test]
    fn agrees_with_the_definition() {
        checks::agrees_with(naive, rotation);
        checks::agrees_with(naive, as_on_gpu);
    }

    #[test]
    fn gradient_agrees_with_autograd() {
        checks::gradient_agrees_with(naive, rotation, Tensor::shallow_clone);
        checks::gradient_agrees_with(naive, as_on_gpu, Tensor::shallow_clone);
    }

    #[test]
    fn gradient_agrees_with_libtorch_at_large_sizes() {
        // The signs of the diagonal are constant where they are not zero.
        fn by_library(raw: &Tensor) -> Tensor {
            let (q, triangle) = Tensor::linalg_qr(&raw.tr(), "reduced");
            let r = (q * triangle.detach().diagonal(0, 0, 1).sign()).tr();
            let det = Tensor::linalg_det(&r.detach()).sign();
            let rows = r.size()[0] - 1;
            Tensor::cat(&[r.narrow(0, 0, rows), r.narrow(0, rows, 1) * det], 0)
        }
        checks::gradient_agrees_at_large_sizes(by_library, rotation, Tensor::shallow_clone);
        checks::gradient_agrees_at_large_sizes(by_library, as_on_gpu, Tensor::shallow_clone);
    }

    #[test]
    fn scale_is_a_gauge() {
        checks::scale_is_a_gauge(rotation);
        checks::scale_is_a_gauge(as_on_gpu);
    }

    #[test]
    fn pullback_keeps_its_factors() {
        checks::pullback_keeps_its_factors(rotation);
        checks::pullback_keeps_its_factors(as_on_gpu);
    }

    #[test]
    fn passes_on_values_that_are_not_finite() {
        checks::passes_on_values_that_are_not_finite(rotation, &checks::NOT_FINITE);
        checks::passes_on_values_that_are_not_finite(as_on_gpu, &checks::NOT_FINITE);
    }

    #[test]
    fn keeps_energy() {
        checks::keeps_energy(rotation);
        checks::keeps_energy(as_on_gpu);
    }

    #[test]
    fn determinant_is_one() {
        for seed in 0..8 {
            for d in [1, 2, 5, 8] {
                let raw = gaussian(&[d, d], seed, Kind::Double);
                for rotation in [rotation, as_on_gpu] {
                    let determinant = Tensor::linalg_det(&rotation(&raw).matrix().unwrap().unwrap());
                    assert!((determinant.double_value(&[]) - 1.0).abs() < 1e-12, "d = {d} seed {seed}");
                }
            }
        }
        let eye = Tensor::eye(4, (Kind::Double, tch::Device::Cpu));
        for rotation in [rotation, as_on_gpu] {
            assert_eq!(rotation(&eye).matrix().unwrap().unwrap(), eye);
        }
    }

    #[test]
    fn is_continuous_and_has_a_gradient_at_a_singular_raw_parameter() {
        let raw = gaussian(&[5, 5], 3, Kind::Double);
        let r = rotation(&raw).matrix().unwrap().unwrap();
        let frozen_weight = gaussian(&[3, 5], 4, Kind::Double);
        let forms = [rotation, as_on_gpu];
        for (last, rotation) in
            [-1.0, -1e-12, 1e-12, 0.0].into_iter().flat_map(|last| forms.map(|form| (last, form)))
        {
            // The rest of the last row passes through 0.
            let crossing = raw.copy();
            crossing.get(4).copy_(&(r.get(4) * last));
            let rotation = rotation(&crossing);
            let rotated = rotation.rotate(&frozen_weight).unwrap();
            let gradient = rotated.pullback.gradient(&gaussian(&[3, 5], 5, Kind::Double)).unwrap();
            assert!(gradient.isfinite().all().int64_value(&[]) == 1, "{last}");
            assert!(rotation.matrix().unwrap().unwrap().allclose(&r, 1e-9, 1e-9, false), "{last}");
        }
    }

    #[test]
    fn is_orthogonal_without_full_rank() {
        for rotation in [rotation, as_on_gpu] {
            let zero = rotation(&Tensor::zeros([4, 4], tch::kind::FLOAT_CPU));
            assert_eq!(checks::error_of(zero.as_ref()), 0.0);
        }
    }

    #[test]
    fn rejects_wrong_shapes() {
        checks::rejects_wrong_shapes(|raw| GramSchmidt::new(raw).map(|r| Box::new(r) as Box<dyn Rotation>));
    }
}
