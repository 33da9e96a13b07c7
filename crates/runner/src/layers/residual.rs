//! The parts of residual networks: He et al., "Deep Residual Learning for Image Recognition", CVPR 2016,
//! <https://arxiv.org/abs/1512.03385>.

use tch::{TchError, Tensor};

use super::{Layer, Mode, Sequence};
use crate::trained::{Parts, Trained};
use crate::weight::Weight;

/// branch(xs) + shortcut(xs).
#[derive(Debug)]
pub struct Residual {
    /// The residual branch.
    pub branch: Sequence,
    /// The shortcut.
    pub shortcut: Sequence,
}

impl Layer for Residual {
    fn forward(&self, xs: &Tensor, mode: Mode) -> Result<Tensor, TchError> {
        self.branch.forward(xs, mode)?.f_add(&self.shortcut.forward(xs, mode)?)
    }

    fn trained(&mut self) -> Vec<&mut dyn Trained> {
        [&mut self.branch, &mut self.shortcut].into_iter().flat_map(|side| side.trained()).collect()
    }

    fn state(&mut self) -> Parts<'_> {
        [&mut self.branch, &mut self.shortcut].into_iter().flat_map(|side| side.state()).collect()
    }

    fn tensors(&self) -> Result<Vec<(String, Tensor)>, TchError> {
        let mut tensors = self.branch.tensors()?;
        tensors.extend(self.shortcut.tensors()?);
        Ok(tensors)
    }

    fn by_method(&self) -> Vec<(&str, &Weight)> {
        [&self.branch, &self.shortcut].into_iter().flat_map(|side| side.by_method()).collect()
    }
}

/// Takes every `stride`-th pixel of each row and column, and appends channels of zeros: option A of the paper.
#[derive(Debug)]
pub struct ZeroPadShortcut {
    /// Distance of the kept pixels.
    pub stride: i64,
    /// Number of channels of zeros.
    pub more_channels: i64,
}

impl Layer for ZeroPadShortcut {
    fn forward(&self, xs: &Tensor, _mode: Mode) -> Result<Tensor, TchError> {
        let kept = xs.f_slice(2, None, None, self.stride)?.f_slice(3, None, None, self.stride)?;
        kept.f_constant_pad_nd([0, 0, 0, 0, 0, self.more_channels])
    }
}

#[cfg(test)]
mod tests {
    use tch::{Device, Kind};

    use super::super::Relu;
    use super::*;

    #[test]
    fn sides_are_added() {
        let block = Residual { branch: Sequence(vec![Box::new(Relu)]), shortcut: Sequence(vec![]) };
        let xs = Tensor::from_slice(&[-1.0f32, 2.0]);
        assert_eq!(block.forward(&xs, Mode::Train).unwrap(), Tensor::from_slice(&[-1.0f32, 4.0]));
    }

    #[test]
    fn a_zero_padded_shortcut_keeps_every_other_pixel_and_adds_channels() {
        let xs = Tensor::arange(18, (Kind::Float, Device::Cpu)).view([1, 2, 3, 3]);
        let ys = ZeroPadShortcut { stride: 2, more_channels: 1 }.forward(&xs, Mode::Train).unwrap();
        let expected = [0.0f32, 2.0, 6.0, 8.0, 9.0, 11.0, 15.0, 17.0, 0.0, 0.0, 0.0, 0.0];
        assert_eq!(ys, Tensor::from_slice(&expected).view([1, 3, 2, 2]));
    }
}
