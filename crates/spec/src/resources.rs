//! Requirements of a job on its slot.

use optlab_domain::WantedDevice;
use serde::{Deserialize, Serialize};

use crate::fields::Fields;

/// Requirements of a job on its slot.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Resources {
    /// Devices on which the job may run.
    pub device: WantedDevice,
    /// Threads of libtorch. They are part of the spec, because sums depend on how they are split.
    pub threads: u64,
}

impl Resources {
    pub(crate) fn read(fields: &mut Fields<'_>) -> Self {
        Self {
            device: fields.choice("device", Some(WantedDevice::Any)),
            threads: fields.integer("threads", Some(1), 1..=1024),
        }
    }
}
