//! Words as parameters of statements.

use optlab_domain::{ArtifactKind, EndReason, JobState, Request, Scope};
use optlab_spec::Device;

use super::statement::Value;

macro_rules! bind_as_text {
    ($($word:ty),+) => {
        $(
            impl From<$word> for Value {
                fn from(word: $word) -> Self {
                    <&str>::from(word).into()
                }
            }

            impl From<Option<$word>> for Value {
                fn from(word: Option<$word>) -> Self {
                    word.map(<&str>::from).into()
                }
            }
        )+
    };
}

bind_as_text!(JobState, EndReason, Request, Device, ArtifactKind, Scope);
