//! A fully connected layer.

use tch::{Kind, TchError, Tensor};

use super::{Layer, Mode};
use crate::failure::JobError;
use crate::trained::{Plain, Role, Trained};
use crate::weight::{Start, Weight};

/// xs W + bias.
#[derive(Debug)]
pub struct Linear {
    name: String,
    weight: Weight,
    bias: Option<Plain>,
    by_method: bool,
}

/// Sizes and name of a [`Linear`] layer.
#[derive(Clone, Copy, Debug)]
pub struct LinearConfig<'a> {
    /// Unique in the network.
    pub name: &'a str,
    /// Length of a neuron.
    pub d: i64,
    /// Number of neurons.
    pub n: i64,
    /// A learned offset for each neuron, starting at 0.
    pub bias: bool,
    /// Whether the arm's method trains the weight.
    pub by_method: bool,
}

impl Linear {
    /// Draws the neurons.
    ///
    /// # Errors
    /// libtorch's own.
    pub fn new(config: LinearConfig<'_>, start: Start<'_>) -> Result<Self, JobError> {
        let LinearConfig { name, d, n, by_method, .. } = config;
        let weight =
            if by_method { Weight::by_method(start, name, d, n)? } else { Weight::plain(start, name, d, n)? };
        let zeros = || Plain::new(Tensor::f_zeros([n], (Kind::Float, start.device))?, Role::Offset);
        let bias = config.bias.then(zeros).transpose()?;
        Ok(Self { name: name.to_owned(), weight, bias, by_method })
    }
}

impl Layer for Linear {
    fn forward(&self, xs: &Tensor, _mode: Mode) -> Result<Tensor, TchError> {
        xs.f_linear(self.weight.value(), self.bias.as_ref().map(Plain::value))
    }

    fn trained(&mut self) -> Vec<&mut dyn Trained> {
        let bias = self.bias.as_mut().map(|bias| bias as &mut dyn Trained);
        [self.weight.trained()].into_iter().chain(bias).collect()
    }

    fn by_method(&self) -> Option<(&str, &Weight)> {
        self.by_method.then_some((self.name.as_str(), &self.weight))
    }
}
