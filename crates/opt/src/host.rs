//! What the host reads of tensors, and what it sends them.
//!
//! A read of a tensor on a GPU waits until everything is computed that was queued before it, and the GPU then idles
//! until the host has queued more. So a training step reads nothing where that can be avoided. All reads are here,
//! where they are counted; `tests/architecture/reads.rs` keeps them here.

use std::cell::Cell;

use tch::kind::Element;
use tch::{Device, TchError, Tensor};

thread_local! {
    static READS: Cell<u64> = const { Cell::new(0) };
}

/// The reads of this thread so far, on any device.
pub fn reads() -> u64 {
    READS.get()
}

fn count_read() {
    READS.set(READS.get() + 1);
}

/// The value of a tensor with one entry. Waits for the device.
///
/// # Errors
/// libtorch's own.
pub fn number(tensor: &Tensor) -> Result<f64, TchError> {
    count_read();
    tensor.f_double_value(&[])
}

/// The value of an integer tensor with one entry. Waits for the device.
///
/// # Errors
/// libtorch's own.
pub fn integer(tensor: &Tensor) -> Result<i64, TchError> {
    count_read();
    tensor.f_int64_value(&[])
}

/// Whether every entry is finite. Waits for the device.
///
/// # Errors
/// libtorch's own.
pub fn is_finite(tensor: &Tensor) -> Result<bool, TchError> {
    Ok(integer(&tensor.f_isfinite()?.f_all()?)? == 1)
}

/// The entries of a vector of float64. Waits for the device.
///
/// # Errors
/// libtorch's own, and for other tensors.
pub fn numbers(tensor: &Tensor) -> Result<Vec<f64>, TchError> {
    count_read();
    Vec::try_from(tensor)
}

/// The entries of a vector of booleans. Waits for the device.
///
/// # Errors
/// libtorch's own, and for other tensors.
pub fn booleans(tensor: &Tensor) -> Result<Vec<bool>, TchError> {
    count_read();
    Vec::try_from(tensor)
}

/// The bytes of the entries, in the order of their indices. Waits for the device.
///
/// # Errors
/// libtorch's own.
pub fn bytes(tensor: &Tensor) -> Result<Vec<u8>, TchError> {
    count_read();
    let here = tensor.f_to(Device::Cpu)?.f_contiguous()?;
    let mut bytes = vec![0; here.numel() * here.kind().elt_size_in_bytes()];
    here.f_copy_data_u8(&mut bytes, here.numel())?;
    Ok(bytes)
}

/// The indices of the entries that are not 0, one row each. Waits for the device, because the size of the result
/// depends on the values.
///
/// # Errors
/// libtorch's own.
pub fn nonzero(tensor: &Tensor) -> Result<Tensor, TchError> {
    count_read();
    tensor.f_nonzero()
}

/// A vector of `values` on `device`. libtorch does not wait for the copy, and CUDA has the numbers before this returns.
///
/// # Errors
/// libtorch's own.
pub fn send<T: Element>(values: &[T], device: Device) -> Result<Tensor, TchError> {
    Tensor::f_from_slice(values)?.f_to_device_(device, T::KIND, true, false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_read_is_counted_by_its_thread() {
        let values = Tensor::from_slice(&[0.0, 2.5]);
        let before = reads();
        assert_eq!(number(&values.get(1)).unwrap(), 2.5);
        assert_eq!(integer(&values.argmax(0, false)).unwrap(), 1);
        assert!(is_finite(&values).unwrap() && !is_finite(&(&values / 0)).unwrap());
        assert_eq!(numbers(&values).unwrap(), [0.0, 2.5]);
        assert_eq!(booleans(&values.ge(1)).unwrap(), [false, true]);
        assert_eq!(bytes(&values).unwrap(), [0.0f64.to_ne_bytes(), 2.5f64.to_ne_bytes()].concat());
        assert_eq!(nonzero(&values).unwrap().size(), [1, 1]);
        assert_eq!(reads() - before, 8);
        let sent = send(&[3i64, 4], Device::Cpu).unwrap();
        assert_eq!((reads() - before, sent), (8, Tensor::from_slice(&[3i64, 4])));
        std::thread::spawn(|| assert_eq!(reads(), 0)).join().unwrap();
    }
}
