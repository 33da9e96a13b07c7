//! Errors of this library.

use tch::TchError;

/// Why a call was rejected or failed. Shape errors contain the size that was given.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A raw parameter that is not a non-empty square matrix.
    #[error("a rotation's raw parameter must be [d, d] with d at least 1, got {size:?}")]
    RawShape {
        /// Size of the tensor given.
        size: Vec<i64>,
    },

    /// A frozen weight whose neurons do not have the dimension of the rotation.
    #[error(
        "the frozen weight of a rotation of {dimension} dimensions must be [n, {dimension}], got {size:?}"
    )]
    FrozenWeightShape {
        /// The rotation's d.
        dimension: i64,
        /// Size of the tensor given.
        size: Vec<i64>,
    },

    /// Neurons that are not the rows of a non-empty matrix.
    #[error("neurons must be the rows of a non-empty [n, d], got {size:?}")]
    NeuronsShape {
        /// Size of the tensor given.
        size: Vec<i64>,
    },

    /// A rotation that keeps its own rotated neurons was given other neurons.
    #[error("this rotation can only rotate the neurons {expected:?} that it was built from, got {size:?}")]
    OtherNeurons {
        /// Size of the neurons that it was built from.
        expected: Vec<i64>,
        /// Size of the tensor given.
        size: Vec<i64>,
    },

    /// Dimensions of a stochastic round that are not a set.
    #[error("the dimensions to rotate must be distinct indices in 0..{dimension}, at least one")]
    Indices {
        /// The d from which they are drawn.
        dimension: i64,
    },

    /// A bias that does not have one entry for each neuron.
    #[error("the bias of a layer of {neurons} neurons must be [{neurons}], got {size:?}")]
    BiasShape {
        /// Neurons of the layer.
        neurons: i64,
        /// Size of the tensor given.
        size: Vec<i64>,
    },

    /// A gradient was requested before `backward` reached the weight.
    #[error(
        "no gradient has reached the rotated weight since its last refresh: call backward on the loss first"
    )]
    NoGradient,

    /// An operation that needs the matrix R was requested from a method that never forms it.
    #[error("{method} never forms its rotation, so {operation} is not defined")]
    NoRotation {
        /// The method without R.
        method: &'static str,
        /// The requested operation.
        operation: &'static str,
    },

    /// A raw parameter has entries that are infinite or not a number, and this rotation has no value for them: training
    /// has diverged.
    #[error("the raw parameter of a rotation is not finite")]
    NotFinite,

    /// Filters that do not have the four dimensions of a convolution's weight.
    #[error("the filters of a convolution must be [c_out, c_in, height, width], got {size:?}")]
    FiltersShape {
        /// Size of the tensor given.
        size: Vec<i64>,
    },

    /// Energy is a mean over pairs of neurons, and there are fewer than two neurons.
    #[error("hyperspherical energy needs at least two neurons as rows, got a weight of size {size:?}")]
    NoPairs {
        /// Size of the tensor given.
        size: Vec<i64>,
    },

    /// A neuron of length zero, which has no direction and therefore no energy.
    #[error("neuron {row} is zero and has no direction")]
    ZeroNeuron {
        /// Index of the first such row.
        row: i64,
    },

    /// A start vector of another size than the matrix whose norm is estimated.
    #[error("the power iteration must start from a vector [{expected}], got {size:?}")]
    StartShape {
        /// The smaller one of neurons and dimensions.
        expected: i64,
        /// Size of the tensor given.
        size: Vec<i64>,
    },

    /// libtorch failed, for example out of memory, or kinds or devices that do not match.
    #[error(transparent)]
    Torch(#[from] TchError),
}
