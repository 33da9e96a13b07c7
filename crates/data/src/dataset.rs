//! The facts of a data set, and its images in memory.

use crate::archive::Archive;
use crate::checksum::has_sha256;
use crate::error::DataError;

/// An image classification data set.
pub trait Dataset: Sync {
    /// The name in specs and the name of its folder.
    fn name(&self) -> &'static str;
    /// One line for lists: its contents and its licence.
    fn about(&self) -> &'static str;
    /// Channels, height and width of an image.
    fn shape(&self) -> [usize; 3];
    /// Number of classes; labels run from 0.
    fn classes(&self) -> usize;
    /// Images of the training set.
    fn train_samples(&self) -> usize;
    /// Images of the test set.
    fn test_samples(&self) -> usize;
    /// The map from pixel values to network inputs.
    fn normalisation(&self) -> Normalisation;
    /// The official files; empty if the data is part of the program.
    fn files(&self) -> &[RemoteFile];
    /// The members of the official file, if it is a tar archive.
    fn archive(&self) -> Option<&Archive> {
        None
    }
    /// Decodes the verified contents of [`files`](Self::files), or of the archive's members, given in their order.
    ///
    /// # Errors
    /// [`DataError::Malformed`] if the contents do not match the facts above.
    fn decode(&self, files: &[Vec<u8>]) -> Result<Split, DataError>;
}

/// Inputs are `(pixel - centre) / scale`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Normalisation {
    /// The pixel value that becomes 0.
    pub centre: f64,
    /// Pixel values per unit of input.
    pub scale: f64,
}

/// A file that is downloaded once and verified by its hash.
#[derive(Debug)]
pub struct RemoteFile {
    /// Its official name, also in the data folder.
    pub name: &'static str,
    /// Size in bytes.
    pub bytes: u64,
    /// SHA-256 of the file, in lower-case hexadecimal.
    pub sha256: &'static str,
    /// Official addresses, tried in order.
    pub addresses: &'static [&'static str],
}

impl RemoteFile {
    /// Whether `content` is that of the official file.
    pub(crate) fn is(&self, content: &[u8]) -> bool {
        has_sha256(content, self.sha256)
    }
}

/// A data set in memory.
#[derive(Debug)]
pub struct Split {
    /// The training set.
    pub train: Samples,
    /// The test set.
    pub test: Samples,
}

/// Images with their labels.
#[derive(Debug)]
pub struct Samples {
    /// Image after image, each channel by channel, row by row.
    pub pixels: Vec<u8>,
    /// One label per image.
    pub labels: Vec<u8>,
}

impl Samples {
    /// Empty, with capacity for `images` of `pixels` each.
    pub(crate) fn with_capacity(images: usize, pixels: usize) -> Self {
        Self { pixels: Vec::with_capacity(images * pixels), labels: Vec::with_capacity(images) }
    }
}
