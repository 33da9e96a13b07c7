//! Functions of libtorch that tch does not bind, by way of `shim.cpp`.

#![expect(unsafe_code, reason = "libtorch is written in C++")]

use std::ffi::{CStr, c_char};

use tch::TchError;

/// Longest error of libtorch, in bytes.
const LONGEST_MESSAGE: usize = 2000;

/// The largest number of bytes of a GPU that libtorch's allocator held since a reset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peak {
    /// In tensors and workspaces.
    pub allocated: u64,
    /// Together with what it kept for later tensors, which no other process could use.
    pub reserved: u64,
}

// Each returns whether it has succeeded, and otherwise writes a C string of at most `capacity` bytes to `message`.
unsafe extern "C" {
    fn optlab_make_convolutions_repeatable(message: *mut c_char, capacity: usize) -> bool;
    fn optlab_are_convolutions_repeatable(answer: *mut bool, message: *mut c_char, capacity: usize) -> bool;
    fn optlab_release_cuda_cache(message: *mut c_char, capacity: usize) -> bool;
    fn optlab_reset_cuda_peak(device: i8, message: *mut c_char, capacity: usize) -> bool;
    fn optlab_cuda_peak(
        device: i8,
        allocated: *mut u64,
        reserved: *mut u64,
        message: *mut c_char,
        capacity: usize,
    ) -> bool;
}

/// Makes cuDNN use only algorithms that give the same bits every time. The CPU computes as before.
///
/// # Errors
/// libtorch's own.
pub fn make_convolutions_repeatable() -> Result<(), TchError> {
    // SAFETY: `checked` passes a buffer and its length.
    checked(|message, capacity| unsafe { optlab_make_convolutions_repeatable(message, capacity) })
}

/// Whether [`make_convolutions_repeatable`] is in force.
///
/// # Errors
/// libtorch's own.
pub fn are_convolutions_repeatable() -> Result<bool, TchError> {
    let mut answer = false;
    // SAFETY: `answer` outlives the call, and `checked` passes a buffer and its length.
    checked(|message, capacity| unsafe {
        optlab_are_convolutions_repeatable(&raw mut answer, message, capacity)
    })?;
    Ok(answer)
}

/// Gives the memory of all GPUs back that libtorch keeps for later tensors.
///
/// # Errors
/// Without CUDA, and libtorch's own.
pub fn release_cuda_cache() -> Result<(), TchError> {
    // SAFETY: `checked` passes a buffer and its length.
    checked(|message, capacity| unsafe { optlab_release_cuda_cache(message, capacity) })
}

/// Makes the present use of a GPU its peak.
///
/// # Errors
/// Without CUDA or such a device, and libtorch's own.
pub fn reset_cuda_peak(device: usize) -> Result<(), TchError> {
    let device = index(device)?;
    // SAFETY: `checked` passes a buffer and its length.
    checked(|message, capacity| unsafe { optlab_reset_cuda_peak(device, message, capacity) })
}

/// The peak of a GPU since [`reset_cuda_peak`].
///
/// # Errors
/// Without CUDA or such a device, and libtorch's own.
pub fn cuda_peak(device: usize) -> Result<Peak, TchError> {
    let device = index(device)?;
    let mut peak = Peak { allocated: 0, reserved: 0 };
    // SAFETY: both fields outlive the call, and `checked` passes a buffer and its length.
    checked(|message, capacity| unsafe {
        optlab_cuda_peak(device, &raw mut peak.allocated, &raw mut peak.reserved, message, capacity)
    })?;
    Ok(peak)
}

/// The number of a device as libtorch has it.
fn index(device: usize) -> Result<i8, TchError> {
    i8::try_from(device).map_err(|_| TchError::Torch(format!("there is no device {device}")))
}

/// Calls a function that may write a message, and turns that into an error.
fn checked(call: impl FnOnce(*mut c_char, usize) -> bool) -> Result<(), TchError> {
    let mut message = [0; LONGEST_MESSAGE];
    if call(message.as_mut_ptr().cast(), message.len()) {
        return Ok(());
    }
    let text = CStr::from_bytes_until_nul(&message).unwrap_or_default();
    Err(TchError::Torch(text.to_string_lossy().into_owned()))
}

#[cfg(test)]
mod tests {
    use tch::Cuda;

    use super::*;

    #[test]
    fn without_cuda_its_memory_is_an_error() {
        if Cuda::is_available() {
            return;
        }
        let errors =
            [release_cuda_cache(), reset_cuda_peak(0), cuda_peak(0).map(|_| ()), reset_cuda_peak(400)];
        let said = errors.map(|result| result.unwrap_err().to_string());
        for message in &said[..3] {
            assert!(message.ends_with("libtorch has no allocator for CUDA"), "{message}");
        }
        assert!(said[3].contains("no device 400"), "{}", said[3]);
    }
}
