//! The binary records of the CIFAR family: label bytes, then 32 x 32 pixels of red, of green and of blue.

use crate::archive::Archive;
use crate::dataset::{Dataset, Normalisation, RemoteFile, Samples, Split};
use crate::error::DataError;

const SHAPE: [usize; 3] = [3, 32, 32];
const PIXELS: usize = 3 * 32 * 32;

/// A data set in one archive: files of training records, then one file of test records.
pub(crate) struct Cifar {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    pub(crate) classes: usize,
    pub(crate) train_samples: usize,
    pub(crate) test_samples: usize,
    /// Labels per record; the last one is the finest, and the one that is used.
    pub(crate) labels: usize,
    pub(crate) file: [RemoteFile; 1],
    pub(crate) archive: Archive,
}

impl Dataset for Cifar {
    fn name(&self) -> &'static str {
        self.name
    }

    fn about(&self) -> &'static str {
        self.about
    }

    fn shape(&self) -> [usize; 3] {
        SHAPE
    }

    fn classes(&self) -> usize {
        self.classes
    }

    fn train_samples(&self) -> usize {
        self.train_samples
    }

    fn test_samples(&self) -> usize {
        self.test_samples
    }

    fn normalisation(&self) -> Normalisation {
        Normalisation { centre: 127.5, scale: 128.0 }
    }

    fn files(&self) -> &[RemoteFile] {
        &self.file
    }

    fn archive(&self) -> Option<&Archive> {
        Some(&self.archive)
    }

    fn decode(&self, files: &[Vec<u8>]) -> Result<Split, DataError> {
        let test = files.len() - 1;
        let per_file = self.train_samples / test;
        let mut train = Samples::with_capacity(self.train_samples, PIXELS);
        for index in 0..test {
            self.read(files, index, per_file, &mut train)?;
        }
        let mut split = Split { train, test: Samples::with_capacity(self.test_samples, PIXELS) };
        self.read(files, test, self.test_samples, &mut split.test)?;
        Ok(split)
    }
}

impl Cifar {
    /// Adds the records of the file `index`, which must contain exactly `records`.
    fn read(
        &self,
        files: &[Vec<u8>],
        index: usize,
        records: usize,
        samples: &mut Samples,
    ) -> Result<(), DataError> {
        let malformed = |detail: String| {
            let file = self.archive.members[index].name.to_owned();
            Err(DataError::Malformed { file, detail })
        };
        let record = self.labels + PIXELS;
        if files[index].len() != records * record {
            return malformed(format!("does not contain {records} records of {record} bytes"));
        }
        for record in files[index].chunks_exact(record) {
            let (labels, pixels) = record.split_at(self.labels);
            let label = labels[self.labels - 1];
            if usize::from(label) >= self.classes {
                return malformed(format!("contains the label {label}"));
            }
            samples.labels.push(label);
            samples.pixels.extend_from_slice(pixels);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::Member;

    /// Two files of one training record each, with a coarse and a fine label, and one test record.
    const TINY: Cifar = Cifar {
        name: "tiny",
        about: "",
        classes: 10,
        train_samples: 2,
        test_samples: 1,
        labels: 2,
        file: [RemoteFile { name: "tiny.tar.gz", bytes: 0, sha256: "", addresses: &[] }],
        archive: Archive {
            folder: "tiny",
            members: &[
                Member { name: "one.bin", bytes: 0, sha256: "" },
                Member { name: "two.bin", bytes: 0, sha256: "" },
                Member { name: "test.bin", bytes: 0, sha256: "" },
            ],
        },
    };

    fn record(labels: &[u8], pixel: u8) -> Vec<u8> {
        [labels, &[pixel; PIXELS]].concat()
    }

    fn files() -> Vec<Vec<u8>> {
        vec![record(&[3, 7], 1), record(&[3, 8], 2), record(&[4, 9], 5)]
    }

    #[test]
    fn records_are_read_in_order_with_their_fine_label() {
        let split = TINY.decode(&files()).unwrap();
        assert_eq!(split.train.labels, [7, 8]);
        assert_eq!(split.train.pixels, [[1; PIXELS], [2; PIXELS]].concat());
        assert_eq!((split.test.labels, split.test.pixels), (vec![9], vec![5; PIXELS]));
        let coarse_only = Cifar { labels: 1, ..TINY };
        let files = vec![record(&[3], 1), record(&[4], 2), record(&[5], 5)];
        assert_eq!(coarse_only.decode(&files).unwrap().train.labels, [3, 4]);
    }

    #[test]
    fn errors_name_the_file() {
        for (index, content, expected) in [
            (0, record(&[7], 1), "one.bin does not contain 1 records of 3074 bytes"),
            (2, [record(&[4, 9], 5), record(&[4, 9], 5)].concat(), "test.bin does not contain 1 records"),
            (1, record(&[3, 10], 2), "two.bin contains the label 10"),
        ] {
            let mut files = files();
            files[index] = content;
            let error = TINY.decode(&files).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }
}
