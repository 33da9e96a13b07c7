//! Batch normalisation: Ioffe and Szegedy, ICML 2015, <https://arxiv.org/abs/1502.03167>.

use tch::{Device, Kind, TchError, Tensor};

use super::{Layer, Mode};
use crate::trained::{Plain, Role, Trained};

/// Weight of the newest batch in the running statistics.
const MOMENTUM: f64 = 0.1;
/// Added to a variance.
const EPSILON: f64 = 1e-5;

/// (x - mean) / sqrt(variance + epsilon) * gamma + beta for each feature.
#[derive(Debug)]
pub struct BatchNorm {
    gamma: Plain,
    beta: Plain,
    running_mean: Tensor,
    running_variance: Tensor,
}

impl BatchNorm {
    /// Starts at gamma 1, beta 0.
    ///
    /// # Errors
    /// libtorch's own.
    pub fn new(features: i64, device: Device) -> Result<Self, TchError> {
        let zeros = || Tensor::f_zeros([features], (Kind::Float, device));
        let ones = || Tensor::f_ones([features], (Kind::Float, device));
        Ok(Self {
            gamma: Plain::new(ones()?, Role::Offset)?,
            beta: Plain::new(zeros()?, Role::Offset)?,
            running_mean: zeros()?,
            running_variance: ones()?,
        })
    }
}

impl Layer for BatchNorm {
    fn forward(&self, xs: &Tensor, mode: Mode) -> Result<Tensor, TchError> {
        xs.f_batch_norm(
            Some(self.gamma.value()),
            Some(self.beta.value()),
            Some(&self.running_mean),
            Some(&self.running_variance),
            mode == Mode::Train,
            MOMENTUM,
            EPSILON,
            true,
        )
    }

    fn trained(&mut self) -> Vec<&mut dyn Trained> {
        vec![&mut self.gamma, &mut self.beta]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_normalises_and_gathers_and_a_measurement_changes_nothing() {
        let layer = BatchNorm::new(2, Device::Cpu).unwrap();
        let xs = Tensor::from_slice(&[1.0f32, 10.0, 3.0, 30.0]).view([2, 2]);
        let ys = layer.forward(&xs, Mode::Train).unwrap();
        assert!(ys.detach().abs().allclose(
            &Tensor::ones([2, 2], (Kind::Float, Device::Cpu)),
            1e-4,
            1e-4,
            false
        ));
        let gathered = Tensor::from_slice(&[0.2f32, 2.0]);
        assert!(layer.running_mean.allclose(&gathered, 1e-6, 1e-6, false));
        let _ = layer.forward(&xs, Mode::Evaluate).unwrap();
        assert!(layer.running_mean.allclose(&gathered, 1e-6, 1e-6, false));
    }
}
