//! A fully connected layer.

use tch::{TchError, Tensor};

use super::{Layer, Mode, Neurons};
use crate::trained::Trained;
use crate::weight::Weight;

/// xs W + bias.
#[derive(Debug)]
pub struct Linear(pub Neurons);

impl Layer for Linear {
    fn forward(&self, xs: &Tensor, _mode: Mode) -> Result<Tensor, TchError> {
        xs.f_linear(&self.0.weight(xs.kind())?, self.0.bias(xs.kind())?)
    }

    fn trained(&mut self) -> Vec<&mut dyn Trained> {
        self.0.trained()
    }

    fn tensors(&self) -> Result<Vec<(String, Tensor)>, TchError> {
        self.0.tensors(&[])
    }

    fn by_method(&self) -> Vec<(&str, &Weight)> {
        self.0.by_method()
    }
}
