//! Words and ids as parameters of statements.

use optlab_domain::{
    ArtifactKind, AttemptNumber, Device, DeviceKind, EndReason, Engine, ExperimentId, Hold, JobId, JobState,
    Phase, Request, Scope, TokenId, WantedDevice, WorkerId,
};

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

bind_as_text!(
    JobState,
    EndReason,
    Request,
    Phase,
    Hold,
    DeviceKind,
    WantedDevice,
    ArtifactKind,
    Scope,
    Engine
);

impl From<Device> for Value {
    fn from(device: Device) -> Self {
        device.to_string().into()
    }
}

macro_rules! bind_as_integer {
    ($($number:ty),+) => {
        $(
            impl From<$number> for Value {
                fn from(number: $number) -> Self {
                    i64::from(number).into()
                }
            }

            impl From<Option<$number>> for Value {
                fn from(number: Option<$number>) -> Self {
                    number.map(i64::from).into()
                }
            }
        )+
    };
}

bind_as_integer!(ExperimentId, JobId, WorkerId, TokenId, AttemptNumber);
