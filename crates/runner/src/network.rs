//! A network: layers in a row, built from the architecture that the spec names.

use optlab_spec::architecture::{self, Architecture};
use tch::{TchError, Tensor};

use crate::failure::JobError;
use crate::layers::{BatchNorm, Flatten, Layer, Linear, LinearConfig, Mode, Relu};
use crate::trained::Trained;
use crate::weight::{Start, Weight};

/// Maps images to logits.
#[derive(Debug)]
pub struct Network {
    layers: Vec<Box<dyn Layer>>,
}

impl Network {
    /// Draws the first weights of every layer.
    ///
    /// # Errors
    /// libtorch's own.
    pub fn new(architecture: &Architecture, start: Start<'_>) -> Result<Self, JobError> {
        let layers = architecture.layers.iter().map(|layer| build(layer, start)).collect::<Result<_, _>>()?;
        Ok(Self { layers })
    }

    /// Maps `[batch, channels, height, width]` to `[batch, classes]`.
    ///
    /// # Errors
    /// libtorch's own.
    pub fn forward(&self, xs: &Tensor, mode: Mode) -> Result<Tensor, TchError> {
        self.layers.iter().try_fold(xs.shallow_clone(), |xs, layer| layer.forward(&xs, mode))
    }

    /// Every trained tensor, always in the same order.
    pub fn trained(&mut self) -> Vec<&mut dyn Trained> {
        self.layers.iter_mut().flat_map(|layer| layer.trained()).collect()
    }

    /// Names and weights of the layers that the arm's method trains.
    pub fn method_layers(&self) -> impl Iterator<Item = (&str, &Weight)> {
        self.layers.iter().filter_map(|layer| layer.by_method())
    }
}

fn build(layer: &architecture::Layer, start: Start<'_>) -> Result<Box<dyn Layer>, JobError> {
    Ok(match layer {
        architecture::Layer::Flatten => Box::new(Flatten),
        architecture::Layer::Linear { name, d, n, bias, by_method } => {
            let (d, n) = (*d as i64, *n as i64);
            let config = LinearConfig { name, d, n, bias: *bias, by_method: *by_method };
            Box::new(Linear::new(config, start)?)
        }
        architecture::Layer::BatchNorm { n, .. } => Box::new(BatchNorm::new(*n as i64, start.device)?),
        architecture::Layer::Relu => Box::new(Relu),
    })
}
