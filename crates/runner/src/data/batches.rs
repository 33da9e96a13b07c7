//! The batches of the updates.

use tch::TchError;

use super::{Augmentation, Batch, Images, Order};

/// The training set, the order of its images, and their augmentation.
#[derive(Debug)]
pub struct Batches {
    pub(super) images: Images,
    pub(super) order: Order,
    pub(super) augmentation: Option<Augmentation>,
}

impl Batches {
    /// The batch for the update that follows `step` completed ones.
    ///
    /// # Errors
    /// libtorch's own.
    pub fn after(&mut self, step: u64) -> Result<Batch, TchError> {
        let (pixels, labels) = self.images.select(&self.order.indices(step)?)?;
        let pixels = match &self.augmentation {
            Some(augmentation) => augmentation.change(&pixels, step)?,
            None => pixels,
        };
        Ok(Batch { xs: self.images.normalise(&pixels)?, labels })
    }
}
