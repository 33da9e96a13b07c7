//! Singular values and vectors by the eigenvectors of P^T P, in float64: cusolver takes them ten times as fast as
//! singular values, which it has by Jacobi's rotations and, for d = 2048, only to some 1e-4 in float32.
//!
//! ```text
//! P^T P = Y Lambda Y^T,   B = P Y,   sigma_i = |B_i|,   U = B orthonormalised in order of descending sigma
//! ```
//!
//! The columns of B are orthogonal to each other up to rounding, and B_i has an error of a rounding of sigma_1. That is
//! more than a rounding of sigma_i, so columns of small singular values have to be made orthogonal again: see
//! `orthonormal.rs`. The last column of U is what the others leave, with the sign of that of B, so it is right for a
//! singular value of 0 too.
//!
//! R = U Y^T then has an error of cond(P)^2 roundings. It is the nearest matrix where M = U^T P Y is symmetric, and a
//! step of Newton towards that leaves cond(P) roundings, as singular values do:
//!
//! ```text
//! K = [(M - M^T) / (sigma_i + sigma_j)],   U <- U (I + K + K^2 / 2)
//! ```
//!
//! Entries of K above 1e-3 would cost orthogonality. They come from two singular values that are 0 up to rounding, for
//! which there is no nearest matrix, and are left out. A P of rank d - 2 or less may also give U = I.

use tch::{Kind, Tensor};

use crate::Error;
use crate::transform::orthonormal::Orthonormal;
use crate::transform::transpose_difference;

/// The largest entry of K that is used: (I + K + K^2 / 2) is orthogonal up to K^4 / 4.
const LONGEST_TURN: f64 = 1e-3;

/// U, the diagonal of Sigma, and Y, in the kind of `raw`. Reads from the device: libtorch looks whether the eigenvalues
/// converged.
pub(super) fn singular_values(raw: &Tensor) -> Result<(Tensor, Tensor, Tensor), Error> {
    let kind = raw.kind();
    let raw = raw.f_to_kind(Kind::Double)?;
    let (_, right) = raw.f_tr()?.f_matmul(&raw)?.f_linalg_eigh("L")?;
    let right = right.f_flip([1])?;
    let images = right.f_tr()?.f_matmul(&raw.f_tr()?)?;
    let values = images.f_norm_scalaropt_dim(2, 1, true)?;
    let basis = Orthonormal::new(&images.f_div(&values.f_clamp_min(f64::MIN_POSITIVE)?)?)?.basis;
    let last = basis.f_narrow(0, -1, 1)?;
    let along = last.f_mul(&images.f_narrow(0, -1, 1)?)?.f_sum(Kind::Double)?;
    let _ = last.shallow_clone().f_mul_(&along.f_ones_like()?.f_copysign(&along)?)?;
    let basis = step_to_nearest(&basis, &images, &values)?;
    let [left, right] = [basis.f_tr()?, right].map(|vectors| vectors.f_to_kind(kind)?.f_contiguous());
    Ok((left?, values.f_squeeze_dim(1)?.f_to_kind(kind)?, right?))
}

/// U^T after the step, for `basis` = U^T, `images` = B^T and `values` = sigma, `[d, 1]`.
fn step_to_nearest(basis: &Tensor, images: &Tensor, values: &Tensor) -> Result<Tensor, Error> {
    let product = images.f_matmul(&basis.f_tr()?)?;
    let sums = values.f_add(&values.f_tr()?)?.f_clamp_min(f64::MIN_POSITIVE)?;
    let turn = transpose_difference(&product)?.f_div_(&sums)?;
    let turn = turn.f_where_scalarother(&turn.f_abs()?.f_gt(LONGEST_TURN)?.f_logical_not()?, 0)?;
    let first = turn.f_matmul(basis)?;
    let second = turn.f_matmul(&first)?.f_mul_scalar(0.5)?;
    Ok(basis.f_sub(&first)?.f_add_(&second)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::draws::gaussian;

    fn error(ours: &Tensor, expected: &Tensor) -> f64 {
        ((ours - expected).norm() / expected.norm()).double_value(&[])
    }

    #[test]
    fn is_as_accurate_as_singular_values() {
        for d in [27, 144, 288, 576] {
            let raw = gaussian(&[d, d], d as u64, Kind::Double);
            let (left, values, right) = singular_values(&raw).unwrap();
            let (expected_left, expected_values, expected_right) = raw.svd(true, true);
            let condition = (&expected_values.get(0) / &expected_values.get(-1)).double_value(&[]);
            let r = error(&left.matmul(&right.tr()), &expected_left.matmul(&expected_right.tr()));
            let back = error(&(&left * &values).matmul(&right.tr()), &raw);
            let of_values = (&values - &expected_values).abs().max() / expected_values.get(0);
            println!(
                "d = {d} condition {condition:.1e}: R {r:.1e}, P {back:.1e}, values {:.1e}",
                of_values.double_value(&[])
            );
            assert!(r < 1e-13 && back < 1e-13, "d = {d}: R {r}, P {back}");
        }
    }
}
