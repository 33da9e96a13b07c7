//! A convolution over images.

use tch::{TchError, Tensor};

use super::{Layer, Mode, Neurons};
use crate::trained::Trained;
use crate::weight::Weight;

/// The outputs of the neurons for every patch of an image.
#[derive(Debug)]
pub struct Conv2d {
    /// Neurons of length `c_in kernel kernel`, in the order of libtorch's filters.
    pub neurons: Neurons,
    /// Height and width of a patch.
    pub kernel: i64,
    /// Pixels from one patch to the next.
    pub stride: i64,
    /// Zeros around the image, on each side.
    pub padding: i64,
}

impl Layer for Conv2d {
    /// Maps `[batch, c_in, h, w]` to `[batch, c_out, h', w']`.
    fn forward(&self, xs: &Tensor, _mode: Mode) -> Result<Tensor, TchError> {
        let (weight, bias) = (self.neurons.weight(xs.kind())?, self.neurons.bias(xs.kind())?);
        let filters = weight.f_view([weight.size()[0], -1, self.kernel, self.kernel])?;
        let (stride, padding, dilation) = ([self.stride; 2], [self.padding; 2], [1; 2]);
        xs.f_conv2d(&filters, bias, stride, padding, dilation, 1)
    }

    fn trained(&mut self) -> Vec<&mut dyn Trained> {
        self.neurons.trained()
    }

    fn tensors(&self) -> Result<Vec<(String, Tensor)>, TchError> {
        self.neurons.tensors(&[self.kernel, self.kernel])
    }

    fn by_method(&self) -> Vec<(&str, &Weight)> {
        self.neurons.by_method()
    }
}

#[cfg(test)]
mod tests {
    use tch::{Device, Kind};

    use super::super::NeuronsConfig;
    use super::*;
    use crate::random::{self, Purpose};
    use crate::start::Start;

    fn images(size: [i64; 4]) -> Tensor {
        let rows = [size[0], size[1] * size[2] * size[3]];
        random::gaussian(random::stream(1, Purpose::Neurons("images")), rows, 1.0, Device::Cpu)
            .unwrap()
            .view(size)
    }

    fn conv(c_in: i64, kernel: i64, stride: i64, padding: i64) -> Conv2d {
        let config =
            NeuronsConfig { name: "conv", d: c_in * kernel * kernel, n: 5, bias: false, by_method: true };
        Conv2d { neurons: Neurons::new(config, Start::baseline(2)).unwrap(), kernel, stride, padding }
    }

    #[test]
    fn a_neuron_is_applied_to_its_patch() {
        let (layer, xs) = (conv(3, 3, 2, 1), images([2, 3, 6, 6]));
        let ys = layer.forward(&xs, Mode::Evaluate).unwrap();
        assert_eq!(ys.size(), [2, 5, 3, 3]);
        // The patch around pixel (2, 4) gives the output (1, 2).
        let patch = xs.narrow(2, 1, 3).narrow(3, 3, 3).reshape([2, 27]);
        let expected = patch.matmul(&layer.neurons.weight(Kind::Float).unwrap().tr());
        assert!(ys.select(3, 2).select(2, 1).allclose(&expected, 1e-5, 1e-6, false));
    }

    #[test]
    fn gradients_reach_every_neuron() {
        let mut layer = conv(3, 3, 1, 1);
        layer.forward(&images([2, 3, 4, 4]), Mode::Train).unwrap().square().sum(Kind::Float).backward();
        let gradient = layer.trained()[0].effective_gradient().unwrap();
        assert_eq!(gradient.size(), [5, 27]);
        assert!(gradient.abs().min().double_value(&[]) > 0.0);
    }
}
