//! Layers that make images smaller.

use tch::{Kind, TchError, Tensor};

use super::{Layer, Mode};

/// The largest value of each patch of each channel.
#[derive(Debug)]
pub struct MaxPool {
    /// Height and width of a patch.
    pub size: i64,
    /// Pixels from one patch to the next.
    pub stride: i64,
    /// Padding around the image, on each side, that is never the largest value.
    pub padding: i64,
}

impl Layer for MaxPool {
    fn forward(&self, xs: &Tensor, _mode: Mode) -> Result<Tensor, TchError> {
        xs.f_max_pool2d([self.size; 2], [self.stride; 2], [self.padding; 2], [1; 2], false)
    }
}

/// The mean of each channel: `[batch, c, h, w]` to `[batch, c]`.
#[derive(Debug)]
pub struct GlobalAveragePool;

impl Layer for GlobalAveragePool {
    fn forward(&self, xs: &Tensor, _mode: Mode) -> Result<Tensor, TchError> {
        xs.f_mean_dim([2i64, 3].as_slice(), false, None::<Kind>)
    }
}

#[cfg(test)]
mod tests {
    use tch::Device;

    use super::*;

    #[test]
    fn incomplete_patches_are_dropped() {
        let xs = Tensor::arange(25, (Kind::Float, Device::Cpu)).view([1, 1, 5, 5]);
        let pool = MaxPool { size: 2, stride: 2, padding: 0 };
        let ys = pool.forward(&xs, Mode::Train).unwrap();
        assert_eq!(ys, Tensor::from_slice(&[6.0f32, 8.0, 16.0, 18.0]).view([1, 1, 2, 2]));
    }

    #[test]
    fn the_mean_is_over_the_pixels_of_a_channel() {
        let xs = Tensor::arange(8, (Kind::Float, Device::Cpu)).view([1, 2, 2, 2]);
        let ys = GlobalAveragePool.forward(&xs, Mode::Train).unwrap();
        assert_eq!(ys, Tensor::from_slice(&[1.5f32, 5.5]).view([1, 2]));
    }
}
