//! A network as data, which the runner builds. It can be checked and counted without libtorch.

use std::iter;

/// Maximum length of a neuron for OPT: its rotation has the square of that many entries.
pub const LONGEST_NEURON: u64 = 8192;

/// The inputs and outputs of a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Task {
    /// Channels, height and width of an image.
    pub shape: [u64; 3],
    /// Number of classes.
    pub classes: u64,
}

/// Layers in order, from the input to the logits.
#[derive(Clone, Debug, PartialEq)]
pub struct Architecture {
    /// The layers, each with its sizes.
    pub layers: Vec<Layer>,
}

/// One layer with its sizes.
#[derive(Clone, Debug, PartialEq)]
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
    /// `[batch, c_in, h, w]` to `[batch, c_out, h', w']`, as libtorch's `conv2d`. A neuron sees a patch of the
    /// image: its length d is `c_in kernel kernel`, in this order.
    Conv2d {
        /// Unique in the network; names its series and its random streams.
        name: String,
        /// Channels of the input.
        c_in: u64,
        /// Number of neurons.
        c_out: u64,
        /// Height and width of a patch.
        kernel: u64,
        /// Pixels from one patch to the next.
        stride: u64,
        /// Zeros around the image, on each side.
        padding: u64,
        /// A learned offset for each neuron, starting at 0.
        bias: bool,
        /// Whether the arm's method trains it.
        by_method: bool,
    },
    /// Batch normalisation over the features of `[batch, n]` or the channels of `[batch, n, h, w]` (Ioffe and
    /// Szegedy, ICML 2015).
    BatchNorm {
        /// Unique in the network.
        name: String,
        /// Number of features.
        n: u64,
        /// Weight of the newest batch in the running statistics.
        momentum: f64,
        /// Added to a variance.
        epsilon: f64,
    },
    /// max(x, 0).
    Relu,
    /// The largest value of each patch of each channel. Incomplete patches at the edge are dropped.
    MaxPool {
        /// Height and width of a patch.
        size: u64,
        /// Pixels from one patch to the next.
        stride: u64,
        /// Padding around the image, on each side, that is never the largest value.
        padding: u64,
    },
    /// The mean of each channel: `[batch, c, h, w]` to `[batch, c]`.
    GlobalAveragePool,
    /// The sum of a residual branch and a shortcut (He et al., CVPR 2016).
    Residual {
        /// The residual branch.
        branch: Vec<Layer>,
        /// The shortcut; empty for the identity.
        shortcut: Vec<Layer>,
    },
    /// The shortcut without parameters where sizes change (He et al., CVPR 2016, option A): every `stride`-th pixel
    /// of each row and column, then channels of zeros up to `c_out`.
    ZeroPadShortcut {
        /// Channels of the input.
        c_in: u64,
        /// Channels of the output.
        c_out: u64,
        /// Distance between two kept pixels.
        stride: u64,
    },
}

impl Architecture {
    /// Every layer in the order of the forward pass; a residual block comes before the layers inside it.
    pub fn walk(&self) -> impl Iterator<Item = &Layer> {
        self.layers.iter().flat_map(Layer::walk)
    }

    /// Names and sizes `(name, d, n)` of the layers that the arm's method trains: those whose energy is plotted.
    pub fn method_layers(&self) -> impl Iterator<Item = (&str, u64, u64)> {
        self.walk().filter_map(|layer| match layer {
            Layer::Linear { name, d, n, by_method: true, .. } => Some((name.as_str(), *d, *n)),
            Layer::Conv2d { name, c_in, c_out, kernel, by_method: true, .. } => {
                Some((name.as_str(), c_in * kernel * kernel, *c_out))
            }
            _ => None,
        })
    }
}

impl Layer {
    /// The layer, then those inside it.
    fn walk(&self) -> Box<dyn Iterator<Item = &Self> + '_> {
        match self {
            Self::Residual { branch, shortcut } => {
                Box::new(iter::once(self).chain(branch.iter().chain(shortcut).flat_map(Self::walk)))
            }
            _ => Box::new(iter::once(self)),
        }
    }
}
