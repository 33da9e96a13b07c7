//! A network as data: what the runner builds, and what can be checked and counted without libtorch.

use optlab_data::Dataset;

/// The longest neuron that OPT is offered for: its rotation has the square of that many entries.
pub const LONGEST_NEURON: u64 = 8192;

/// Layers in order, from the input to the logits.
#[derive(Clone, Debug, PartialEq)]
pub struct Architecture {
    /// The layers; each knows its own sizes.
    pub layers: Vec<Layer>,
}

/// One layer with its sizes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Layer {
    /// `[batch, c, h, w]` to `[batch, c h w]`.
    Flatten,
    /// `[batch, d]` to `[batch, n]`.
    Linear {
        /// Unique in the network; names its series and its random streams.
        name: String,
        /// Length d of a neuron.
        d: u64,
        /// Number n of neurons.
        n: u64,
        /// A learned offset for each neuron, starting at 0.
        bias: bool,
        /// Whether the arm's method trains it; the classifier is trained normally in every arm.
        by_method: bool,
    },
    /// Batch normalisation over the features of `[batch, n]` (Ioffe and Szegedy, ICML 2015).
    BatchNorm {
        /// Unique in the network.
        name: String,
        /// Number of features.
        n: u64,
    },
    /// max(x, 0).
    Relu,
}

impl Architecture {
    /// Names and sizes `(name, d, n)` of the layers that the arm's method trains: those whose energy is plotted.
    pub fn method_layers(&self) -> impl Iterator<Item = (&str, u64, u64)> {
        self.layers.iter().filter_map(|layer| match layer {
            Layer::Linear { name, d, n, by_method: true, .. } => Some((name.as_str(), *d, *n)),
            _ => None,
        })
    }
}

/// Adds layers one after another and carries the width along.
pub(crate) struct Builder {
    layers: Vec<Layer>,
    width: u64,
}

impl Builder {
    /// Starts at the flattened input of a data set.
    pub(crate) fn flat(dataset: &dyn Dataset) -> Self {
        let width = dataset.shape().iter().product::<usize>() as u64;
        Self { layers: vec![Layer::Flatten], width }
    }

    /// A linear layer that the method trains.
    pub(crate) fn linear(&mut self, name: String, n: u64, bias: bool) {
        self.layers.push(Layer::Linear { name, d: self.width, n, bias, by_method: true });
        self.width = n;
    }

    pub(crate) fn batch_norm(&mut self, name: String) {
        self.layers.push(Layer::BatchNorm { name, n: self.width });
    }

    pub(crate) fn relu(&mut self) {
        self.layers.push(Layer::Relu);
    }

    /// Ends with the layer that makes logits of `[batch, width]`.
    pub(crate) fn classifier(mut self, classes: u64) -> Architecture {
        let (name, d) = ("classifier".to_owned(), self.width);
        self.layers.push(Layer::Linear { name, d, n: classes, bias: true, by_method: false });
        Architecture { layers: self.layers }
    }
}
