//! UCI handwritten digits, 8 x 8, embedded in the program so that the demo needs no download.
//!
//! E. Alpaydin and C. Kaynak, "Optical Recognition of Handwritten Digits", UCI Machine Learning Repository, 1998,
//! CC BY 4.0; the file is its test part in the form that scikit-learn distributes.

use std::io::Read;

use crate::dataset::{Dataset, Normalisation, RemoteFile, Samples, Split};
use crate::error::DataError;

/// 1797 rows of 64 pixel values from 0 to 16 and the label.
const CSV_GZ: &[u8] = include_bytes!("digits.csv.gz");
const PIXELS: usize = 64;
/// Every fifth image of each class, in the order of the file, is a test image, so the split is fixed and stratified.
const TEST_EVERY: usize = 5;

pub(crate) struct Digits;

impl Dataset for Digits {
    fn name(&self) -> &'static str {
        "digits"
    }

    fn about(&self) -> &'static str {
        "UCI handwritten digits, 8x8, 10 classes; built in (CC BY 4.0)"
    }

    fn shape(&self) -> [usize; 3] {
        [1, 8, 8]
    }

    fn classes(&self) -> usize {
        10
    }

    fn train_samples(&self) -> usize {
        1442
    }

    fn test_samples(&self) -> usize {
        355
    }

    fn normalisation(&self) -> Normalisation {
        Normalisation { centre: 8.0, scale: 8.0 }
    }

    fn files(&self) -> &[RemoteFile] {
        &[]
    }

    fn decode(&self, _files: &[Vec<u8>]) -> Result<Split, DataError> {
        let mut csv = String::new();
        flate2::read::GzDecoder::new(CSV_GZ).read_to_string(&mut csv).expect("the embedded file is intact");
        let mut split = Split {
            train: Samples { pixels: Vec::new(), labels: Vec::new() },
            test: Samples { pixels: Vec::new(), labels: Vec::new() },
        };
        let mut seen = [0; 10];
        for row in csv.lines() {
            let values: Vec<u8> =
                row.split(',').map(|value| value.parse::<f64>().expect("a number") as u8).collect();
            let (pixels, label) = (&values[..PIXELS], values[PIXELS]);
            let count = &mut seen[usize::from(label)];
            *count += 1;
            let side = if *count % TEST_EVERY == 0 { &mut split.test } else { &mut split.train };
            side.pixels.extend_from_slice(pixels);
            side.labels.push(label);
        }
        Ok(split)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_split_is_complete_and_stratified() {
        let split = Digits.decode(&[]).unwrap();
        assert_eq!(split.train.labels.len(), Digits.train_samples());
        assert_eq!(split.test.labels.len(), Digits.test_samples());
        let pixels = split.train.pixels.iter().chain(&split.test.pixels);
        assert_eq!(pixels.map(|&p| u64::from(p)).sum::<u64>(), 561_718);
        for class in 0..10 {
            let count = |samples: &Samples| samples.labels.iter().filter(|&&label| label == class).count();
            let (train, test) = (count(&split.train), count(&split.test));
            assert_eq!(test, (train + test) / TEST_EVERY, "class {class}");
        }
    }
}
