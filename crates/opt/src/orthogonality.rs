//! Measures how orthogonal a matrix is, or the map between two weights.

use tch::{Kind, Tensor};

use crate::{Error, host};

/// max |R^T R - I| over the entries, for `matrix` = R, `[d, d]`.
///
/// Computed in float64, so that it measures R's rounding and not its own. Reads from the device.
///
/// # Errors
/// libtorch's own.
pub fn orthogonality_error(matrix: &Tensor) -> Result<f64, Error> {
    let _guard = tch::no_grad_guard();
    let gram = gram(&matrix.f_tr()?)?;
    let eye = Tensor::f_eye(gram.size()[0], (gram.kind(), gram.device()))?;
    Ok(host::number(&gram.f_sub(&eye)?.f_abs()?.f_max()?)?)
}

/// max |W^T W - V^T V| / max diag(V^T V), neurons as columns: the same measure for a weight W = R V whose R is never
/// formed. Both arguments are transposed, `[n, d]`. Reads from the device.
///
/// # Errors
/// libtorch's own, for example where the sizes differ.
pub fn gram_drift(weight: &Tensor, frozen_weight: &Tensor) -> Result<f64, Error> {
    let _guard = tch::no_grad_guard();
    let expected = gram(frozen_weight)?;
    let drift = gram(weight)?.f_sub(&expected)?.f_abs()?.f_max()?;
    Ok(host::number(&drift.f_div(&expected.f_diagonal(0, 0, 1)?.f_max()?)?)?)
}

/// The products of all pairs of rows, in float64.
fn gram(rows: &Tensor) -> Result<Tensor, Error> {
    let rows = rows.f_detach()?.f_to_kind(Kind::Double)?;
    Ok(rows.f_matmul(&rows.f_tr()?)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(entries: [f64; 4]) -> f64 {
        orthogonality_error(&Tensor::from_slice(&entries).view([2, 2])).unwrap()
    }

    #[test]
    fn error_is_zero_for_a_reflection_and_that_of_the_worst_entry_otherwise() {
        assert_eq!(error([0.0, 1.0, 1.0, 0.0]), 0.0);
        assert_eq!(error([2.0, 0.0, 0.0, 1.0]), 3.0);
        // The columns of a shear have length 1 but are not orthogonal.
        assert_eq!(error([1.0, 0.5, 0.0, 0.75f64.sqrt()]), 0.5);
    }

    #[test]
    fn drift_is_zero_for_rotated_neurons_and_relative_to_the_longest() {
        let rows = |entries: &[f64]| Tensor::from_slice(entries).view([2, 3]);
        let neurons = rows(&[3.0, 0.0, 0.0, 0.0, 1.0, 0.0]);
        assert_eq!(gram_drift(&rows(&[0.0, 0.0, -3.0, 1.0, 0.0, 0.0]), &neurons).unwrap(), 0.0);
        // The shorter neuron twice as long: 4 - 1, over 9.
        assert_eq!(gram_drift(&rows(&[3.0, 0.0, 0.0, 0.0, 2.0, 0.0]), &neurons).unwrap(), 3.0 / 9.0);
    }
}
