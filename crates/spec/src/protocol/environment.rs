//! The environment of a process with libtorch, which reads these variables when it is loaded; tch has no other switch.

use std::env;

use crate::Precision;

/// Makes libtorch's matrix products round to TF32, as its convolutions do by default.
const ALLOW_TF32: &str = "TORCH_ALLOW_TF32_CUBLAS_OVERRIDE";
/// With 0, NVIDIA's libraries never round to TF32, not even in convolutions.
const TF32_OVERRIDE: &str = "NVIDIA_TF32_OVERRIDE";

/// Numbers GPUs by their position on the bus, as NVIDIA's other programs do, even with several kinds of GPUs.
pub const DEVICE_ORDER: (&str, &str) = ("CUDA_DEVICE_ORDER", "PCI_BUS_ID");

/// A workspace with which NVIDIA's matrix products give the same bits in every run (documentation of cuBLAS, "Results
/// Reproducibility").
const CUBLAS_WORKSPACE: (&str, &str) = ("CUBLAS_WORKSPACE_CONFIG", ":4096:8");

/// Variables to set for jobs of this precision, and those to remove first. A workspace that the user has set is kept.
pub fn environment_of(precision: Precision) -> (Vec<(&'static str, &'static str)>, [&'static str; 2]) {
    let is_set = env::var_os(CUBLAS_WORKSPACE.0).is_some();
    (variables(precision, is_set), [ALLOW_TF32, TF32_OVERRIDE])
}

fn variables(precision: Precision, has_workspace: bool) -> Vec<(&'static str, &'static str)> {
    let rounding = if precision == Precision::Tf32 { (ALLOW_TF32, "1") } else { (TF32_OVERRIDE, "0") };
    let workspace = (!has_workspace).then_some(CUBLAS_WORKSPACE);
    [DEVICE_ORDER, rounding].into_iter().chain(workspace).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_workspace_is_chosen_unless_the_user_has_chosen_one() {
        for precision in [Precision::Float32, Precision::Tf32] {
            let chosen = variables(precision, false);
            assert!(chosen.contains(&("CUBLAS_WORKSPACE_CONFIG", ":4096:8")), "{chosen:?}");
            assert_eq!(variables(precision, true), chosen[..2]);
        }
    }
}
