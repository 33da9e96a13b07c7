//! Random inputs, and what is computed from them.

use optlab_runner::random::{self, Purpose};
use tch::{Device, Kind, TchError, Tensor};

use crate::error::CheckError;

/// The inputs of one size; drawn in float32 on the CPU, so that every kind and device gets the same numbers.
#[derive(Debug)]
pub struct Draws {
    /// Length of a neuron.
    pub d: i64,
    /// Number of neurons.
    pub n: i64,
    /// N(0, 1/d), `[d, d]`.
    pub raw: Tensor,
    /// V^T, N(0, 2/d), `[n, d]`.
    pub neurons: Tensor,
    /// dL/dW^T, N(0, 1/d), `[n, d]`.
    pub gradient: Tensor,
}

impl Draws {
    /// Draws neurons of length `d`, `n` of them.
    ///
    /// # Errors
    /// libtorch's own.
    pub fn new(d: i64, n: i64) -> Result<Self, TchError> {
        let draw = |name, size, variance: f64| {
            let stream = random::stream(0, Purpose::Neurons(name));
            random::gaussian(stream, size, (variance / d as f64).sqrt(), Device::Cpu)
        };
        Ok(Self {
            d,
            n,
            raw: draw("raw", [d, d], 1.0)?,
            neurons: draw("neurons", [n, d], 2.0)?,
            gradient: draw("gradient", [n, d], 1.0)?,
        })
    }

    /// The same numbers in another kind and place.
    ///
    /// # Errors
    /// libtorch's own.
    pub fn on(&self, kind: Kind, device: Device) -> Result<Self, TchError> {
        let moved = |tensor: &Tensor| tensor.f_to(device)?.f_to_kind(kind);
        let (raw, neurons, gradient) = (moved(&self.raw)?, moved(&self.neurons)?, moved(&self.gradient)?);
        Ok(Self { raw, neurons, gradient, ..*self })
    }
}

/// What was computed, by name.
#[derive(Debug, Default)]
pub struct Figures {
    /// Results, which are compared with those of float64: columns of the table.
    pub tensors: Vec<(&'static str, Tensor)>,
    /// Distances from a property that holds exactly, which are errors themselves.
    pub distances: Vec<(&'static str, f64)>,
}

impl Figures {
    /// The errors against `reference`, by name.
    ///
    /// # Errors
    /// libtorch's own.
    pub fn errors(&self, reference: &Self) -> Result<Vec<(&'static str, f64)>, CheckError> {
        let pairs = self.tensors.iter().zip(&reference.tensors);
        let errors = pairs.map(|((name, ours), (_, expected))| Ok((*name, relative_error(ours, expected)?)));
        let errors: Result<Vec<_>, TchError> = errors.collect();
        Ok(errors?.into_iter().chain(self.distances.iter().copied()).collect())
    }
}

/// ||ours - expected|| / ||expected||, in float64 on the CPU.
fn relative_error(ours: &Tensor, expected: &Tensor) -> Result<f64, TchError> {
    let at_home = |tensor: &Tensor| tensor.f_detach()?.f_to(Device::Cpu)?.f_to_kind(Kind::Double);
    let (ours, expected) = (at_home(ours)?, at_home(expected)?);
    let norm = expected.f_norm()?.f_double_value(&[])?;
    Ok(ours.f_sub(&expected)?.f_norm()?.f_double_value(&[])? / norm.max(f64::MIN_POSITIVE))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures(values: &[f32], distance: f64) -> Figures {
        let tensors = vec![("weight_error", Tensor::from_slice(values))];
        Figures { tensors, distances: vec![("orthogonality_error", distance)] }
    }

    #[test]
    fn errors_are_relative_to_the_reference() {
        let errors = figures(&[3.0, 4.4], 1e-6).errors(&figures(&[3.0, 4.0], 9.0)).unwrap();
        assert!((errors[0].1 - 0.08).abs() < 1e-6, "{errors:?}");
        assert_eq!(errors[1], ("orthogonality_error", 1e-6));
        let errors = figures(&[f32::NAN, 4.0], 0.0).errors(&figures(&[3.0, 4.0], 0.0)).unwrap();
        assert!(errors[0].1.is_nan());
    }
}
