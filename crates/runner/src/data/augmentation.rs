//! Random augmentation of training images on the device.

use optlab_opt::host;
use optlab_spec::Augment;
use tch::{Device, TchError, Tensor};

use crate::random::{self, Purpose};

/// Maximum offset of a crop from the middle, in pixels: He et al., CVPR 2016, section 4.2.
const MARGIN: i64 = 4;

/// All augmentations of an image, of which each image of a batch gets one at random.
///
/// Crops and mirrorings rearrange pixels, so a batch is one gather; only the indices of the chosen augmentations are
/// copied to the device.
#[derive(Debug)]
pub struct Augmentation {
    seed: u64,
    /// `[ways, height width]`: the source of each pixel; `height width` means a black one.
    sources: Tensor,
    /// Whether there are black pixels.
    black: bool,
}

/// One augmentation of an image.
#[derive(Clone, Copy)]
struct Way {
    /// Mirrored horizontally, after the crop.
    flip: bool,
    /// Offset of the crop below the middle.
    down: i64,
    /// Offset of the crop to the right of the middle.
    right: i64,
}

impl Augmentation {
    /// The augmentations of a spec for images of this shape; `None` if the list is empty.
    ///
    /// # Errors
    /// libtorch's own.
    pub fn new(
        words: &[Augment],
        shape: [u64; 3],
        seed: u64,
        device: Device,
    ) -> Result<Option<Self>, TchError> {
        if words.is_empty() {
            return Ok(None);
        }
        let black = words.contains(&Augment::PadCropZero);
        let [_, height, width] = shape.map(|size| size as i64);
        let places = || (0..height).flat_map(|row| (0..width).map(move |column| (row, column)));
        let source = |way: Way, (row, column)| {
            let (row, column) = way.source(row, column, width);
            if black && !((0..height).contains(&row) && (0..width).contains(&column)) {
                return height * width;
            }
            mirrored(row, height) * width + mirrored(column, width)
        };
        let sources: Vec<i64> = Way::all(words)
            .into_iter()
            .flat_map(|way| places().map(move |place| source(way, place)))
            .collect();
        let sources = host::send(&sources, device)?.f_view([-1, height * width])?;
        Ok(Some(Self { seed, sources, black }))
    }

    /// Augments `pixels`, `[batch, channels, height, width]`, for the update that follows `step` completed ones.
    ///
    /// # Errors
    /// libtorch's own.
    pub fn change(&self, pixels: &Tensor, step: u64) -> Result<Tensor, TchError> {
        let size = pixels.size();
        let (batch, channels) = (size[0], size[1]);
        let stream = random::stream(self.seed, Purpose::Augment(step));
        let ways = host::send(&random::below(stream, self.sources.size()[0], batch), pixels.device())?;
        let sources = self.sources.f_index_select(0, &ways)?.f_unsqueeze(1)?;
        let mut flat = pixels.f_flatten(2, -1)?;
        if self.black {
            flat = flat.f_constant_pad_nd([0, 1])?;
        }
        flat.f_gather(2, &sources.f_expand([batch, channels, -1], false)?, false)?.f_view(&size[..])
    }
}

impl Way {
    fn all(words: &[Augment]) -> Vec<Self> {
        let crops = words.iter().any(|word| matches!(word, Augment::PadCrop | Augment::PadCropZero));
        let flips = words.contains(&Augment::Flip);
        let offsets = if crops { -MARGIN..=MARGIN } else { 0..=0 };
        let mut ways = Vec::new();
        for &flip in if flips { &[false, true][..] } else { &[false] } {
            for down in offsets.clone() {
                ways.extend(offsets.clone().map(|right| Self { flip, down, right }));
            }
        }
        ways
    }

    /// The source of a pixel, in rows and columns that may be outside the image.
    fn source(self, row: i64, column: i64, width: i64) -> (i64, i64) {
        let column = if self.flip { width - 1 - column } else { column };
        (row + self.down, column + self.right)
    }
}

/// The index at `place` of a row of `length` that is mirrored beyond its ends, with the last pixel repeated.
fn mirrored(place: i64, length: i64) -> i64 {
    let place = place.rem_euclid(2 * length);
    place.min(2 * length - 1 - place)
}

#[cfg(test)]
mod tests {
    use tch::Kind;

    use super::*;

    const SHAPE: [u64; 3] = [3, 6, 5];

    fn pixels(batch: i64) -> Tensor {
        let count = batch * SHAPE.iter().product::<u64>() as i64;
        let bytes = random::bytes(random::stream(1, Purpose::Synthetic("train")), count as usize);
        Tensor::from_slice(&bytes).view([batch, 3, 6, 5])
    }

    fn augmentation(words: &[Augment]) -> Augmentation {
        Augmentation::new(words, SHAPE, 9, Device::Cpu).unwrap().unwrap()
    }

    /// One image, cropped and mirrored pixel by pixel from a padded one.
    fn naive(image: &Tensor, black: bool, way: i64, ways: i64) -> Tensor {
        let (flip, cut) = if ways == 162 { (way >= 81, way % 81) } else { (false, way) };
        let (down, right) = (cut / 9, cut % 9);
        let [channels, height, width] = SHAPE.map(|size| size as i64);
        let padded = Tensor::zeros([channels, height + 8, width + 8], (Kind::Uint8, Device::Cpu));
        let inner = |i: i64, length: i64| match i - 4 {
            i if i < 0 => -1 - i,
            i if i >= length => 2 * length - 1 - i,
            i => i,
        };
        for (row, column) in (0..height + 8).flat_map(|row| (0..width + 8).map(move |column| (row, column))) {
            let outside = row < 4 || row >= height + 4 || column < 4 || column >= width + 4;
            if !(black && outside) {
                let source = image.select(2, inner(column, width)).select(1, inner(row, height));
                padded.select(2, column).select(1, row).copy_(&source);
            }
        }
        let cut = padded.narrow(1, down, height).narrow(2, right, width);
        if flip { cut.flip([2]) } else { cut }
    }

    #[test]
    fn a_batch_agrees_with_a_loop_over_its_images() {
        for words in [
            &[Augment::PadCrop][..],
            &[Augment::PadCropZero],
            &[Augment::PadCrop, Augment::Flip],
            &[Augment::Flip, Augment::PadCropZero],
        ] {
            let (augmentation, pixels) = (augmentation(words), pixels(16));
            let ways = augmentation.sources.size()[0];
            let changed = augmentation.change(&pixels, 3).unwrap();
            let drawn = random::below(random::stream(9, Purpose::Augment(3)), ways, 16);
            for (index, way) in (0..).zip(drawn) {
                let expected = naive(&pixels.get(index), augmentation.black, way, ways);
                assert_eq!(changed.get(index), expected, "{words:?}, image {index}");
            }
        }
    }

    #[test]
    fn half_of_the_images_are_mirrored_and_all_crops_are_equally_likely() {
        let mirror = augmentation(&[Augment::Flip]);
        let pixels = pixels(1).expand([10_000, -1, -1, -1], false);
        let changed = mirror.change(&pixels, 0).unwrap();
        let same = changed.eq_tensor(&pixels).flatten(1, -1).all_dim(1, false);
        let same = same.sum(Kind::Int64).int64_value(&[]);
        // Five standard deviations of a fair coin.
        assert!((same - 5000).abs() < 250, "{same}");
        assert!(
            changed.eq_tensor(&pixels.flip([3])).flatten(1, -1).all_dim(1, false).sum(Kind::Int64)
                == Tensor::from(10_000 - same)
        );

        let cut = augmentation(&[Augment::PadCropZero]);
        let ways = random::below(random::stream(9, Purpose::Augment(1)), cut.sources.size()[0], 81_000);
        let mut counts = [0i64; 81];
        ways.into_iter().for_each(|way| counts[way as usize] += 1);
        // Five standard deviations of a count of mean 1000.
        assert!(counts.iter().all(|count| (count - 1000).abs() < 160), "{counts:?}");
    }

    #[test]
    fn augmentation_depends_on_the_seed_and_the_step() {
        let (augmentation, pixels) = (augmentation(&[Augment::PadCrop, Augment::Flip]), pixels(32));
        let first = augmentation.change(&pixels, 7).unwrap();
        assert_eq!(augmentation.change(&pixels, 7).unwrap(), first);
        assert_ne!(augmentation.change(&pixels, 8).unwrap(), first);
        assert_eq!(first.stride(), pixels.stride());
    }

    #[test]
    fn images_smaller_than_the_margin_are_mirrored_repeatedly() {
        assert_eq!(
            (-4..6).map(|place| mirrored(place, 2)).collect::<Vec<_>>(),
            [0, 1, 1, 0, 0, 1, 1, 0, 0, 1]
        );
    }
}
