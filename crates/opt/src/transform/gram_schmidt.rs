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
//! One departure from the published form: the sign of R's last row is chosen such that det R = 1. The last row of P
//! has one dimension left and no gradient; while the others turn, what is left of it crosses 0 again and again, and
//! the published sign, its own, would reflect the neurons each time. Chosen by the determinant, R moves without
//! jumps. It starts as the published R of the same P, or of P with its last row negated, which is as likely a draw.
//!
//! The scale of P is a gauge: it changes R not at all and the gradient inversely. A P whose first d - 1 rows have not
//! full rank still gives an orthogonal R, but no finite gradient.

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
        let signs = signs(&reflections, &tau)?;
        let turned = reflections.f_ormqr(&tau, &frozen_weight.f_tr()?, true, true)?;
        let weight = turned.f_tr()?.f_mul(&signs)?.f_contiguous()?;
        let factors = Factors { reflections, tau, signs, weight: weight.shallow_clone() };
        Ok(Rotated { weight, pullback: Box::new(factors) })
    }
}

/// s, `[d]`, with the last sign such that det R = 1; the last diagonal entry of `a`, whose sign then means nothing
/// and which may be 0, becomes 1. The pullback never multiplies by it: the last row of S is 0.
fn signs(reflections: &Tensor, tau: &Tensor) -> Result<Tensor, Error> {
    let diagonal = reflections.f_diagonal(0, 0, 1)?;
    let _ = diagonal.f_narrow(0, -1, 1)?.f_fill_(1)?;
    // Not `sign`, whose 0 at 0 would erase a neuron's coordinate where P is singular.
    let signs = diagonal.f_ones_like()?.f_copysign(&diagonal)?;
    // Each reflection turns the determinant over; one with tau = 0 is none.
    let det_q =
        tau.f_ne(0)?.f_to_kind(signs.kind())?.f_mul_scalar(-2)?.f_add_scalar(1)?.f_prod(signs.kind())?;
    let det = signs.f_prod(signs.kind())?.f_mul(&det_q)?;
    signs.f_narrow(0, -1, 1)?.f_copy_(&det.f_view([1])?)?;
    Ok(signs)
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

    fn frozen_gradient(&self, weight_gradient: &Tensor) -> Result<Tensor, Error> {
        let _guard = tch::no_grad_guard();
        let signed = weight_gradient.f_mul(&self.signs)?.f_tr()?;
        Ok(self.reflections.f_ormqr(&self.tau, &signed, true, false)?.f_tr()?.f_contiguous()?)
    }
}

#[cfg(test)]
mod tests {
    use tch::Kind;

    use super::*;
    use crate::draws::gaussian;
    use crate::transform::checks;

    /// The published process, one row after another, for autograd; the last row as our departure has it.
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
    fn determinant_is_one() {
        for seed in 0..8 {
            for d in [1, 2, 5, 8] {
                let r = rotation(&gaussian(&[d, d], seed, Kind::Double)).matrix().unwrap().unwrap();
                assert!(
                    (Tensor::linalg_det(&r).double_value(&[]) - 1.0).abs() < 1e-12,
                    "d = {d} seed {seed}"
                );
            }
        }
        let eye = Tensor::eye(4, (Kind::Double, tch::Device::Cpu));
        assert_eq!(rotation(&eye).matrix().unwrap().unwrap(), eye);
    }

    #[test]
    fn moves_without_jumps_and_has_a_gradient_where_the_raw_parameter_is_singular() {
        let raw = gaussian(&[5, 5], 3, Kind::Double);
        let r = rotation(&raw).matrix().unwrap().unwrap();
        let frozen_weight = gaussian(&[3, 5], 4, Kind::Double);
        for last in [-1.0, -1e-12, 1e-12, 0.0] {
            // What is left of the last row, on its way through 0.
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
        let zero = rotation(&Tensor::zeros([4, 4], tch::kind::FLOAT_CPU));
        assert_eq!(checks::error_of(zero.as_ref()), 0.0);
    }

    #[test]
    fn refuses_other_shapes() {
        checks::refuses_other_shapes(|raw| GramSchmidt::new(raw).map(|r| Box::new(r) as Box<dyn Rotation>));
    }
}
