//! Requirements of a job on its slot.

use serde::{Deserialize, Serialize};
use strum::{Display, IntoStaticStr, VariantArray};

use crate::fields::Fields;

/// Requirements of a job on its slot.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Resources {
    /// Devices on which the job may run.
    pub device: Device,
    /// Threads of libtorch. They are part of the spec, because sums depend on how they are split.
    pub threads: u64,
}

/// Devices on which a job may run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Display, IntoStaticStr, VariantArray)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Device {
    /// Any slot.
    Any,
    /// Only CPU slots.
    Cpu,
    /// Only CUDA slots.
    Cuda,
}

impl Resources {
    pub(crate) fn read(fields: &mut Fields<'_>) -> Self {
        Self {
            device: fields.choice("device", Some(Device::Any)),
            threads: fields.integer("threads", Some(1), 1..=1024),
        }
    }
}
