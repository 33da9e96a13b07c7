//! The environment of a process with libtorch, which reads these variables when it is loaded; tch has no other switch.

use crate::Precision;

/// Makes libtorch's matrix products round to TF32, as its convolutions do by default.
const ALLOW_TF32: &str = "TORCH_ALLOW_TF32_CUBLAS_OVERRIDE";
/// With 0, NVIDIA's libraries never round to TF32, not even in convolutions.
const TF32_OVERRIDE: &str = "NVIDIA_TF32_OVERRIDE";

/// Numbers GPUs by their position on the bus, as NVIDIA's other programs do, even with several kinds of GPUs.
pub const DEVICE_ORDER: (&str, &str) = ("CUDA_DEVICE_ORDER", "PCI_BUS_ID");

/// Variables to set for jobs of this precision, and those to remove first.
pub fn environment_of(precision: Precision) -> ([(&'static str, &'static str); 2], [&'static str; 2]) {
    let rounding = if precision == Precision::Tf32 { (ALLOW_TF32, "1") } else { (TF32_OVERRIDE, "0") };
    ([DEVICE_ORDER, rounding], [ALLOW_TF32, TF32_OVERRIDE])
}
