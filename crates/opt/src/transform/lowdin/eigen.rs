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
//! singular value of 0 too. What remains are errors of some cond(P)^2 roundings of float64 within the plane of the two
//! smallest singular values, less than cond(P) roundings of float32 while cond(P) < 5e8.
//!
//! A P of rank d - 2 or less gives U = I.

use tch::{Kind, Tensor};

use crate::Error;
use crate::transform::orthonormal::Orthonormal;

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
    let [left, right] = [basis.f_tr()?, right].map(|vectors| vectors.f_to_kind(kind)?.f_contiguous());
    Ok((left?, values.f_squeeze_dim(1)?.f_to_kind(kind)?, right?))
}
