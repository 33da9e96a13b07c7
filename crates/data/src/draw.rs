//! Draws a small training set, because what a method is worth can depend on the number of training images.

use std::cmp::Ordering;

use crate::dataset::Samples;

impl Samples {
    /// Keeps `count` samples in their old order: of each class its share, rounded so that no class is left out if there
    /// are enough. Which samples of a class are kept is decided by `order`, which has every index once: the first ones.
    ///
    /// # Panics
    /// If `count` is larger than the number of samples.
    pub fn draw(self, count: usize, order: impl IntoIterator<Item = usize>) -> Self {
        let pixels = self.pixels.len() / self.labels.len().max(1);
        let mut wanted = shares(&self.labels, count);
        let mut is_kept = vec![false; self.labels.len()];
        for index in order {
            let wanted = &mut wanted[usize::from(self.labels[index])];
            is_kept[index] = *wanted > 0;
            *wanted = wanted.saturating_sub(1);
        }
        let mut kept = Self::with_capacity(count, pixels);
        for (index, &label) in self.labels.iter().enumerate().filter(|&(index, _)| is_kept[index]) {
            kept.labels.push(label);
            kept.pixels.extend_from_slice(&self.pixels[index * pixels..][..pixels]);
        }
        kept
    }
}

/// How many of `count` samples are of each class: in proportion to its size, rounded down but to at least 1; then the
/// classes that are farthest from their proportion get one more or one less until the sum is right.
fn shares(labels: &[u8], count: usize) -> [usize; 256] {
    assert!(count <= labels.len(), "{count} of {} samples", labels.len());
    let mut sizes = [0; 256];
    labels.iter().for_each(|&label| sizes[usize::from(label)] += 1);
    let mut shares = sizes.map(|size| match size {
        0 => 0,
        size => (count * size / labels.len()).max(1).min(count),
    });
    // The proportion minus the share, times the number of samples.
    let missing = |shares: &[usize; 256], class: usize| {
        (count * sizes[class]) as i128 - (shares[class] * labels.len()) as i128
    };
    loop {
        let classes = (0..256).filter(|&class| sizes[class] > 0);
        match shares.iter().sum::<usize>().cmp(&count) {
            Ordering::Equal => return shares,
            Ordering::Less => {
                let class = classes.rev().max_by_key(|&class| missing(&shares, class));
                shares[class.expect("there are samples")] += 1;
            }
            Ordering::Greater => {
                // A class loses its last sample only if there are fewer samples than classes.
                let nonempty = classes.filter(|&class| shares[class] > 0);
                let class = nonempty.min_by_key(|&class| (shares[class] == 1, missing(&shares, class)));
                shares[class.expect("the sum is not 0")] -= 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One-pixel images whose pixel is their index.
    fn samples(labels: Vec<u8>) -> Samples {
        Samples { pixels: (0..labels.len()).map(|index| index as u8).collect(), labels }
    }

    fn counts(labels: &[u8]) -> Vec<usize> {
        (0..=*labels.iter().max().unwrap())
            .map(|class| labels.iter().filter(|&&label| label == class).count())
            .collect()
    }

    #[test]
    fn every_class_keeps_its_share_of_exactly_so_many_samples() {
        let train = || crate::find("digits").unwrap().decode(&[]).unwrap().train;
        let all = counts(&train().labels);
        for count in [10, 11, 25, 144, 433, 1441, 1442] {
            let kept = train().draw(count, (0..1442).rev());
            assert_eq!((kept.labels.len(), kept.pixels.len()), (count, count * 64));
            for (class, (kept, all)) in counts(&kept.labels).into_iter().zip(&all).enumerate() {
                let share = (count * all) as f64 / 1442.0;
                assert!(
                    kept >= 1 && (kept as f64 - share).abs() < 1.0,
                    "{kept} of class {class}, not {share}"
                );
            }
        }
    }

    #[test]
    fn rare_classes_are_not_left_out() {
        let labels = [vec![0; 90], vec![1; 8], vec![2; 2], vec![4; 1]].concat();
        for (count, expected) in [(4, [1, 1, 1, 0, 1]), (5, [2, 1, 1, 0, 1]), (20, [17, 1, 1, 0, 1])] {
            assert_eq!(counts(&samples(labels.clone()).draw(count, 0..101).labels), expected, "{count}");
        }
    }

    #[test]
    fn the_order_decides_which_samples_are_kept_and_not_where_they_stand() {
        let labels = vec![0, 1, 0, 1, 0, 1];
        let first = samples(labels.clone()).draw(2, 0..6);
        assert_eq!((first.pixels, first.labels), (vec![0, 1], vec![0, 1]));
        let last = samples(labels.clone()).draw(4, (0..6).rev());
        assert_eq!((last.pixels, last.labels), (vec![2, 3, 4, 5], vec![0, 1, 0, 1]));
        let all = samples(labels.clone()).draw(6, (0..6).rev());
        assert_eq!((all.pixels, all.labels), ((0..6).collect(), labels));
    }
}
