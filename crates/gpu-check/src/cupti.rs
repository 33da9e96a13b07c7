//! Counts what a process asks of the driver, by the callbacks of NVIDIA's CUPTI, which torch brings along.

#![expect(unsafe_code, reason = "CUPTI is a C library that is opened when the program runs")]

use std::ffi::{CStr, c_char, c_int, c_void};
use std::ptr;
use std::sync::atomic::{AtomicU64, Ordering};

use libloading::{Library, Symbol};

use crate::error::CheckError;

/// The library by its names in CUDA 13 and 12 and in folders for developers.
const NAMES: [&str; 3] = ["libcupti.so.13", "libcupti.so.12", "libcupti.so"];
/// `CUPTI_CB_DOMAIN_DRIVER_API`: every call of the driver, those of cuBLAS and cuDNN included.
const DRIVER_API: c_int = 1;
/// `CUPTI_API_ENTER`.
const ENTER: c_int = 0;
const SUCCESS: c_int = 0;

static LAUNCHES: AtomicU64 = AtomicU64::new(0);
static READS: AtomicU64 = AtomicU64::new(0);
static WAITS: AtomicU64 = AtomicU64::new(0);

/// Calls of the driver since the process began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Calls {
    /// Launches of kernels.
    pub launches: u64,
    /// Copies from the device to the host.
    pub reads: u64,
    /// Waits of the host for the device.
    pub waits: u64,
}

impl Calls {
    /// The calls so far.
    pub fn now() -> Self {
        let [launches, reads, waits] = [&LAUNCHES, &READS, &WAITS].map(|count| count.load(Ordering::Relaxed));
        Self { launches, reads, waits }
    }

    /// The calls after `earlier`.
    pub fn since(self, earlier: Self) -> Self {
        Self {
            launches: self.launches - earlier.launches,
            reads: self.reads - earlier.reads,
            waits: self.waits - earlier.waits,
        }
    }
}

/// The beginning of `CUpti_CallbackData`.
#[repr(C)]
struct CallbackData {
    site: c_int,
    function: *const c_char,
}

type Callback = extern "C" fn(*mut c_void, c_int, u32, *const CallbackData);
type Subscribe = unsafe extern "C" fn(*mut *mut c_void, Callback, *mut c_void) -> c_int;
type EnableDomain = unsafe extern "C" fn(u32, *mut c_void, c_int) -> c_int;

/// Counts from here on, to the end of the process.
///
/// # Errors
/// If the library is missing or refuses.
pub fn start() -> Result<(), CheckError> {
    // SAFETY: the library is NVIDIA's; its initialisers have no requirements. It is never closed.
    let opened = NAMES.iter().map(|name| unsafe { Library::new(name) }).reduce(|found, next| found.or(next));
    let missing = |error: libloading::Error| CheckError::Program(format!("CUPTI: {error}"));
    let library = opened.expect("there are names").map_err(missing)?;
    let mut subscriber = ptr::null_mut();
    // SAFETY: the signatures are those of cupti_callbacks.h, and the callback lives as long as the process.
    let (subscribed, enabled) = unsafe {
        let subscribe: Symbol<'_, Subscribe> = library.get(b"cuptiSubscribe").map_err(missing)?;
        let enable: Symbol<'_, EnableDomain> = library.get(b"cuptiEnableDomain").map_err(missing)?;
        let subscribed = subscribe(&mut subscriber, count, ptr::null_mut());
        (subscribed, enable(1, subscriber, DRIVER_API))
    };
    std::mem::forget(library);
    match (subscribed, enabled) {
        (SUCCESS, SUCCESS) => Ok(()),
        _ => Err(CheckError::Program(format!("CUPTI: errors {subscribed} and {enabled}"))),
    }
}

extern "C" fn count(_: *mut c_void, _: c_int, _: u32, data: *const CallbackData) {
    // SAFETY: CUPTI passes a valid struct with a C string to callbacks of this domain.
    let (site, name) = unsafe { ((*data).site, CStr::from_ptr((*data).function)) };
    if site == ENTER
        && let Some(count) = counter(name.to_bytes())
    {
        count.fetch_add(1, Ordering::Relaxed);
    }
}

/// The counter of a function of the driver.
fn counter(name: &[u8]) -> Option<&'static AtomicU64> {
    let has = |words: &[u8]| name.windows(words.len()).any(|part| part == words);
    match () {
        () if name.starts_with(b"cuLaunch") || name.starts_with(b"cuGraphLaunch") => Some(&LAUNCHES),
        () if has(b"DtoH") => Some(&READS),
        () if has(b"Synchronize") => Some(&WAITS),
        () => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_of_the_driver_are_told_apart_by_name() {
        let is = |name: &str, count: &AtomicU64| {
            counter(name.as_bytes()).is_some_and(|found| ptr::eq(found, count))
        };
        assert!(is("cuLaunchKernel", &LAUNCHES) && is("cuLaunchKernelEx", &LAUNCHES));
        assert!(is("cuMemcpyDtoHAsync_v2", &READS) && is("cuStreamSynchronize", &WAITS));
        assert!(counter(b"cuMemcpyHtoDAsync_v2").is_none());
    }

    #[test]
    fn without_the_library_the_error_names_it() {
        if let Err(error) = start() {
            assert!(error.to_string().contains("CUPTI"), "{error}");
        }
    }
}
