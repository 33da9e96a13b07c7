//! Holds out a part of a training set for validation, because the test set must not be used for choices.

use crate::dataset::Samples;

/// The number of `samples` that a fraction holds out.
pub fn held_out(samples: usize, share: f64) -> usize {
    (share * samples as f64).round() as usize
}

impl Samples {
    /// Splits into the kept samples and `count` held-out ones. The split is fixed and stratified: sorted by class and
    /// then by position, the held-out samples are evenly spaced.
    pub fn hold_out(self, count: usize) -> (Self, Self) {
        let total = self.labels.len();
        let pixels = self.pixels.len() / total.max(1);
        let mut by_class: Vec<usize> = (0..total).collect();
        by_class.sort_by_key(|&index| self.labels[index]);
        let mut is_held_out = vec![false; total];
        for (place, index) in by_class.into_iter().enumerate() {
            is_held_out[index] = (place + 1) * count / total > place * count / total;
        }
        let mut kept = Self::with_capacity(total - count, pixels);
        let mut held_out = Self::with_capacity(count, pixels);
        for (index, &label) in self.labels.iter().enumerate() {
            let side = if is_held_out[index] { &mut held_out } else { &mut kept };
            side.labels.push(label);
            side.pixels.extend_from_slice(&self.pixels[index * pixels..][..pixels]);
        }
        (kept, held_out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_class_is_held_out_in_proportion_and_no_image_is_in_both_parts() {
        let train = crate::find("digits").unwrap().decode(&[]).unwrap().train;
        let (all, count) = (train.labels.clone(), held_out(train.labels.len(), 0.1));
        let sum: u64 = train.pixels.iter().map(|&pixel| u64::from(pixel)).sum();
        assert_eq!(count, 144);
        let (kept, held) = train.hold_out(count);
        assert_eq!((kept.labels.len(), held.labels.len()), (1298, 144));
        assert_eq!((kept.pixels.len(), held.pixels.len()), (1298 * 64, 144 * 64));
        for class in 0..10 {
            let count = |labels: &[u8]| labels.iter().filter(|&&label| label == class).count() as f64;
            assert!((count(&held.labels) - 0.1 * count(&all)).abs() <= 1.0, "class {class}");
        }
        assert_eq!(kept.pixels.iter().chain(&held.pixels).map(|&pixel| u64::from(pixel)).sum::<u64>(), sum);
    }

    #[test]
    fn hold_out_keeps_labels_and_order() {
        let samples = Samples { pixels: vec![1, 1, 2, 2, 3, 3, 4, 4], labels: vec![1, 0, 1, 0] };
        let (kept, held) = samples.hold_out(2);
        assert_eq!((kept.labels, kept.pixels), (vec![1, 0], vec![1, 1, 2, 2]));
        assert_eq!((held.labels, held.pixels), (vec![1, 0], vec![3, 3, 4, 4]));
    }
}
