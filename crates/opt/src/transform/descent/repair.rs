//! Removes the drift of the neurons' angles and lengths that rounding and the fixed point cause.
//!
//! W has drifted from the orbit {R V}; the nearest point of the orbit is R V with R the polar factor of W V^T
//! (Schönemann, "A generalized solution of the orthogonal Procrustes problem", Psychometrika 1966). No `[d, d]`
//! matrix is needed if n < d: with the QR factorisations W = Q T and V = Q_V T_V,
//!
//! ```text
//! T T_V^T = U Sigma Z^T,   R V = Q U Z^T T_V
//! ```
//!
//! This also holds for more neurons than dimensions, and without full rank: if R V leaves R undetermined, any choice of
//! U and Z gives the same R V.

use tch::{Kind, Tensor};

use crate::Error;
use crate::transform::canonical;

/// Stores the Gram matrix of V as the triangle of its QR factorisation.
#[derive(Debug)]
pub struct Repair {
    /// T_V, `[min(n, d), n]`, in float64: the repair is rare, and the result is rounded only once.
    triangle: Tensor,
}

impl Repair {
    /// Stores V^T = `frozen_weight`, `[n, d]`.
    pub fn new(frozen_weight: &Tensor) -> Result<Self, Error> {
        let _guard = tch::no_grad_guard();
        let (_, triangle) = qr(frozen_weight)?;
        Ok(Self { triangle: canonical(&triangle)? })
    }

    /// T_V, the only state.
    pub fn triangle(&self) -> &Tensor {
        &self.triangle
    }

    /// Moves `weight` = W^T, `[n, d]`, in place. A weight that is not finite is left unchanged. Reads nothing itself, but
    /// libtorch looks on a GPU whether the singular values converged.
    pub fn apply(&self, weight: &mut Tensor) -> Result<(), Error> {
        let is_finite = weight.f_isfinite()?.f_all()?;
        let (q, triangle) = qr(weight)?;
        let product = triangle.f_matmul(&self.triangle.f_tr()?)?;
        // Numbers that are not finite have no singular values, which would be an error.
        let (u, _, z) = product.f_where_scalarother(&is_finite, 0)?.f_svd(true, true)?;
        let repaired = q.f_matmul(&u.f_matmul(&z.f_tr()?.f_matmul(&self.triangle)?)?)?;
        let repaired = repaired.f_tr()?.f_to_kind(weight.kind())?;
        let moved = repaired.f_where_self(&is_finite, weight)?;
        weight.f_copy_(&moved)?;
        Ok(())
    }
}

/// The Gram matrix of the neurons as columns, in float64.
fn qr(rows: &Tensor) -> Result<(Tensor, Tensor), Error> {
    Ok(Tensor::f_linalg_qr(&rows.f_to_kind(Kind::Double)?.f_tr()?, "reduced")?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::draws::gaussian;
    use crate::{Cayley, Rotation, gram_drift};

    #[test]
    fn moves_to_the_nearest_rotation_of_the_neurons() {
        for (n, d) in [(1, 1), (3, 8), (8, 8), (11, 5)] {
            let frozen_weight = gaussian(&[n, d], 1, Kind::Double);
            let cayley = Cayley::new(&gaussian(&[d, d], 2, Kind::Double)).unwrap();
            let rotated = cayley.rotate(&frozen_weight).unwrap().weight;
            let repair = Repair::new(&frozen_weight).unwrap();
            // A rotation stays, and a drifted weight returns to its nearest rotation.
            for size in [0.0, 1e-6, 1e-3] {
                let drifted = &rotated + gaussian(&[n, d], 3, Kind::Double) * size;
                let mut weight = drifted.copy();
                repair.apply(&mut weight).unwrap();
                assert!(gram_drift(&weight, &frozen_weight).unwrap() < 1e-13, "n = {n} d = {d}");
                let distance = |to: &Tensor| (to - &drifted).norm().double_value(&[]);
                assert!(distance(&weight) <= distance(&rotated) + 1e-13, "n = {n} d = {d}");
            }
        }
    }

    #[test]
    fn rounds_once_in_float32() {
        let frozen_weight = gaussian(&[20, 50], 1, Kind::Float);
        let mut weight = frozen_weight.copy();
        Repair::new(&frozen_weight).unwrap().apply(&mut weight).unwrap();
        assert!(weight.allclose(&frozen_weight, 6e-8, 1e-12, false));
    }
}
