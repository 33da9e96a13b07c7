//! Synthetic data.

use serde::{Deserialize, Serialize};

use crate::fields::{Fields, integer_item};

/// Maximum size of synthetic data in bytes, which fits the memory of any training machine.
const MOST_BYTES: u64 = 4_000_000_000;

/// Maximum number of training images.
pub(super) const MOST_SAMPLES: u64 = 10_000_000;

/// Random images for benchmarks: the same for every seed. There is nothing to learn from them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Synthetic {
    /// Channels, height and width of an image.
    pub shape: [u64; 3],
    /// Number of classes.
    pub classes: u64,
    /// Images of the training set; the test set has a tenth as many.
    pub samples: u64,
}

impl Synthetic {
    /// Images of the test set.
    pub fn test_samples(&self) -> u64 {
        self.samples / 10
    }

    pub(super) fn read(fields: &mut Fields<'_>) -> Self {
        let side =
            |value: &_, pointer: &str, problems: &mut _| integer_item(value, pointer, problems, 1..=512);
        let synthetic = Self {
            shape: fields.list("shape", None, 3..=3, side).try_into().unwrap_or([1; 3]),
            classes: fields.integer("classes", None, 2..=256),
            samples: fields.integer("samples", None, 10..=MOST_SAMPLES),
        };
        let bytes = synthetic.shape.iter().product::<u64>() * synthetic.samples;
        if bytes > MOST_BYTES {
            fields.wrong("samples", format!("make {bytes} bytes; at most {MOST_BYTES} are allowed"));
        }
        synthetic
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn images_must_have_a_size_and_fit_a_machine() {
        for (changes, says) in [
            (json!({ "shape": [3, 32] }), "/shape: must be a list of 3 entries, has 2"),
            (json!({ "shape": [3, 32, 513] }), "/shape/2: must be a whole number from 1 to 512"),
            (json!({ "classes": 1000 }), "/classes: must be a whole number from 2 to 256"),
            (
                json!({ "shape": [3, 512, 512], "samples": 6000 }),
                "/samples: make 4718592000 bytes; at most 4000000000 are allowed",
            ),
        ] {
            let base = json!({ "shape": [3, 32, 32], "classes": 100, "samples": 2560 });
            let problems = Fields::read(&crate::merge(base, &changes), Synthetic::read).unwrap_err();
            let [problem] = &problems.list[..] else { panic!("{changes}: {problems}") };
            assert!(problem.to_string().starts_with(says), "{problem}");
        }
    }
}
