//! Orthogonal Over-Parameterized Training (OPT) for any tch program: tensors in, tensors out.
//!
//! A layer has n neurons in R^d, the columns of V. OPT draws V once, freezes it, and learns one orthogonal
//! R (d x d) shared by the layer, which computes with W = R V. R keeps every angle between neurons, so the
//! layer's hyperspherical energy stays what it was at initialisation. Source: Liu et al., "Orthogonal
//! Over-Parameterized Training", CVPR 2021, <https://arxiv.org/abs/2004.04690>.
//!
//! Tensors hold neurons as *rows*, as tch's layers do: `frozen_weight` is V^T and a layer's weight is W^T, both
//! `[n, d]`. A linear layer has n outputs and d inputs; a filter of a convolution is a neuron of its c_in k k entries.
//!
//! # A training step
//! A rotation's gradient is written by hand, not left to autograd: [`RotatedWeight`] computes W once per step,
//! hands it to the forward pass as a leaf, and maps dL/dW to the gradient of the rotation's raw parameter. The
//! optimizer belongs to the caller; [`Descent`] alone takes its steps itself, see [`RotatedWeight::own_step`].
//!
//! ```
//! use optlab_opt::{Cayley, OptLinear};
//! use tch::{Device, Kind, Reduction, Tensor, nn::Module};
//!
//! let options = (Kind::Float, Device::Cpu);
//! let frozen_weight = Tensor::from_slice(&[1.0f32, 0.5, -0.3, 0.2, -1.0, 0.7]).view([2, 3]);
//! let rotation = Cayley::new(&Tensor::zeros([3, 3], options))?;
//! let mut layer = OptLinear::new(&frozen_weight, Box::new(rotation), Some(Tensor::zeros([2], options)))?;
//!
//! let xs = Tensor::eye(3, options);
//! let target = xs.linear(&frozen_weight.roll([1], [1]), None::<Tensor>);
//! let mut losses = Vec::new();
//! for _ in 0..20 {
//!     let loss = layer.forward(&xs).mse_loss(&target, Reduction::Mean);
//!     loss.backward();
//!     let gradient = layer.weight.raw_gradient()?;
//!     tch::no_grad(|| {
//!         let _ = layer.weight.raw().shallow_clone().g_sub_(&(gradient * 0.1));
//!     });
//!     layer.weight.refresh()?;
//!     losses.push(loss.double_value(&[]));
//! }
//! assert!(losses[19] < 0.5 * losses[0], "{losses:?}");
//! assert!(layer.weight.orthogonality_error()? < 1e-6);
//! # Ok::<(), optlab_opt::Error>(())
//! ```
//!
//! To resume after an interruption, a program keeps [`RotatedWeight::state`].
//!
//! # Around it
//! [`Stochastic`] turns any rotation into a round of stochastic OPT. [`refine`] moves neurons to lower energy before
//! they are frozen. The methods that OPT is compared with add terms to a plain layer's loss: [`energy_penalty`],
//! [`frobenius_penalty`] and [`srip_penalty`].
//!
//! # Invariants
//! - Nothing here draws a random number, reads the environment or prints.
//! - Values of tensors are read in [`host`] only, because a read waits for a GPU. A function that reads says so.
//! - Results follow the kind and device of the tensors given, except where a function says float64.
//! - Tensors that outlive a step are contiguous with canonical strides, so that a resumed run uses the same kernels as
//!   an uninterrupted one.

// In reading order: a rotation, the weight that it turns, the layers around that, what to measure on them, the
// penalties of other methods, and what all of these read from the device.
pub mod transform;

mod rotated_weight;

mod linear;

mod conv2d;

mod orthogonality;

pub mod energy;

mod soft_orthogonality;

pub mod host;

mod error;

#[cfg(test)]
mod draws;

pub use conv2d::{OptConv2d, OptConv2dConfig};
pub use energy::{EnergyConfig, energy_penalty, hyperspherical_energy, refine};
pub use error::Error;
pub use linear::OptLinear;
pub use orthogonality::{gram_drift, orthogonality_error};
pub use rotated_weight::RotatedWeight;
pub use soft_orthogonality::{frobenius_penalty, srip_penalty};
pub use transform::cayley::Cayley;
pub use transform::descent::{Descent, DescentForm};
pub use transform::gram_schmidt::GramSchmidt;
pub use transform::householder::Householder;
pub use transform::lowdin::Lowdin;
pub use transform::relaxed::Relaxed;
pub use transform::stochastic::Stochastic;
pub use transform::unconstrained::Unconstrained;
pub use transform::{Algorithm, OwnStep, Pullback, Rotated, Rotation, State, Warning};
