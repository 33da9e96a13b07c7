//! Random augmentation of the training images.

use serde::{Deserialize, Serialize};
use strum::{IntoStaticStr, VariantArray};

use crate::fields::{Fields, word_item};

/// A random change of an image that keeps its class.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, IntoStaticStr, VariantArray)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum Augment {
    /// Pads four pixels on each side by reflection that repeats the edge, then crops a random part of the old size.
    PadCrop,
    /// As `PadCrop`, with black pixels (value 0).
    PadCropZero,
    /// Mirrors left and right with probability 1/2.
    Flip,
}

impl Augment {
    /// Reads the list of a run.
    pub(super) fn read_all(fields: &mut Fields<'_>) -> Vec<Self> {
        let words = fields.list("augment", Some(vec![]), 0..=Self::VARIANTS.len(), word_item);
        let words: Vec<Self> = words.into_iter().flatten().collect();
        if (1..words.len()).any(|index| words[..index].contains(&words[index])) {
            fields.wrong("augment", "must not have duplicates");
        }
        if words.contains(&Self::PadCrop) && words.contains(&Self::PadCropZero) {
            fields.wrong(
                "augment",
                "must not have both `pad-crop` and `pad-crop-zero`: an image is cropped once",
            );
        }
        words
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn duplicate_augmentations_are_rejected() {
        for (words, says) in [
            (
                json!(["flip", "filp"]),
                "/augment/1: must be `pad-crop`, `pad-crop-zero` or `flip`, is \"filp\"",
            ),
            (json!(["filp"]), "did you mean `flip`?"),
            (json!([1]), "/augment/0: must be `pad-crop`, `pad-crop-zero` or `flip`, is 1"),
            (json!(["flip", "flip"]), "/augment: must not have duplicates"),
            (json!(["pad-crop", "pad-crop-zero"]), "an image is cropped once"),
            (json!("flip"), "/augment: must be a list of 0 to 3 entries"),
        ] {
            let problems = Fields::read(&json!({ "augment": words }), Augment::read_all).unwrap_err();
            let [problem] = &problems.list[..] else { panic!("{words}: {problems}") };
            assert!(problem.to_string().contains(says), "{problem}");
        }
    }
}
