//! The basic block of residual networks: He et al., "Deep Residual Learning for Image Recognition", CVPR 2016,
//! <https://arxiv.org/abs/1512.03385>.

use super::batch_norm::BatchNorm;
use super::builder::{Builder, Conv};

/// The shortcut of a block whose sizes differ.
#[derive(Clone, Copy)]
pub(crate) enum Shortcut {
    /// Dropped pixels and channels of zeros: option A.
    ZeroPad,
    /// A 1x1 convolution with batch normalisation: option B.
    Projection,
}

/// Consecutive blocks; the first one may change sizes.
#[derive(Clone, Copy)]
pub(crate) struct Stage {
    /// Names the blocks.
    pub(crate) number: usize,
    pub(crate) blocks: usize,
    pub(crate) c_out: u64,
    /// Stride of the first block.
    pub(crate) stride: u64,
    pub(crate) shortcut: Shortcut,
}

/// The stem before the first block: a convolution without bias, batch normalisation, and ReLU.
pub(crate) fn stem(net: &mut Builder, norm: &BatchNorm, c_out: u64, kernel: u64, stride: u64) {
    let conv = Conv { c_out, kernel, stride, padding: kernel / 2, bias: false };
    net.conv("stem".to_owned(), conv);
    net.batch_norm("stem_norm".to_owned(), norm);
    net.relu();
}

/// Adds the blocks of a stage.
pub(crate) fn stage(net: &mut Builder, norm: &BatchNorm, stage: Stage) {
    for index in 1..=stage.blocks {
        let name = format!("block{}_{index}", stage.number);
        let stride = if index == 1 { stage.stride } else { 1 };
        block(net, norm, &name, stage.c_out, stride, stage.shortcut);
    }
}

fn block(net: &mut Builder, norm: &BatchNorm, name: &str, c_out: u64, stride: u64, shortcut: Shortcut) {
    let resized = stride != 1 || net.channels() != c_out;
    let conv = |kernel, stride| Conv { c_out, kernel, stride, padding: kernel / 2, bias: false };
    net.residual(
        |branch| {
            branch.conv(format!("{name}_conv1"), conv(3, stride));
            branch.batch_norm(format!("{name}_norm1"), norm);
            branch.relu();
            branch.conv(format!("{name}_conv2"), conv(3, 1));
            branch.batch_norm(format!("{name}_norm2"), norm);
        },
        |short| match shortcut {
            _ if !resized => {}
            Shortcut::ZeroPad => short.zero_pad_shortcut(c_out, stride),
            Shortcut::Projection => {
                short.conv(format!("{name}_shortcut"), conv(1, stride));
                short.batch_norm(format!("{name}_shortcut_norm"), norm);
            }
        },
    );
    net.relu();
}
