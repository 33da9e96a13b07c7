//! The IDX format of the MNIST family: a magic number, the sizes, then bytes, compressed with gzip.

use std::io::Read;

use crate::dataset::{Dataset, Normalisation, RemoteFile, Samples, Split};
use crate::error::DataError;

const IMAGES: u32 = 0x0000_0803;
const LABELS: u32 = 0x0000_0801;

/// A data set in four IDX files.
pub(crate) struct Idx {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    /// Height and width.
    pub(crate) size: [usize; 2],
    pub(crate) classes: usize,
    pub(crate) train_samples: usize,
    pub(crate) test_samples: usize,
    /// Training images, training labels, test images and test labels.
    pub(crate) files: [RemoteFile; 4],
}

impl Dataset for Idx {
    fn name(&self) -> &'static str {
        self.name
    }

    fn about(&self) -> &'static str {
        self.about
    }

    fn shape(&self) -> [usize; 3] {
        [1, self.size[0], self.size[1]]
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
        &self.files
    }

    fn decode(&self, files: &[Vec<u8>]) -> Result<Split, DataError> {
        Ok(Split {
            train: self.part(files, 0, self.train_samples)?,
            test: self.part(files, 2, self.test_samples)?,
        })
    }
}

impl Idx {
    /// Images in the file `index`, labels in the next one.
    fn part(&self, files: &[Vec<u8>], index: usize, samples: usize) -> Result<Samples, DataError> {
        let [height, width] = self.size;
        let pixels = self.body(files, index, IMAGES, &[samples, height, width])?;
        let labels = self.body(files, index + 1, LABELS, &[samples])?;
        match labels.iter().find(|&&label| usize::from(label) >= self.classes) {
            Some(label) => Err(self.malformed(index + 1, format!("contains the label {label}"))),
            None => Ok(Samples { pixels, labels }),
        }
    }

    /// The bytes after the header, which must name these sizes.
    fn body(
        &self,
        files: &[Vec<u8>],
        index: usize,
        magic: u32,
        sizes: &[usize],
    ) -> Result<Vec<u8>, DataError> {
        let wanted: usize = sizes.iter().product();
        let header: Vec<u8> =
            [magic].into_iter().chain(sizes.iter().map(|&n| n as u32)).flat_map(u32::to_be_bytes).collect();
        let mut content = Vec::with_capacity(header.len() + wanted);
        // One byte more than the expected size is enough to detect a longer file.
        let limit = (header.len() + wanted + 1) as u64;
        flate2::read::GzDecoder::new(files[index].as_slice())
            .take(limit)
            .read_to_end(&mut content)
            .map_err(|error| self.malformed(index, format!("is not gzip: {error}")))?;
        if !content.starts_with(&header) {
            return Err(self.malformed(index, format!("is not an IDX file of sizes {sizes:?}")));
        }
        let body = content.split_off(header.len());
        if body.len() == wanted {
            Ok(body)
        } else {
            Err(self
                .malformed(index, format!("does not contain the {wanted} bytes that its header announces")))
        }
    }

    fn malformed(&self, index: usize, detail: String) -> DataError {
        DataError::Malformed { file: self.files[index].name.to_owned(), detail }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::{Compression, write::GzEncoder};

    use super::*;

    const fn file(name: &'static str) -> RemoteFile {
        RemoteFile { name, bytes: 0, sha256: "", addresses: &[] }
    }

    /// Two training images and one test image of 1 x 2 pixels.
    const TINY: Idx = Idx {
        name: "tiny",
        about: "",
        size: [1, 2],
        classes: 10,
        train_samples: 2,
        test_samples: 1,
        files: [file("train-images"), file("train-labels"), file("test-images"), file("test-labels")],
    };

    fn gz(magic: u32, sizes: &[u32], body: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        for number in [magic].iter().chain(sizes) {
            encoder.write_all(&number.to_be_bytes()).unwrap();
        }
        encoder.write_all(body).unwrap();
        encoder.finish().unwrap()
    }

    fn files() -> Vec<Vec<u8>> {
        vec![
            gz(IMAGES, &[2, 1, 2], &[1, 2, 3, 4]),
            gz(LABELS, &[2], &[7, 8]),
            gz(IMAGES, &[1, 1, 2], &[5, 6]),
            gz(LABELS, &[1], &[9]),
        ]
    }

    #[test]
    fn images_and_labels_are_read() {
        let split = TINY.decode(&files()).unwrap();
        assert_eq!((split.train.pixels, split.train.labels), (vec![1, 2, 3, 4], vec![7, 8]));
        assert_eq!((split.test.pixels, split.test.labels), (vec![5, 6], vec![9]));
    }

    #[test]
    fn errors_name_the_file() {
        for (index, content, expected) in [
            (0, gz(IMAGES, &[2, 1, 2], &[1, 2, 3]), "train-images does not contain the 4 bytes"),
            (0, gz(IMAGES, &[2, 1, 2], &[1, 2, 3, 4, 5]), "train-images does not contain the 4 bytes"),
            (1, gz(LABELS, &[2], &[7, 10]), "train-labels contains the label 10"),
            (2, gz(LABELS, &[2], &[7, 1]), "test-images is not an IDX file of sizes [1, 1, 2]"),
            (3, b"plain".to_vec(), "test-labels is not gzip"),
        ] {
            let mut files = files();
            files[index] = content;
            let error = TINY.decode(&files).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }
}
