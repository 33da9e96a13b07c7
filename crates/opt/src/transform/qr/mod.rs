//! The QR factorisation of the transposed raw parameter, shared by the transforms that take their rotation from it.
//!
//! ```text
//! raw^T = Q T
//! ```
//!
//! The diagonal of T is positive but for its last entry, whose sign is chosen by the determinant that Q shall have: the
//! last column has one dimension left and no gradient. While the others turn, what is left of the raw one crosses 0
//! again and again, and a sign of its own would reflect the neurons each time; chosen by the determinant, Q moves
//! without jumps.
//!
//! For the gradient let the loss depend on Q^T B by N = (dL/d(Q^T B)) (Q^T B)^T. As dQ = Q K with a skew K, only the
//! skew part of N acts:
//!
//! ```text
//! S = triu(N - N^T, 1),   dL/draw = T^-1 S Q^T
//! ```

pub(super) mod cholesky;
mod reflections;

use tch::Tensor;

use self::cholesky::CholeskyQr;
use self::reflections::Reflections;
use super::Algorithm;
use crate::Error;

/// raw^T = Q T.
#[derive(Debug)]
pub(super) enum Qr {
    Reflections(Reflections),
    Cholesky(CholeskyQr),
}

impl Qr {
    /// Factors `raw`^T such that Q has `determinant`, 1 or -1.
    pub(super) fn new(raw: &Tensor, determinant: f64, algorithm: Algorithm) -> Result<Self, Error> {
        Ok(match algorithm {
            Algorithm::Cpu => Self::Reflections(Reflections::new(raw, determinant)?),
            Algorithm::Gpu => Self::Cholesky(CholeskyQr::new(raw, determinant)?),
        })
    }

    /// (Q X)^T for `rows` = X^T, `[n, d]`, contiguous.
    pub(super) fn turn(&self, rows: &Tensor) -> Result<Tensor, Error> {
        match self {
            Self::Reflections(qr) => qr.turn(rows),
            Self::Cholesky(qr) => qr.turn(rows),
        }
    }

    /// (Q^T X)^T for `rows` = X^T, `[n, d]`, contiguous.
    pub(super) fn turn_back(&self, rows: &Tensor) -> Result<Tensor, Error> {
        match self {
            Self::Reflections(qr) => qr.turn_back(rows),
            Self::Cholesky(qr) => qr.turn_back(rows),
        }
    }

    /// dL/draw, `[d, d]`, contiguous, from `product` = N.
    pub(super) fn gradient(&self, product: &Tensor) -> Result<Tensor, Error> {
        match self {
            Self::Reflections(qr) => qr.gradient(product),
            Self::Cholesky(qr) => qr.gradient(product),
        }
    }
}
