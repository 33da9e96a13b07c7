//! The QR factorisation by Cholesky's, see `orthonormal.rs`: what is made of the first d - 1 rows of raw are the first
//! columns of Q and T, and the sign of Q's last column is that of its determinant.

use tch::{Kind, Tensor};

use crate::Error;
use crate::transform::orthonormal::{Orthonormal, determinant};
use crate::transform::transpose_difference;

#[derive(Debug)]
pub(in crate::transform) struct CholeskyQr {
    /// Q^T, `[d, d]`, in float64.
    transposed: Tensor,
    /// Q^T in the kind of the raw parameter.
    rounded: Tensor,
    /// T^T but for its last row and column, `[d - 1, d - 1]`, in float64.
    triangle: Tensor,
}

impl CholeskyQr {
    /// Factors `raw`^T such that Q has `determinant_of_q`, 1 or -1.
    pub(super) fn new(raw: &Tensor, determinant_of_q: f64) -> Result<Self, Error> {
        let Orthonormal { basis, triangle } = Orthonormal::new(&raw.f_to_kind(Kind::Double)?)?;
        let sign = determinant(&basis)?.f_mul_scalar(determinant_of_q)?;
        let mut last = basis.f_narrow(0, -1, 1)?;
        let _ = last.f_mul_(&sign)?;
        Ok(Self { rounded: basis.f_to_kind(raw.kind())?, transposed: basis, triangle })
    }

    /// (Q X)^T for `rows` = X^T, `[n, d]`, contiguous.
    pub(super) fn turn(&self, rows: &Tensor) -> Result<Tensor, Error> {
        Ok(rows.f_matmul(&self.rounded)?)
    }

    /// (Q^T X)^T for `rows` = X^T, `[n, d]`, contiguous.
    pub(super) fn turn_back(&self, rows: &Tensor) -> Result<Tensor, Error> {
        Ok(rows.f_matmul(&self.rounded.f_tr()?)?)
    }

    /// dL/draw, `[d, d]`, contiguous, from `product` = N.
    pub(super) fn gradient(&self, product: &Tensor) -> Result<Tensor, Error> {
        let skew = transpose_difference(&product.f_to_kind(Kind::Double)?)?.f_tr()?.f_triu(1)?;
        let turned = skew.f_matmul(&self.transposed)?;
        // The last row of S is 0, and so is that of its quotient by T.
        let first = self.triangle.size()[0];
        let quotient = self.triangle.f_tr()?.f_linalg_solve_triangular(
            &turned.f_narrow(0, 0, first)?,
            true,
            true,
            false,
        )?;
        let mut rows = turned.f_narrow(0, 0, first)?;
        rows.f_copy_(&quotient)?;
        Ok(turned.f_to_kind(product.kind())?)
    }
}

#[cfg(test)]
mod tests {
    use crate::draws::gaussian;
    use crate::host;
    use crate::transform::{Algorithm, Rotation};
    use crate::{GramSchmidt, Householder};
    use tch::{Kind, Tensor};

    /// So training ends: the next loss is NaN.
    #[test]
    fn a_factorisation_that_fails_has_no_finite_gradient() {
        let zero_row = gaussian(&[5, 5], 1, Kind::Float);
        let _ = zero_row.get(2).zero_();
        // Rows and products of them without rounding, so that the second pivot is exactly 0.
        let equal_rows = Tensor::from_slice(&[3f32, 4.0, 0.0, 6.0, 8.0, 0.0, 0.0, 1.0, 1.0]).view([3, 3]);
        for raw in [zero_row, equal_rows] {
            let d = raw.size()[0];
            let (frozen_weight, weight_gradient) =
                (gaussian(&[4, d], 2, Kind::Float), gaussian(&[4, d], 3, Kind::Float));
            let rotations: [Box<dyn Rotation>; 2] = [
                Box::new(GramSchmidt::new(&raw).unwrap().with_algorithm(Algorithm::Gpu)),
                Box::new(Householder::new(&raw).unwrap().with_algorithm(Algorithm::Gpu)),
            ];
            for rotation in rotations {
                let rotated = rotation.rotate(&frozen_weight).unwrap();
                assert!(host::is_finite(&rotated.weight).unwrap(), "R is orthogonal");
                let gradient = rotated.pullback.gradient(&weight_gradient).unwrap();
                assert!(!host::is_finite(&gradient).unwrap(), "{rotation:?}");
                let _ = rotation.raw().shallow_clone().g_sub_(&(gradient * 1e-3));
                let next = rotation.rotate(&frozen_weight).unwrap().weight;
                assert_eq!(next.isnan().all().int64_value(&[]), 1, "{rotation:?}");
            }
        }
    }
}
