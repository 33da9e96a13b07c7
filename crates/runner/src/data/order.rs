//! The order of the training images.

use optlab_opt::host;
use tch::{Device, TchError, Tensor};

use super::Images;
use crate::random::{self, Purpose};

/// Batches from a permutation per epoch; an incomplete last batch is dropped.
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
    /// The order for `seed`.
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
            self.shuffled = Some((epoch, host::send(&order, self.device)?));
        }
        let (_, order) = self.shuffled.as_ref().expect("just made");
        Ok(order)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use optlab_data::{Normalisation, Samples};

    use super::*;

    #[test]
    fn an_epoch_uses_no_image_twice_and_each_epoch_has_its_own_order() {
        let samples = Samples { pixels: vec![0; 1442], labels: vec![0; 1442] };
        let normalisation = Normalisation { centre: 0.0, scale: 1.0 };
        let images = Images::new([1, 1, 1], normalisation, &samples, Device::Cpu).unwrap();
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
