//! A network: a sequence of layers, built from the architecture of the spec.

use optlab_spec::Precision;
use optlab_spec::architecture::{self, Architecture};
use tch::{Kind, TchError, Tensor};

use crate::failure::JobError;
use crate::layers::{
    BatchNorm, BatchNormConfig, Conv2d, Flatten, GlobalAveragePool, Layer, Linear, MaxPool, Mode, Neurons,
    NeuronsConfig, Relu, Residual, Sequence, ZeroPadShortcut,
};
use crate::start::Start;
use crate::trained::{Parts, Trained};
use crate::weight::Weight;

/// Maps images to logits.
#[derive(Debug)]
pub struct Network {
    layers: Sequence,
    /// Precision of the activations.
    kind: Kind,
}

impl Network {
    /// Draws the initial weights of every layer.
    ///
    /// # Errors
    /// libtorch's own.
    pub fn new(
        architecture: &Architecture,
        precision: Precision,
        start: Start<'_>,
    ) -> Result<Self, JobError> {
        let kind = match precision {
            Precision::Float32 | Precision::Tf32 => Kind::Float,
            Precision::Bfloat16 => Kind::BFloat16,
        };
        Ok(Self { layers: sequence(&architecture.layers, start)?, kind })
    }

    /// Maps `[batch, channels, height, width]` to `[batch, classes]`, both float32.
    ///
    /// # Errors
    /// libtorch's own.
    pub fn forward(&self, xs: &Tensor, mode: Mode) -> Result<Tensor, TchError> {
        // Layers compute in the kind of their input; a cast to the same kind does not copy.
        self.layers.forward(&xs.f_to_kind(self.kind)?, mode)?.f_to_kind(Kind::Float)
    }

    /// Every trained tensor, always in the same order.
    pub fn trained(&mut self) -> Vec<&mut dyn Trained> {
        self.layers.trained()
    }

    /// Everything on which the next step depends. After overwriting it, refresh every trained tensor.
    pub fn state(&mut self) -> Parts<'_> {
        self.layers.state()
    }

    /// The tensors of an equivalent ordinary network of this architecture, by unique names.
    ///
    /// # Errors
    /// libtorch's own.
    pub fn tensors(&self) -> Result<Vec<(String, Tensor)>, TchError> {
        self.layers.tensors()
    }

    /// Names and weights of the layers that the arm's method trains.
    pub fn method_layers(&self) -> impl Iterator<Item = (&str, &Weight)> {
        self.layers.by_method().into_iter()
    }
}

fn sequence(layers: &[architecture::Layer], start: Start<'_>) -> Result<Sequence, JobError> {
    Ok(Sequence(layers.iter().map(|layer| build(layer, start)).collect::<Result<_, _>>()?))
}

fn build(layer: &architecture::Layer, start: Start<'_>) -> Result<Box<dyn Layer>, JobError> {
    use architecture::Layer as Spec;
    let neurons = |name, d: u64, n: u64, bias, by_method| {
        let config = NeuronsConfig { name, d: d as i64, n: n as i64, bias, by_method };
        Neurons::new(config, start)
    };
    Ok(match *layer {
        Spec::Flatten => Box::new(Flatten),
        Spec::Linear { ref name, d, n, bias, by_method } => {
            Box::new(Linear(neurons(name, d, n, bias, by_method)?))
        }
        Spec::Conv2d { ref name, c_in, c_out, kernel, stride, padding, bias, by_method } => {
            let neurons = neurons(name, c_in * kernel * kernel, c_out, bias, by_method)?;
            let (kernel, stride, padding) = (kernel as i64, stride as i64, padding as i64);
            Box::new(Conv2d { neurons, kernel, stride, padding })
        }
        Spec::BatchNorm { ref name, n, momentum, epsilon } => {
            let config = BatchNormConfig { name, features: n as i64, momentum, epsilon };
            Box::new(BatchNorm::new(config, start.device)?)
        }
        Spec::Relu => Box::new(Relu),
        Spec::MaxPool { size, stride, padding } => {
            Box::new(MaxPool { size: size as i64, stride: stride as i64, padding: padding as i64 })
        }
        Spec::GlobalAveragePool => Box::new(GlobalAveragePool),
        Spec::Residual { ref branch, ref shortcut } => {
            Box::new(Residual { branch: sequence(branch, start)?, shortcut: sequence(shortcut, start)? })
        }
        Spec::ZeroPadShortcut { c_in, c_out, stride } => {
            Box::new(ZeroPadShortcut { stride: stride as i64, more_channels: (c_out - c_in) as i64 })
        }
    })
}
