//! The images of a job, as bytes on its device, and the order in which it learns from them.

use optlab_data::{Dataset, Normalisation, Samples};
use tch::{Device, Kind, TchError, Tensor};

use crate::random::{self, Purpose};

/// Images with labels. A batch is cut out and normalised on the device: a step copies nothing from the host.
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
    /// Puts one side of a data set's split on the device.
    ///
    /// # Errors
    /// libtorch's own.
    pub fn new(dataset: &dyn Dataset, samples: &Samples, device: Device) -> Result<Self, TchError> {
        let [channels, height, width] = dataset.shape().map(|size| size as i64);
        let pixels = Tensor::f_from_slice(&samples.pixels)?.f_view([-1, channels, height, width])?;
        let labels = Tensor::f_from_slice(&samples.labels)?.f_to_kind(Kind::Int64)?;
        let normalisation = dataset.normalisation();
        Ok(Self { pixels: pixels.f_to(device)?, labels: labels.f_to(device)?, normalisation })
    }

    /// Number of images.
    pub fn len(&self) -> i64 {
        self.labels.size()[0]
    }

    /// Whether there is no image.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The images of these indices.
    ///
    /// # Errors
    /// libtorch's own.
    pub fn select(&self, indices: &Tensor) -> Result<Batch, TchError> {
        let (pixels, labels) =
            (self.pixels.f_index_select(0, indices)?, self.labels.f_index_select(0, indices)?);
        Ok(Batch { xs: self.normalise(&pixels)?, labels })
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

    fn normalise(&self, pixels: &Tensor) -> Result<Tensor, TchError> {
        let Normalisation { centre, scale } = self.normalisation;
        let mut xs = pixels.f_to_kind(Kind::Float)?;
        let _ = xs.f_sub_scalar_(centre)?.f_mul_scalar_(1.0 / scale)?;
        Ok(xs)
    }
}

/// Batches of each epoch's own permutation; the samples that fill no last batch are left to the next shuffle.
#[derive(Debug)]
pub struct Order {
    seed: u64,
    samples: u64,
    batch_size: u64,
    device: Device,
    /// The epoch whose permutation is on the device.
    shuffled: Option<(u64, Tensor)>,
}

impl Order {
    /// The order that `seed` gives.
    pub fn new(seed: u64, images: &Images, batch_size: u64, device: Device) -> Self {
        let samples = images.len() as u64;
        Self { seed, samples, batch_size: batch_size.min(samples), device, shuffled: None }
    }

    /// The indices, `[batch]`, for the update that follows `step` completed ones.
    ///
    /// # Errors
    /// libtorch's own.
    pub fn indices(&mut self, step: u64) -> Result<Tensor, TchError> {
        let batches = self.samples / self.batch_size;
        let (epoch, batch) = (step / batches, step % batches);
        let (start, count) = ((batch * self.batch_size) as i64, self.batch_size as i64);
        self.permutation(epoch)?.f_narrow(0, start, count)
    }

    fn permutation(&mut self, epoch: u64) -> Result<&Tensor, TchError> {
        if self.shuffled.as_ref().is_none_or(|(shuffled, _)| *shuffled != epoch) {
            let order = random::permutation(random::stream(self.seed, Purpose::Shuffle(epoch)), self.samples);
            self.shuffled = Some((epoch, Tensor::f_from_slice(&order)?.f_to(self.device)?));
        }
        let (_, order) = self.shuffled.as_ref().expect("just made");
        Ok(order)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn digits() -> Images {
        let dataset = optlab_data::find("digits").unwrap();
        Images::new(dataset, &dataset.decode(&[]).unwrap().train, Device::Cpu).unwrap()
    }

    #[test]
    fn images_are_normalised_and_keep_their_labels() {
        let images = digits();
        let batch = images.select(&Tensor::from_slice(&[5i64, 0])).unwrap();
        assert_eq!(batch.xs.size(), [2, 1, 8, 8]);
        let pixels = images.pixels.get(5).to_kind(Kind::Float);
        assert_eq!(batch.xs.get(0), (pixels - 8) / 8);
        assert_eq!(batch.labels.int64_value(&[0]), images.labels.int64_value(&[5]));
        assert_eq!(images.slice(images.len() - 3, 10).unwrap().xs.size()[0], 3);
    }

    #[test]
    fn an_epoch_meets_no_image_twice_and_the_next_is_in_another_order() {
        let images = digits();
        let mut order = Order::new(4, &images, 100, Device::Cpu);
        let epoch = |order: &mut Order, epoch: u64| -> Vec<i64> {
            (0..14)
                .flat_map(|b| Vec::<i64>::try_from(order.indices(14 * epoch + b).unwrap()).unwrap())
                .collect()
        };
        let (first, second) = (epoch(&mut order, 0), epoch(&mut order, 1));
        assert_eq!(first.iter().collect::<HashSet<_>>().len(), 1400);
        assert_ne!(first, second);
        assert_eq!(epoch(&mut order, 0), first);
    }
}
