//! A convolution with rotated filters.

use tch::{Tensor, nn};

use crate::linear::gather_gradients;
use crate::{Error, RotatedWeight, Rotation};

/// Stride and padding of an [`OptConv2d`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OptConv2dConfig {
    /// Distance of neighbouring positions in pixels, in both directions.
    pub stride: i64,
    /// Zeros around the image, in pixels.
    pub padding: i64,
}

impl Default for OptConv2dConfig {
    /// Every position at which the filters are inside the image.
    fn default() -> Self {
        Self { stride: 1, padding: 0 }
    }
}

/// xs * W + bias with W = R V: a [`nn::Conv2D`] whose filters are frozen and rotated together.
///
/// A filter is a neuron of d = `c_in` x height x width entries, in torch's order: the rows of one channel after those
/// of another.
#[derive(Debug)]
pub struct OptConv2d {
    /// R V, `[c_out, d]`; its raw parameter is what the layer learns.
    pub weight: RotatedWeight,
    /// `[c_out]`: an ordinary leaf, with its gradient in `bias.grad()`.
    pub bias: Option<Tensor>,
    config: OptConv2dConfig,
    /// `[c_out, c_in, height, width]`.
    size: Vec<i64>,
}

impl OptConv2d {
    /// A layer over frozen `filters`, `[c_out, c_in, height, width]`, a rotation of d dimensions, and a `bias`,
    /// `[c_out]`, a leaf that collects gradients from here on.
    ///
    /// # Errors
    /// [`Error::FiltersShape`], [`Error::BiasShape`], and those of [`Rotation::rotate`].
    pub fn new(
        filters: &Tensor,
        rotation: Box<dyn Rotation>,
        bias: Option<Tensor>,
        config: OptConv2dConfig,
    ) -> Result<Self, Error> {
        let size = filters.size();
        if size.len() != 4 {
            return Err(Error::FiltersShape { size });
        }
        let weight = RotatedWeight::new(&filters.f_flatten(1, -1)?, rotation)?;
        gather_gradients(bias.as_ref(), size[0])?;
        Ok(Self { weight, bias, config, size })
    }

    /// W as the plain weight of a [`nn::Conv2D`], `[c_out, c_in, height, width]`, outside any graph.
    pub fn merged(&self) -> Tensor {
        self.weight.merged().view(&self.size[..])
    }
}

impl nn::Module for OptConv2d {
    /// Maps `xs`, `[batch, c_in, height, width]`, to `[batch, c_out, ...]`.
    fn forward(&self, xs: &Tensor) -> Tensor {
        let OptConv2dConfig { stride, padding } = self.config;
        let filters = self.weight.value().view(&self.size[..]);
        xs.conv2d(&filters, self.bias.as_ref(), stride, padding, 1, 1)
    }
}

#[cfg(test)]
mod tests {
    use tch::Kind;
    use tch::nn::{Module, ModuleT};

    use super::*;
    use crate::draws::gaussian;
    use crate::{Cayley, Descent, DescentForm};

    const C_IN: i64 = 2;

    /// More filters than the 18 entries that each has, and fewer.
    const C_OUT: [i64; 2] = [20, 5];

    fn cayley() -> Box<dyn Rotation> {
        Box::new(Cayley::new(&gaussian(&[18, 18], 1, Kind::Float)).unwrap())
    }

    fn filters(c_out: i64) -> Tensor {
        gaussian(&[c_out, C_IN, 3, 3], 2, Kind::Float) / 3.0
    }

    fn images() -> Tensor {
        gaussian(&[4, C_IN, 9, 7], 3, Kind::Float)
    }

    #[test]
    fn agrees_with_a_plain_layer_with_the_merged_weight() {
        let vs = nn::VarStore::new(tch::Device::Cpu);
        for (stride, padding, with_bias) in [(1, 0, false), (1, 1, true), (2, 1, false), (3, 2, true)] {
            for c_out in C_OUT {
                let bias = with_bias.then(|| gaussian(&[c_out], 4, Kind::Float));
                let config = OptConv2dConfig { stride, padding };
                let layer = OptConv2d::new(&filters(c_out), cayley(), bias, config).unwrap();

                let config = nn::ConvConfig { stride, padding, bias: with_bias, ..Default::default() };
                let mut plain = nn::conv2d(vs.root(), C_IN, c_out, 3, config);
                plain.ws = layer.merged();
                plain.bs = layer.bias.as_ref().map(Tensor::detach);
                let (ours, theirs) = (layer.forward(&images()), plain.forward_t(&images(), false));
                assert_eq!(ours.size(), theirs.size());
                let apart = (ours - theirs).abs().max().double_value(&[]);
                assert!(apart < 1e-6, "stride {stride} padding {padding} c_out {c_out}: {apart}");
            }
        }
    }

    #[test]
    fn is_a_layer_on_rotated_patches() {
        // The layer is that of V on patches rotated back: (R v) . x = v . (R^T x).
        let layer = OptConv2d::new(&filters(5), cayley(), None, OptConv2dConfig::default()).unwrap();
        let r = layer.weight.rotation().matrix().unwrap().unwrap();
        // One row per patch, in torch's order of a patch's entries.
        let patches = images().im2col([3, 3], [1, 1], [0, 0], [1, 1]).transpose(1, 2);
        let expected = patches.matmul(&r).matmul(&filters(5).view([5, 18]).tr()).transpose(1, 2);
        assert!(layer.forward(&images()).flatten(2, 3).allclose(&expected, 1e-4, 1e-5, false));
    }

    #[test]
    fn trains() {
        for rotation in
            [cayley(), Box::new(Descent::new(&filters(5).view([5, 18]), DescentForm::LowRank).unwrap())]
        {
            let config = OptConv2dConfig { stride: 2, padding: 1 };
            let bias = Some(Tensor::zeros([5], tch::kind::FLOAT_CPU));
            let mut layer = OptConv2d::new(&filters(5), rotation, bias, config).unwrap();
            let target = layer.forward(&images()).detach().roll([1], [1]);
            let mut losses = Vec::new();
            for _ in 0..100 {
                let loss = layer.forward(&images()).mse_loss(&target, tch::Reduction::Mean);
                loss.backward();
                let gradient = layer.weight.raw_gradient().unwrap();
                match layer.weight.own_step() {
                    Some(rotation) => rotation.step_along(&gradient, 0.02).unwrap(),
                    None => tch::no_grad(|| {
                        let _ = layer.weight.raw().shallow_clone().g_sub_(&(gradient * 0.5));
                    }),
                }
                layer.weight.refresh().unwrap();
                losses.push(loss.double_value(&[]));
            }
            assert!(layer.bias.as_ref().unwrap().grad().abs().max().double_value(&[]) > 0.0);
            assert!(losses[99] < 0.7 * losses[0], "{} -> {}", losses[0], losses[99]);
            assert!(layer.weight.orthogonality_error().unwrap() < 5e-6);
        }
    }

    #[test]
    fn rejects_filters_and_biases_of_wrong_sizes() {
        let new =
            |filters: &Tensor, bias| OptConv2d::new(filters, cayley(), bias, OptConv2dConfig::default());
        let message = new(&filters(5).flatten(1, -1), None).unwrap_err().to_string();
        assert_eq!(message, "the filters of a convolution must be [c_out, c_in, height, width], got [5, 18]");
        let message = new(&filters(5), Some(gaussian(&[6], 1, Kind::Float))).unwrap_err().to_string();
        assert_eq!(message, "the bias of a layer of 5 neurons must be [5], got [6]");
        let message = new(&filters(5).narrow(3, 0, 2), None).unwrap_err().to_string();
        assert_eq!(message, "the frozen weight of a rotation of 18 dimensions must be [n, 18], got [5, 12]");
    }
}
