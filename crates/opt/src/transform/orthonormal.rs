//! Orthonormal rows from the first d - 1 rows of a square matrix, in order, by Cholesky factorisations in float64:
//! matrix products and triangular divisions alone, without a read by the host.
//!
//! CholeskyQR2 of the rows A:
//!
//! ```text
//! A A^T = L_1 L_1^T,   X = L_1^-1 A,   X X^T = L_2 L_2^T,   Q = L_2^-1 X,   A = L_1 L_2 Q
//! ```
//!
//! Source: Yamamoto, Nakatsukasa, Yanagisawa and Fukaya, "Roundoff error analysis of the CholeskyQR2 algorithm", ETNA
//! 44 (2015). One round loses orthogonality by some cond(A)^2 roundings, and the second round restores it. In float64 that
//! covers condition numbers up to 1e7, where float32 has hardly a digit of Q.
//!
//! The last row is the unit vector that is orthogonal to the others: what they leave of the k-th axis,
//!
//! ```text
//! q = e_k - Q^T Q e_k,   k = argmax of 1 - sum_i Q_ik^2
//! ```
//!
//! normalised, twice for the accuracy. That quantity is the square of q's k-th entry, so at least 1 / d.

use tch::{Kind, Tensor};

use crate::Error;

/// `rows` = `triangle` times the first rows of `basis`.
#[derive(Debug)]
pub(super) struct Orthonormal {
    /// Q and below it q, `[d, d]` of float64, contiguous. The first rows are those of the identity if `rows` have no
    /// full rank.
    pub(super) basis: Tensor,
    /// L_1 L_2, `[d - 1, d - 1]` of float64, lower triangular with a positive diagonal. NaN if `rows` have no full
    /// rank.
    pub(super) triangle: Tensor,
}

impl Orthonormal {
    /// Takes `matrix`, `[d, d]` of float64. All is NaN if an entry is not finite, one of the last row included.
    pub(super) fn new(matrix: &Tensor) -> Result<Self, Error> {
        let d = matrix.size()[0];
        let options = (Kind::Double, matrix.device());
        let rows = matrix.f_narrow(0, 0, d - 1)?;
        let (first, rows, first_info) = round(&rows)?;
        let (second, rows, second_info) = round(&rows)?;
        let triangle = first.f_matmul(&second)?;

        // 0, or NaN if an entry is not finite.
        let zero = matrix.f_norm()?.f_mul_scalar(0)?;
        let has_full_rank = first_info.f_add(&second_info)?.f_eq(0)?;
        let axes = Tensor::f_eye(d, options)?;
        let rows = rows.f_where_self(&has_full_rank, &axes.f_narrow(0, 0, d - 1)?)?.f_add(&zero)?;
        let triangle = triangle.f_where_scalarother(&has_full_rank, f64::NAN)?;
        let last = orthogonal_to(&rows, &axes)?;
        Ok(Self { basis: Tensor::f_cat(&[&rows, &last.f_add(&zero)?], 0)?, triangle })
    }
}

/// L, L^-1 A and 0, or another number where A has no full rank, for `rows` = A, with A A^T = L L^T.
fn round(rows: &Tensor) -> Result<(Tensor, Tensor, Tensor), Error> {
    let (lower, info) = rows.f_matmul(&rows.f_tr()?)?.f_linalg_cholesky_ex(false, false)?;
    let divided = lower.f_linalg_solve_triangular(rows, false, true, false)?;
    Ok((lower, divided, info.f_abs()?))
}

/// q, `[1, d]`, for orthonormal `rows` = Q, `[d - 1, d]`, and `axes` = I.
fn orthogonal_to(rows: &Tensor, axes: &Tensor) -> Result<Tensor, Error> {
    let left = rows.f_square()?.f_sum_dim_intlist(0, false, Kind::Double)?.f_neg()?;
    let mut last = axes.f_index_select(0, &left.f_argmax(0, true)?)?;
    for _ in 0..2 {
        let rest = last.f_sub(&last.f_matmul(&rows.f_tr()?)?.f_matmul(rows)?)?;
        last = rest.f_div(&rest.f_norm()?)?;
    }
    Ok(last)
}

/// The determinant of an orthogonal `matrix`, 1 or -1, as a tensor without dimensions: the sign of U's diagonal in an
/// LU factorisation.
///
/// A GPU takes it without pivots. In float64, on a matrix of condition number 1, that gives a wrong sign only where a
/// leading minor is 0 up to 1e-12, which needs a matrix made for it, such as a permutation. The sign is 1 where a minor
/// is exactly 0.
pub(super) fn determinant(matrix: &Tensor) -> Result<Tensor, Error> {
    let pivot = !matrix.device().is_cuda();
    let (factors, pivots, _) = Tensor::f_linalg_lu_factor_ex(matrix, pivot, false)?;
    // LAPACK's numbers: row i was swapped with row pivots[i], from 1.
    let rows = Tensor::f_arange_start(1, matrix.size()[0] + 1, (Kind::Int, matrix.device()))?;
    let swaps = pivots.f_ne_tensor(&rows)?.f_to_kind(Kind::Double)?.f_mul_scalar(-2)?.f_add_scalar(1)?;
    let sign = factors.f_diagonal(0, 0, 1)?.f_sign()?.f_mul(&swaps)?.f_prod(Kind::Double)?;
    Ok(sign.f_where_scalarother(&sign.f_abs()?.f_eq(1)?, 1.0)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::draws::gaussian;
    use crate::orthogonality_error;

    fn is_finite(tensor: &Tensor) -> bool {
        tensor.isfinite().all().int64_value(&[]) == 1
    }

    /// Rows of singular values from 1 down to 1 / `condition`.
    fn conditioned(d: i64, condition: f64) -> Tensor {
        let [left, right] =
            [1, 2].map(|seed| Tensor::linalg_qr(&gaussian(&[d, d], seed, Kind::Double), "reduced").0);
        let exponents = Tensor::linspace(0.0, -condition.ln(), d, (Kind::Double, tch::Device::Cpu));
        (left * exponents.exp()).matmul(&right)
    }

    #[test]
    fn rows_are_orthonormal_and_give_the_matrix_back() {
        for d in [1, 2, 3, 27, 144] {
            for condition in [1.0, 1e3, 1e6] {
                let matrix = conditioned(d, condition);
                let Orthonormal { basis, triangle } = Orthonormal::new(&matrix).unwrap();
                let error = orthogonality_error(&basis).unwrap();
                assert!(error < 1e-14 * (10.0 + d as f64), "d = {d} condition {condition:e}: {error:e}");
                let (rows, basis) = (matrix.narrow(0, 0, d - 1), basis.narrow(0, 0, d - 1));
                assert!(triangle.matmul(&basis).allclose(&rows, 1e-12, 1e-13, false), "d = {d}");
                assert_eq!(triangle, triangle.tril(0));
            }
        }
    }

    #[test]
    fn the_last_row_of_the_matrix_does_not_matter() {
        let matrix = gaussian(&[6, 6], 1, Kind::Double);
        let expected = Orthonormal::new(&matrix).unwrap().basis;
        matrix.get(5).copy_(&matrix.get(2));
        assert_eq!(Orthonormal::new(&matrix).unwrap().basis, expected);
    }

    #[test]
    fn rows_without_full_rank_give_the_identity_and_no_triangle() {
        for rank in 0..5 {
            let matrix = gaussian(&[6, rank], 1, Kind::Double).matmul(&gaussian(&[rank, 6], 2, Kind::Double));
            let Orthonormal { basis, triangle } = Orthonormal::new(&matrix).unwrap();
            assert!(orthogonality_error(&basis).unwrap() < 1e-13, "rank {rank}");
            assert!(is_finite(&triangle) || triangle.isnan().all().int64_value(&[]) == 1, "rank {rank}");
        }
        let zeros = Orthonormal::new(&Tensor::zeros([4, 4], tch::kind::DOUBLE_CPU)).unwrap();
        assert_eq!(zeros.basis, Tensor::eye(4, tch::kind::DOUBLE_CPU));
        assert!(!is_finite(&zeros.triangle));
    }

    #[test]
    fn determinant_is_that_of_libtorch() {
        for d in [1, 2, 3, 8, 27] {
            for seed in 0..8 {
                let matrix = Tensor::linalg_qr(&gaussian(&[d, d], seed, Kind::Double), "reduced").0;
                let expected = Tensor::linalg_det(&matrix).round();
                assert_eq!(determinant(&matrix).unwrap(), expected, "d = {d} seed {seed}");
            }
        }
    }
}
