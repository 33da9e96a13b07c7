//! Images as bytes on a device, and as the inputs of a network.

use optlab_data::{Normalisation, Samples};
use tch::{Device, Kind, TchError, Tensor};

/// Images with labels. Batches are selected and normalised on the device, so a step copies no image from the host.
#[derive(Debug)]
pub struct Images {
    /// `[samples, channels, height, width]`, bytes.
    pixels: Tensor,
    /// `[samples]`.
    labels: Tensor,
    normalisation: Normalisation,
}

/// Inputs with their labels.
#[derive(Debug)]
pub struct Batch {
    /// `[batch, channels, height, width]`, float32.
    pub xs: Tensor,
    /// `[batch]`.
    pub labels: Tensor,
}

impl Images {
    /// Copies images of this shape to the device.
    ///
    /// # Errors
    /// libtorch's own.
    pub fn new(
        shape: [u64; 3],
        normalisation: Normalisation,
        samples: &Samples,
        device: Device,
    ) -> Result<Self, TchError> {
        let [channels, height, width] = shape.map(|size| size as i64);
        let pixels = Tensor::f_from_slice(&samples.pixels)?.f_view([-1, channels, height, width])?;
        let labels = Tensor::f_from_slice(&samples.labels)?.f_to_kind(Kind::Int64)?;
        Ok(Self { pixels: pixels.f_to(device)?, labels: labels.f_to(device)?, normalisation })
    }

    /// The same images, in the same memory.
    pub(super) fn shared(&self) -> Self {
        let Self { pixels, labels, normalisation } = self;
        Self { pixels: pixels.shallow_clone(), labels: labels.shallow_clone(), normalisation: *normalisation }
    }

    /// Where the pixels are.
    #[cfg(test)]
    pub(super) fn address(&self) -> usize {
        self.pixels.data_ptr() as usize
    }

    /// Number of images.
    pub fn len(&self) -> i64 {
        self.labels.size()[0]
    }

    /// Whether there is no image.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Pixels, `[batch, channels, height, width]`, and labels, `[batch]`, of the images of these indices.
    ///
    /// # Errors
    /// libtorch's own.
    pub(super) fn select(&self, indices: &Tensor) -> Result<(Tensor, Tensor), TchError> {
        Ok((self.pixels.f_index_select(0, indices)?, self.labels.f_index_select(0, indices)?))
    }

    /// At most `most` images from `start` on, in their own order.
    ///
    /// # Errors
    /// libtorch's own.
    pub fn slice(&self, start: i64, most: i64) -> Result<Batch, TchError> {
        let count = most.min(self.len() - start);
        let (pixels, labels) =
            (self.pixels.f_narrow(0, start, count)?, self.labels.f_narrow(0, start, count)?);
        Ok(Batch { xs: self.normalise(&pixels)?, labels })
    }

    /// The number of images that keep a core or a GPU busy, and no more: for a convolution over a thousand images, a
    /// CPU spends nearly as long on fresh memory pages as on computing.
    pub fn chunk(&self) -> i64 {
        const PIXELS: i64 = 1 << 17;
        let [_, _, height, width] = self.pixels.size()[..] else {
            unreachable!("images have four dimensions")
        };
        (PIXELS / (height * width)).clamp(1, 1000)
    }

    /// Inputs of a network from pixels.
    ///
    /// # Errors
    /// libtorch's own.
    pub(super) fn normalise(&self, pixels: &Tensor) -> Result<Tensor, TchError> {
        let Normalisation { centre, scale } = self.normalisation;
        let mut xs = pixels.f_to_kind(Kind::Float)?;
        let _ = xs.f_sub_scalar_(centre)?.f_mul_scalar_(1.0 / scale)?;
        Ok(xs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_are_normalised_and_keep_their_labels() {
        let normalisation = Normalisation { centre: 8.0, scale: 4.0 };
        let samples = Samples { pixels: (0..12).collect(), labels: vec![7, 8, 9] };
        let images = Images::new([1, 2, 2], normalisation, &samples, Device::Cpu).unwrap();
        let (pixels, labels) = images.select(&Tensor::from_slice(&[2i64, 0])).unwrap();
        assert_eq!(Vec::<i64>::try_from(labels).unwrap(), [9, 7]);
        let xs = images.normalise(&pixels).unwrap();
        let expected = Tensor::from_slice(&[0.0f32, 0.25, 0.5, 0.75, -2.0, -1.75, -1.5, -1.25]);
        assert_eq!(xs, expected.view([2, 1, 2, 2]));
        let rest = images.slice(1, 10).unwrap();
        assert_eq!(rest.xs.size(), [2, 1, 2, 2]);
        assert_eq!(rest.xs.get(1), xs.get(0));
    }
}
