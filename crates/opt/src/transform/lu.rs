//! An LU factorisation that divides rows from the right.
//!
//! ```text
//! N = P L U,   X N^-1 = X U^-1 L^-1 P^T,   X N^-T = X P L^-T U^-T
//! ```
//!
//! On a CPU the divisions are triangular ones. libtorch's own `linalg_lu_solve` divides columns from the left, with
//! BLAS's strsm. From the right strsm is up to twice as fast (75 to 80 gigaflops against 35 to 60 on one core of a
//! Zen 4 with MKL, where a product reaches 105), and neurons are rows.
//!
//! On a GPU `linalg_lu_solve` is the faster one, 1.0 ms against 1.9 on an H200 at d = 2048 and n = 128, and the search
//! for pivots takes most of the factorisation, 3.9 of 4.6 ms. So P = I there, which is safe for a positive definite
//! matrix, symmetric or not: Golub and Van Loan, "Unsymmetric positive definite linear systems", Linear Algebra and its
//! Applications 28 (1979). With T and S the symmetric and skew parts of N, every Schur complement is positive definite
//! too, and | |L| |U| | is at most d (|T| + |S T^-1 S|).

use tch::Tensor;

use super::algorithm::Algorithm;
use crate::Error;

#[derive(Debug)]
pub(super) struct Lu {
    /// U and, below its diagonal, L without its own, which is 1.
    factors: Tensor,
    division: Division,
}

#[derive(Debug)]
enum Division {
    Triangles {
        /// For each column of X P, its index in X.
        permuted: Tensor,
        /// For each column of X P^T, its index in X.
        restored: Tensor,
    },
    Library {
        /// As libtorch numbers them.
        pivots: Tensor,
    },
}

impl Lu {
    /// Factors `matrix` = N, `[d, d]`, positive definite, in column order for speed. A singular matrix is not detected,
    /// because the check would make a GPU wait.
    pub(super) fn new(matrix: &Tensor, algorithm: Algorithm) -> Result<Self, Error> {
        // libtorch has no factorisation without pivots on a CPU.
        let pivot = !matrix.device().is_cuda();
        let (factors, pivots, _) = Tensor::f_linalg_lu_factor_ex(matrix, pivot, false)?;
        let division = match algorithm {
            Algorithm::Cpu => Division::triangles(&factors, &pivots)?,
            Algorithm::Gpu => Division::Library { pivots },
        };
        Ok(Self { factors, division })
    }

    /// X N^-1 for `rows` = X, `[n, d]`, contiguous.
    pub(super) fn divide(&self, rows: &Tensor) -> Result<Tensor, Error> {
        match &self.division {
            Division::Triangles { restored, .. } => {
                let rows = self.factors.f_linalg_solve_triangular(rows, true, false, false)?;
                let rows = self.factors.f_linalg_solve_triangular(&rows, false, false, true)?;
                Ok(rows.f_contiguous()?.f_index_select(1, restored)?)
            }
            Division::Library { pivots } => self.solve(pivots, rows, false),
        }
    }

    /// X N^-T for `rows` = X, `[n, d]`, contiguous.
    pub(super) fn divide_by_transpose(&self, rows: &Tensor) -> Result<Tensor, Error> {
        match &self.division {
            Division::Triangles { permuted, .. } => {
                let transposed = self.factors.f_tr()?;
                let rows = rows.f_index_select(1, permuted)?;
                let rows = transposed.f_linalg_solve_triangular(&rows, true, false, true)?;
                Ok(transposed.f_linalg_solve_triangular(&rows, false, false, false)?.f_contiguous()?)
            }
            Division::Library { pivots } => self.solve(pivots, rows, true),
        }
    }

    fn solve(&self, pivots: &Tensor, rows: &Tensor, transpose: bool) -> Result<Tensor, Error> {
        Ok(Tensor::f_linalg_lu_solve(&self.factors, pivots, rows, false, transpose)?.f_contiguous()?)
    }
}

impl Division {
    fn triangles(factors: &Tensor, pivots: &Tensor) -> Result<Self, Error> {
        let (permutation, _, _) = Tensor::f_lu_unpack(factors, pivots, false, true)?;
        let restored = permutation.f_argmax(1, false)?;
        let permuted = restored.f_argsort(0, false)?;
        Ok(Self::Triangles { permuted, restored })
    }
}

#[cfg(test)]
mod tests {
    use tch::Kind;

    use super::*;
    use crate::draws::gaussian;

    #[test]
    fn undoes_products_from_the_right() {
        for d in [1, 2, 3, 16, 65] {
            for n in [1, d, d + 3] {
                let (matrix, rows) = (gaussian(&[d, d], 1, Kind::Double), gaussian(&[n, d], 2, Kind::Double));
                for algorithm in [Algorithm::Cpu, Algorithm::Gpu] {
                    let lu = Lu::new(&matrix.tr(), algorithm).unwrap();
                    let same = |divided: Tensor| {
                        assert!(divided.is_contiguous());
                        assert!(divided.allclose(&rows, 1e-9, 1e-9, false), "{algorithm:?} d = {d} n = {n}");
                    };
                    same(lu.divide(&rows.matmul(&matrix.tr())).unwrap());
                    same(lu.divide_by_transpose(&rows.matmul(&matrix)).unwrap());
                }
            }
        }
    }

    /// Elimination without pivots, entry by entry.
    fn without_pivots(matrix: &Tensor) -> Tensor {
        let (factors, d) = (matrix.copy(), matrix.size()[0]);
        for k in 0..d - 1 {
            let rest = d - k - 1;
            let below = factors.narrow(0, k + 1, rest);
            let column = below.narrow(1, k, 1);
            let _ = column.shallow_clone().g_div_(&factors.get(k).get(k));
            let row = factors.get(k).narrow(0, k + 1, rest);
            let _ = below.narrow(1, k + 1, rest).g_sub_(&column.matmul(&row.unsqueeze(0)));
        }
        factors
    }

    /// What a GPU computes: its solution without pivots against libtorch's in float64.
    #[test]
    fn needs_no_pivots_where_the_symmetric_part_is_the_identity() {
        for (d, scale) in [(16, 0.25), (144, 1.0 / 12.0), (288, 1.0 / 17.0), (144, 1.0)] {
            let raw = gaussian(&[d, d], d as u64, Kind::Float) * scale;
            let matrix = Tensor::eye(d, (Kind::Float, tch::Device::Cpu)) + &raw - raw.tr();
            let rows = gaussian(&[24, d], 1, Kind::Float);
            let exact =
                Tensor::linalg_solve(&matrix.to_kind(Kind::Double), &rows.to_kind(Kind::Double), false);
            let error = |divided: Tensor| {
                let difference = divided.to_kind(Kind::Double) - &exact;
                (difference.norm() / exact.norm()).double_value(&[])
            };
            let pivots = Tensor::arange_start(1, d + 1, (Kind::Int, tch::Device::Cpu));
            let division = Division::Library { pivots };
            let without = error(Lu { factors: without_pivots(&matrix), division }.divide(&rows).unwrap());
            let with = error(Lu::new(&matrix, Algorithm::Gpu).unwrap().divide(&rows).unwrap());
            println!("d = {d} scale {scale:.2}: {without:.1e} without pivots, {with:.1e} with");
            assert!(without < 5.0 * with, "d = {d} scale {scale}: {without} without pivots, {with} with");
        }
    }
}
