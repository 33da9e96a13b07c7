//! Random images for benchmarks.

use optlab_data::{Normalisation, Samples, Split};
use optlab_spec::Synthetic;

use crate::random::{self, Purpose};

/// The normalisation of the real data sets with 256 levels.
pub(super) const NORMALISATION: Normalisation = Normalisation { centre: 127.5, scale: 128.0 };
/// A fixed seed: like real data, it does not depend on the seed of the job.
const SEED: u64 = 0;

/// Noise, with classes of about equal frequency.
pub(super) fn draw(spec: &Synthetic) -> Split {
    let side = |name, samples: u64| {
        let pixels = spec.shape.iter().product::<u64>() * samples;
        Samples {
            pixels: random::bytes(random::stream(SEED, Purpose::Synthetic(name)), pixels as usize),
            labels: (0..samples).map(|index| (index % spec.classes) as u8).collect(),
        }
    };
    Split { train: side("train", spec.samples), test: side("test", spec.test_samples()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn synthetic_data_has_its_size_and_is_noise() {
        let spec = Synthetic { shape: [3, 8, 8], classes: 7, samples: 1000 };
        let Split { train, test } = draw(&spec);
        assert_eq!((train.pixels.len(), train.labels.len()), (192_000, 1000));
        assert_eq!((test.pixels.len(), test.labels.len()), (19_200, 100));
        assert_eq!(train.labels.iter().max(), Some(&6));
        let mean = train.pixels.iter().map(|&pixel| f64::from(pixel)).sum::<f64>() / 192_000.0;
        assert!((mean - 127.5).abs() < 1.0, "{mean}");
        assert_ne!(train.pixels[..19_200], test.pixels);
        assert_eq!(draw(&spec).train.pixels, train.pixels);
    }
}
