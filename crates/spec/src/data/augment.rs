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
    /// Four pixels more on each side, mirrored so that the edge stands twice, then a cut of the old size out of that.
    PadCrop,
    /// As `PadCrop`, with black pixels: those of value 0.
    PadCropZero,
    /// Left and right change places, with probability 1/2.
    Flip,
}

impl Augment {
    /// The list of a run.
    pub(super) fn read_all(fields: &mut Fields<'_>) -> Vec<Self> {
        let words = fields.list("augment", Some(vec![]), 0..=Self::VARIANTS.len(), word_item);
        let words: Vec<Self> = words.into_iter().flatten().collect();
        if (1..words.len()).any(|index| words[..index].contains(&words[index])) {
            fields.wrong("augment", "must not say the same twice");
        }
        if words.contains(&Self::PadCrop) && words.contains(&Self::PadCropZero) {
            fields.wrong("augment", "must not say both `pad-crop` and `pad-crop-zero`: an image is cut once");
        }
        words
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_image_is_changed_in_no_way_twice() {
        for (words, says) in [
            (
                json!(["flip", "filp"]),
                "/augment/1: must be `pad-crop`, `pad-crop-zero` or `flip`, is \"filp\"",
            ),
            (json!(["filp"]), "did you mean `flip`?"),
            (json!([1]), "/augment/0: must be `pad-crop`, `pad-crop-zero` or `flip`, is 1"),
            (json!(["flip", "flip"]), "/augment: must not say the same twice"),
            (json!(["pad-crop", "pad-crop-zero"]), "an image is cut once"),
            (json!("flip"), "/augment: must be a list of 0 to 3 entries"),
        ] {
            let problems = Fields::read(&json!({ "augment": words }), Augment::read_all).unwrap_err();
            let [problem] = &problems.list[..] else { panic!("{words}: {problems}") };
            assert!(problem.to_string().contains(says), "{problem}");
        }
    }
}
