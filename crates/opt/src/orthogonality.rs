//! How orthogonal a matrix is.

use tch::Tensor;

use crate::Error;

/// max |R^T R - I| over the entries, for `matrix` = R, `[d, d]`.
///
/// Computed in R's own kind, whose rounding (about 1e-7 in float32) is the least error that can be seen.
pub fn orthogonality_error(matrix: &Tensor) -> Result<f64, Error> {
    let _guard = tch::no_grad_guard();
    let gram = matrix.f_tr()?.f_matmul(matrix)?;
    let eye = Tensor::f_eye(gram.size()[0], (gram.kind(), gram.device()))?;
    Ok(gram.f_sub(&eye)?.f_abs()?.f_max()?.f_double_value(&[])?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(entries: [f64; 4]) -> f64 {
        orthogonality_error(&Tensor::from_slice(&entries).view([2, 2])).unwrap()
    }

    #[test]
    fn is_zero_for_a_reflection_and_counts_the_worst_entry() {
        assert_eq!(error([0.0, 1.0, 1.0, 0.0]), 0.0);
        assert_eq!(error([2.0, 0.0, 0.0, 1.0]), 3.0);
        // A shear has orthonormal columns but for their product.
        assert_eq!(error([1.0, 0.5, 0.0, 0.75f64.sqrt()]), 0.5);
    }
}
