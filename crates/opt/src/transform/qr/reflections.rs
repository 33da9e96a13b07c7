//! The QR factorisation by Householder's reflections, as LAPACK has it.
//!
//! ```text
//! (a, tau) = geqrf(raw^T),   s = sign(diag a),   Q = Q_a diag(s),   T = s o triu(a)
//! Z = triu(a)^-1 (s o S),   dL/draw = (Z o s) Q_a^T
//! ```
//!
//! where Q_a is ormqr's product of reflections.

use tch::Tensor;

use crate::Error;
use crate::transform::transpose_difference;

/// raw^T = Q T. Rows are multiplied by Q or Q^T without forming Q.
#[derive(Debug)]
pub(in crate::transform) struct Reflections {
    /// `a`: the triangle and, below it, the reflections.
    reflections: Tensor,
    tau: Tensor,
    signs: Tensor,
}

impl Reflections {
    /// Factors `raw`^T such that Q has `determinant`, 1 or -1.
    pub(super) fn new(raw: &Tensor, determinant: f64) -> Result<Self, Error> {
        let (reflections, tau) = raw.f_tr()?.f_geqrf()?;
        let signs = signs(&reflections, &tau, determinant)?;
        Ok(Self { reflections, tau, signs })
    }

    /// (Q X)^T for `rows` = X^T, `[n, d]`, contiguous.
    pub(super) fn turn(&self, rows: &Tensor) -> Result<Tensor, Error> {
        let signed = rows.f_mul(&self.signs)?.f_tr()?;
        Ok(self.reflections.f_ormqr(&self.tau, &signed, true, false)?.f_tr()?.f_contiguous()?)
    }

    /// (Q^T X)^T for `rows` = X^T, `[n, d]`, contiguous.
    pub(super) fn turn_back(&self, rows: &Tensor) -> Result<Tensor, Error> {
        let turned = self.reflections.f_ormqr(&self.tau, &rows.f_tr()?, true, true)?;
        Ok(turned.f_tr()?.f_mul(&self.signs)?.f_contiguous()?)
    }

    /// dL/draw, `[d, d]`, contiguous, from `product` = N.
    pub(super) fn gradient(&self, product: &Tensor) -> Result<Tensor, Error> {
        // All transposed, because BLAS solves up to twice as fast from the right, and the result needs no copy.
        let mut z = transpose_difference(product)?.f_tril_(-1)?.f_mul_(&self.signs)?;
        divide_triangle(&z, &self.reflections.f_tr()?)?;
        let signed = z.f_mul_(&self.signs.f_unsqueeze(1)?)?;
        Ok(self.reflections.f_ormqr(&self.tau, &signed, true, false)?.f_tr()?.f_contiguous()?)
    }
}

/// Up to this size, a triangle is solved as a whole.
const WHOLE: i64 = 256;

/// X A^-1 in the place of X. Both are lower triangular, and so is their quotient. The solution is by halves, so that
/// BLAS does not work above the diagonal, which would be half of its work.
fn divide_triangle(x: &Tensor, a: &Tensor) -> Result<(), Error> {
    let size = x.size()[0];
    if size <= WHOLE {
        x.shallow_clone().f_copy_(&a.f_linalg_solve_triangular(x, false, false, false)?)?;
        return Ok(());
    }
    let (half, rest) = (size / 2, size - size / 2);
    let first = |m: &Tensor| m.f_narrow(0, 0, half)?.f_narrow(1, 0, half);
    let below = |m: &Tensor| m.f_narrow(0, half, rest)?.f_narrow(1, 0, half);
    let last = |m: &Tensor| m.f_narrow(0, half, rest)?.f_narrow(1, half, rest);
    divide_triangle(&first(x)?, &first(a)?)?;
    divide_triangle(&last(x)?, &last(a)?)?;
    // The last rows of X = Y A: X_21 = Y_21 A_11 + Y_22 A_21.
    let left = below(x)?.f_sub(&last(x)?.f_matmul(&below(a)?)?)?;
    below(x)?.f_copy_(&first(a)?.f_linalg_solve_triangular(&left, false, false, false)?)?;
    Ok(())
}

/// s, `[d]`. The last diagonal entry of `a`, whose sign is not used and which may be 0, becomes 1: the gradient never
/// multiplies by it, because the last row of S is 0.
fn signs(reflections: &Tensor, tau: &Tensor, determinant: f64) -> Result<Tensor, Error> {
    let diagonal = reflections.f_diagonal(0, 0, 1)?;
    let _ = diagonal.f_narrow(0, -1, 1)?.f_fill_(1)?;
    // Not `sign`, whose 0 at 0 would erase a neuron's coordinate if raw is singular.
    let signs = diagonal.f_ones_like()?.f_copysign(&diagonal)?;
    // Each reflection flips the determinant, except one with tau = 0, which is the identity.
    let det_q =
        tau.f_ne(0)?.f_to_kind(signs.kind())?.f_mul_scalar(-2)?.f_add_scalar(1)?.f_prod(signs.kind())?;
    let last = signs.f_prod(signs.kind())?.f_mul(&det_q)?.f_mul_scalar(determinant)?;
    signs.f_narrow(0, -1, 1)?.f_copy_(&last.f_view([1])?)?;
    Ok(signs)
}
