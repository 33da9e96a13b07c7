//! Why a part could not be finished.

use std::any::Any;
use std::io;
use std::panic::{self, AssertUnwindSafe};

use optlab_runner::failure::JobError;
use tch::TchError;

/// Why a part, or one row of it, has no result. Messages of libtorch are kept in full, with their stack frames: nobody
/// can look again on a borrowed machine.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// A job failed.
    #[error(transparent)]
    Job(#[from] JobError),
    /// A rotation, an energy or a penalty failed.
    #[error(transparent)]
    Opt(#[from] optlab_opt::Error),
    /// libtorch failed.
    #[error(transparent)]
    Torch(#[from] TchError),
    /// A file or a process failed.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// Another program wrote something else than JSON.
    #[error(transparent)]
    Json(#[from] serde_json::Error),
    /// Another program did not do what it should.
    #[error("{0}")]
    Program(String),
}

/// Runs `measure`; a panic, which tch raises where libtorch throws, is an error too.
///
/// # Errors
/// Those of `measure`, and its panic.
pub fn caught<T>(measure: impl FnOnce() -> Result<T, CheckError>) -> Result<T, CheckError> {
    panic::catch_unwind(AssertUnwindSafe(measure))
        .unwrap_or_else(|panic| Err(CheckError::Program(text(&*panic))))
}

fn text(panic: &(dyn Any + Send)) -> String {
    let owned = panic.downcast_ref::<String>().map(String::as_str);
    owned.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("a panic without a message").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_an_error_with_its_message() {
        let panicking = || -> Result<(), CheckError> { panic!("device {}", 3) };
        assert_eq!(caught(panicking).unwrap_err().to_string(), "device 3");
        assert_eq!(caught(|| Ok(5)).unwrap(), 5);
    }
}
