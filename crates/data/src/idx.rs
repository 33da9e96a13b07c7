//! The IDX format of the MNIST family: a magic number, the sizes, then bytes; gzip around it.

use std::io::Read;

use crate::dataset::{Dataset, Samples, Split};
use crate::error::DataError;

const IMAGES: u32 = 0x0000_0803;
const LABELS: u32 = 0x0000_0801;

/// Decodes training images, training labels, test images and test labels, in this order.
pub(crate) fn decode(dataset: &dyn Dataset, files: &[Vec<u8>]) -> Result<Split, DataError> {
    let [_, height, width] = dataset.shape();
    let part = |index: usize, samples: usize| -> Result<Samples, DataError> {
        let pixels = body(dataset, index, &files[index], IMAGES, &[samples, height, width])?;
        let labels = body(dataset, index + 1, &files[index + 1], LABELS, &[samples])?;
        match labels.iter().find(|&&label| usize::from(label) >= dataset.classes()) {
            Some(label) => Err(malformed(dataset, index + 1, format!("holds the label {label}"))),
            None => Ok(Samples { pixels, labels }),
        }
    };
    Ok(Split { train: part(0, dataset.train_samples())?, test: part(2, dataset.test_samples())? })
}

/// The bytes after the header, which must name these sizes.
fn body(
    dataset: &dyn Dataset,
    index: usize,
    file: &[u8],
    magic: u32,
    sizes: &[usize],
) -> Result<Vec<u8>, DataError> {
    let wanted: usize = sizes.iter().product();
    let header: Vec<u8> =
        [magic].into_iter().chain(sizes.iter().map(|&n| n as u32)).flat_map(u32::to_be_bytes).collect();
    let mut content = Vec::with_capacity(header.len() + wanted);
    // One byte more than is right is enough to see that the file is too long.
    let limit = (header.len() + wanted + 1) as u64;
    flate2::read::GzDecoder::new(file)
        .take(limit)
        .read_to_end(&mut content)
        .map_err(|error| malformed(dataset, index, format!("is not gzip: {error}")))?;
    if !content.starts_with(&header) {
        return Err(malformed(dataset, index, format!("is not IDX of sizes {sizes:?}")));
    }
    let body = content.split_off(header.len());
    if body.len() == wanted {
        Ok(body)
    } else {
        Err(malformed(dataset, index, format!("does not hold the {wanted} bytes that its header says")))
    }
}

fn malformed(dataset: &dyn Dataset, index: usize, detail: String) -> DataError {
    DataError::Malformed { file: dataset.files()[index].name.to_owned(), detail }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::{Compression, write::GzEncoder};

    use super::*;
    use crate::dataset::{Normalisation, RemoteFile};

    /// Two training images and one test image of 1 x 2 pixels.
    struct Tiny;

    const fn file(name: &'static str) -> RemoteFile {
        RemoteFile { name, bytes: 0, sha256: "", addresses: &[] }
    }

    impl Dataset for Tiny {
        fn name(&self) -> &'static str {
            "tiny"
        }
        fn about(&self) -> &'static str {
            ""
        }
        fn shape(&self) -> [usize; 3] {
            [1, 1, 2]
        }
        fn classes(&self) -> usize {
            10
        }
        fn train_samples(&self) -> usize {
            2
        }
        fn test_samples(&self) -> usize {
            1
        }
        fn normalisation(&self) -> Normalisation {
            Normalisation { centre: 0.0, scale: 1.0 }
        }
        fn files(&self) -> &'static [RemoteFile] {
            const FILES: &[RemoteFile] =
                &[file("train-images"), file("train-labels"), file("test-images"), file("test-labels")];
            FILES
        }
        fn decode(&self, files: &[Vec<u8>]) -> Result<Split, DataError> {
            decode(self, files)
        }
    }

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
        let split = Tiny.decode(&files()).unwrap();
        assert_eq!((split.train.pixels, split.train.labels), (vec![1, 2, 3, 4], vec![7, 8]));
        assert_eq!((split.test.pixels, split.test.labels), (vec![5, 6], vec![9]));
    }

    #[test]
    fn what_is_wrong_is_said_with_the_name_of_the_file() {
        for (index, content, says) in [
            (0, gz(IMAGES, &[2, 1, 2], &[1, 2, 3]), "train-images does not hold the 4 bytes"),
            (0, gz(IMAGES, &[2, 1, 2], &[1, 2, 3, 4, 5]), "train-images does not hold the 4 bytes"),
            (1, gz(LABELS, &[2], &[7, 10]), "train-labels holds the label 10"),
            (2, gz(LABELS, &[2], &[7, 1]), "test-images is not IDX of sizes [1, 1, 2]"),
            (3, b"plain".to_vec(), "test-labels is not gzip"),
        ] {
            let mut files = files();
            files[index] = content;
            let error = Tiny.decode(&files).unwrap_err().to_string();
            assert!(error.contains(says), "{error}");
        }
    }
}
