//! The SHA-256 over everything that an import reads from a file, independent of groups and pages.

use sha2::{Digest as _, Sha256};

use optlab_domain::JobId;

use crate::store::TimedPoint;

/// Tags before the name of a curve and before each of its points, which make the hashed bytes unambiguous.
const CURVE: [u8; 1] = [0];
const POINT: [u8; 1] = [1];

/// A digest of the points in their order, followed by the metadata.
#[derive(Default)]
pub(super) struct Digest {
    hash: Sha256,
    curve: Option<(JobId, String)>,
}

impl Digest {
    /// Adds points that follow those of the previous call. The digest does not depend on how a curve is split into
    /// calls.
    pub(super) fn points(&mut self, job: JobId, series: &str, points: &[TimedPoint]) {
        if self.curve.as_ref().is_none_or(|(last, name)| (*last, name.as_str()) != (job, series)) {
            self.hash.update(CURVE);
            self.hash.update(i64::from(job).to_le_bytes());
            self.text(series);
            self.curve = Some((job, series.to_owned()));
        }
        for point in points {
            self.hash.update(POINT);
            self.hash.update(point.step.to_le_bytes());
            self.hash.update(point.value.to_bits().to_le_bytes());
            self.hash.update(point.time_ms.to_le_bytes());
        }
    }

    /// The digest in lower-case hexadecimal.
    pub(super) fn finish<'a>(mut self, metadata: impl IntoIterator<Item = &'a str>) -> String {
        for text in metadata {
            self.text(text);
        }
        hex::encode(self.hash.finalize())
    }

    fn text(&mut self, text: &str) {
        self.hash.update((text.len() as u64).to_le_bytes());
        self.hash.update(text);
    }
}
