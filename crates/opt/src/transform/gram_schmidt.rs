//! The Gram-Schmidt parametrisation, OPT (GS): the rows of R are the rows of P, orthonormalised in order.
//!
//! Source: Liu et al., CVPR 2021 (<https://arxiv.org/abs/2004.04690>), section "Unrolling Orthogonalization
//! Algorithms". That is the QR factorisation P^T = Q T with T's diagonal positive, R = Q^T, which Householder
//! reflections reach without the loss of orthogonality that the published row-by-row process suffers in float32:
//!
//! ```text
//! (a, tau) = geqrf(P^T),   s = sign(diag a),   W = R V = s o (Q_a^T V)
//! ```
//!
//! where Q_a = ormqr's product of reflections and T = s o triu(a). For G = dL/dW, dR = K R for a skew K, so only
//! the skew part of N = G W^T acts:
//!
//! ```text
//! S = triu(N - N^T, 1),   Z = triu(a)^-1 (s o S),   dL/dP = (Z o s) Q_a^T
//! ```
//!
//! det R has the sign of det P. The scale of P is a gauge: it changes R not at all and the gradient inversely. A P
//! without full rank still gives an orthogonal R, but no finite gradient.

use tch::Tensor;

use super::{Pullback, Rotated, Rotation, check_frozen_weight, square, transpose_difference};
use crate::Error;

/// R = the rows of the raw parameter P, `[d, d]`, orthonormalised in order.
#[derive(Debug)]
pub struct GramSchmidt {
    raw: Tensor,
}

impl GramSchmidt {
    /// Takes `raw` = P, `[d, d]`, of full rank: N(0, 1) as published, or I for R = I.
    ///
    /// # Errors
    /// [`Error::RawShape`] unless `raw` is square and not empty.
    pub fn new(raw: &Tensor) -> Result<Self, Error> {
        Ok(Self { raw: square(raw)? })
    }
}

impl Rotation for GramSchmidt {
    fn raw(&self) -> &Tensor {
        &self.raw
    }

    fn rotate(&self, frozen_weight: &Tensor) -> Result<Rotated, Error> {
        check_frozen_weight(&self.raw, frozen_weight)?;
        let _guard = tch::no_grad_guard();
        let (reflections, tau) = self.raw.f_tr()?.f_geqrf()?;
        let diagonal = reflections.f_diagonal(0, 0, 1)?;
        // Not `sign`, whose 0 at 0 would erase a neuron's coordinate where P is singular.
        let signs = diagonal.f_ones_like()?.f_copysign(&diagonal)?;
        let turned = reflections.f_ormqr(&tau, &frozen_weight.f_tr()?, true, true)?;
        let weight = turned.f_tr()?.f_mul(&signs)?.f_contiguous()?;
        let factors = Factors { reflections, tau, signs, weight: weight.shallow_clone() };
        Ok(Rotated { weight, pullback: Box::new(factors) })
    }
}

#[derive(Debug)]
struct Factors {
    /// `a`: the triangle and, below it, the reflections that made it.
    reflections: Tensor,
    tau: Tensor,
    signs: Tensor,
    /// W^T, `[n, d]`.
    weight: Tensor,
}

impl Pullback for Factors {
    fn gradient(&self, weight_gradient: &Tensor) -> Result<Tensor, Error> {
        let _guard = tch::no_grad_guard();
        let product = weight_gradient.f_tr()?.f_matmul(&self.weight)?;
        // S^T is built by rows, so that S comes in LAPACK's column order and nothing below has to copy it.
        let skew = transpose_difference(&product)?.f_tril(-1)?.f_tr()?;
        let signed = skew.f_mul(&self.signs.f_unsqueeze(1)?)?;
        let solved = self.reflections.f_linalg_solve_triangular(&signed, true, true, false)?;
        let gradient = self.reflections.f_ormqr(&self.tau, &solved.f_mul(&self.signs)?, false, true)?;
        Ok(gradient.f_contiguous()?)
    }
}

#[cfg(test)]
mod tests {
    use tch::Kind;

    use super::*;
    use crate::draws::gaussian;
    use crate::transform::checks;

    /// The published process, one row after another, for autograd.
    fn naive(raw: &Tensor) -> Tensor {
        let mut rows: Vec<Tensor> = Vec::new();
        for i in 0..raw.size()[0] {
            let row = raw.get(i);
            let rest = rows.iter().fold(row.shallow_clone(), |rest, q| rest - q * q.dot(&row));
            rows.push(&rest / rest.norm());
        }
        Tensor::stack(&rows, 0)
    }

    fn rotation(raw: &Tensor) -> Box<dyn Rotation> {
        Box::new(GramSchmidt::new(raw).unwrap())
    }

    #[test]
    fn is_orthogonal() {
        checks::is_orthogonal(rotation);
    }

    #[test]
    fn agrees_with_the_definition() {
        checks::agrees_with(naive, rotation);
    }

    #[test]
    fn gradient_agrees_with_autograd() {
        checks::gradient_agrees_with(naive, rotation, Tensor::shallow_clone);
    }

    #[test]
    fn keeps_energy() {
        checks::keeps_energy(rotation);
    }

    #[test]
    fn determinant_has_the_sign_of_the_raw_one() {
        for seed in 0..8 {
            let raw = gaussian(&[5, 5], seed, Kind::Double);
            let r = rotation(&raw).matrix().unwrap();
            let expected = Tensor::linalg_det(&raw).double_value(&[]).signum();
            assert!((Tensor::linalg_det(&r).double_value(&[]) - expected).abs() < 1e-12, "seed {seed}");
        }
    }

    #[test]
    fn is_orthogonal_without_full_rank() {
        assert_eq!(
            rotation(&Tensor::zeros([4, 4], tch::kind::FLOAT_CPU)).orthogonality_error().unwrap(),
            0.0
        );
    }

    #[test]
    fn refuses_other_shapes() {
        checks::refuses_other_shapes(|raw| GramSchmidt::new(raw).map(|r| Box::new(r) as Box<dyn Rotation>));
    }
}
