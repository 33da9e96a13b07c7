//! Batch normalisation: Ioffe and Szegedy, ICML 2015, <https://arxiv.org/abs/1502.03167>.

use optlab_opt::State;
use tch::{Device, Kind, TchError, Tensor};

use super::{Layer, Mode};
use crate::trained::{Parts, Plain, Role, Trained};

/// (x - mean) / sqrt(variance + epsilon) * gamma + beta for each feature of `[batch, n]` or channel of
/// `[batch, n, h, w]`.
#[derive(Debug)]
pub struct BatchNorm {
    name: String,
    gamma: Plain,
    beta: Plain,
    running_mean: Tensor,
    running_variance: Tensor,
    momentum: f64,
    epsilon: f64,
}

/// Name and sizes of a [`BatchNorm`] layer.
#[derive(Clone, Copy, Debug)]
pub struct BatchNormConfig<'a> {
    /// Unique in the network.
    pub name: &'a str,
    /// Number of features or channels.
    pub features: i64,
    /// Weight of the newest batch in the running statistics.
    pub momentum: f64,
    /// Added to a variance.
    pub epsilon: f64,
}

impl BatchNorm {
    /// Starts at gamma 1, beta 0.
    ///
    /// # Errors
    /// libtorch's own.
    pub fn new(config: BatchNormConfig<'_>, device: Device) -> Result<Self, TchError> {
        let BatchNormConfig { name, features, momentum, epsilon } = config;
        let zeros = || Tensor::f_zeros([features], (Kind::Float, device));
        let ones = || Tensor::f_ones([features], (Kind::Float, device));
        Ok(Self {
            name: name.to_owned(),
            gamma: Plain::new(format!("{name}.weight"), ones()?, Role::Offset)?,
            beta: Plain::new(format!("{name}.bias"), zeros()?, Role::Offset)?,
            running_mean: zeros()?,
            running_variance: ones()?,
            momentum,
            epsilon,
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
            self.momentum,
            self.epsilon,
            true,
        )
    }

    fn trained(&mut self) -> Vec<&mut dyn Trained> {
        vec![&mut self.gamma, &mut self.beta]
    }

    fn state(&mut self) -> Parts<'_> {
        let statistics = [("running_mean", &self.running_mean), ("running_var", &self.running_variance)];
        let statistics = statistics
            .map(|(part, tensor)| (format!("{}.{part}", self.name), State::Tensor(tensor.shallow_clone())));
        let trained = [&mut self.gamma, &mut self.beta].into_iter().flat_map(|plain| plain.state());
        trained.chain(statistics).collect()
    }

    fn tensors(&self) -> Result<Vec<(String, Tensor)>, TchError> {
        let tensors = [
            ("weight", self.gamma.value()),
            ("bias", self.beta.value()),
            ("running_mean", &self.running_mean),
            ("running_var", &self.running_variance),
        ];
        tensors
            .into_iter()
            .map(|(part, tensor)| Ok((format!("{}.{part}", self.name), tensor.f_detach()?)))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn training_updates_the_statistics_and_evaluation_does_not() {
        let config = BatchNormConfig { name: "norm", features: 2, momentum: 0.1, epsilon: 1e-5 };
        let layer = BatchNorm::new(config, Device::Cpu).unwrap();
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
