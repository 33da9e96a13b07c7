//! Neurons and their biases, shared by linear layers and convolutions.

use tch::{Kind, TchError, Tensor};

use crate::failure::JobError;
use crate::start::Start;
use crate::trained::{Plain, Role, Trained};
use crate::weight::Weight;

/// A weight and a bias.
#[derive(Debug)]
pub struct Neurons {
    name: String,
    weight: Weight,
    bias: Option<Plain>,
    by_method: bool,
}

/// Sizes and name of a layer's [`Neurons`].
#[derive(Clone, Copy, Debug)]
pub struct NeuronsConfig<'a> {
    /// Unique in the network.
    pub name: &'a str,
    /// Length of a neuron.
    pub d: i64,
    /// Number of neurons.
    pub n: i64,
    /// Whether each neuron has a learned bias, starting at 0.
    pub bias: bool,
    /// Whether the arm's method trains the weight.
    pub by_method: bool,
}

impl Neurons {
    /// Draws the neurons.
    ///
    /// # Errors
    /// libtorch's own.
    pub fn new(config: NeuronsConfig<'_>, start: Start<'_>) -> Result<Self, JobError> {
        let NeuronsConfig { name, d, n, by_method, .. } = config;
        let weight =
            if by_method { Weight::by_method(start, name, d, n)? } else { Weight::plain(start, name, d, n)? };
        let zeros = || {
            let zeros = Tensor::f_zeros([n], (Kind::Float, start.device))?;
            Plain::new(format!("{name}.bias"), zeros, Role::Offset)
        };
        let bias = config.bias.then(zeros).transpose()?;
        Ok(Self { name: name.to_owned(), weight, bias, by_method })
    }

    /// W^T, `[n, d]`, to compute in `kind`; its gradient comes back in its own. No copy where the kinds are the same.
    ///
    /// # Errors
    /// libtorch's own.
    pub fn weight(&self, kind: Kind) -> Result<Tensor, TchError> {
        self.weight.value().f_to_kind(kind)
    }

    /// `[n]`, likewise.
    ///
    /// # Errors
    /// libtorch's own.
    pub fn bias(&self, kind: Kind) -> Result<Option<Tensor>, TchError> {
        self.bias.as_ref().map(|bias| bias.value().f_to_kind(kind)).transpose()
    }

    /// What an ordinary layer needs, a neuron as a `patch` of several channels, or of none as a row.
    ///
    /// # Errors
    /// libtorch's own.
    pub fn tensors(&self, patch: &[i64]) -> Result<Vec<(String, Tensor)>, TchError> {
        let weight = self.weight.value().f_detach()?;
        let size = [&[weight.size()[0], -1], patch].concat();
        let mut tensors = vec![(format!("{}.weight", self.name), weight.f_view(size.as_slice())?)];
        if let Some(bias) = &self.bias {
            tensors.push((format!("{}.bias", self.name), bias.value().f_detach()?));
        }
        Ok(tensors)
    }

    /// What is trained.
    pub fn trained(&mut self) -> Vec<&mut dyn Trained> {
        let bias = self.bias.as_mut().map(|bias| bias as &mut dyn Trained);
        [self.weight.trained()].into_iter().chain(bias).collect()
    }

    /// Name and weight, if the arm's method trains it.
    pub fn by_method(&self) -> Vec<(&str, &Weight)> {
        if self.by_method { vec![(&self.name, &self.weight)] } else { Vec::new() }
    }
}
