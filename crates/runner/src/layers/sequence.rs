//! Layers one after another.

use tch::{TchError, Tensor};

use super::{Layer, Mode};
use crate::trained::{Parts, Trained};
use crate::weight::Weight;

/// Each layer maps the output of the previous one; without layers, it is the identity.
#[derive(Debug)]
pub struct Sequence(pub Vec<Box<dyn Layer>>);

impl Layer for Sequence {
    fn forward(&self, xs: &Tensor, mode: Mode) -> Result<Tensor, TchError> {
        self.0.iter().try_fold(xs.shallow_clone(), |xs, layer| layer.forward(&xs, mode))
    }

    fn trained(&mut self) -> Vec<&mut dyn Trained> {
        self.0.iter_mut().flat_map(|layer| layer.trained()).collect()
    }

    fn state(&mut self) -> Parts<'_> {
        self.0.iter_mut().flat_map(|layer| layer.state()).collect()
    }

    fn tensors(&self) -> Result<Vec<(String, Tensor)>, TchError> {
        self.0.iter().try_fold(Vec::new(), |mut tensors, layer| {
            tensors.extend(layer.tensors()?);
            Ok(tensors)
        })
    }

    fn by_method(&self) -> Vec<(&str, &Weight)> {
        self.0.iter().flat_map(|layer| layer.by_method()).collect()
    }
}
