//! Set-up before any other use of libtorch, and a binding of functions that tch lacks.

pub mod shim;

use std::sync::OnceLock;

use libloading::os::unix::{Library, RTLD_GLOBAL, RTLD_NOW};

/// The CUDA half of libtorch.
pub const CUDA_HALF: &str = "libtorch_cuda.so";

static OPENED: OnceLock<Result<(), String>> = OnceLock::new();

/// Opens the CUDA half of libtorch if it is installed, makes its convolutions repeatable, and disables parallel
/// operators.
///
/// libtorch's switch for all operations, `setDeterministicAlgorithms`, stays off: no other operation of a training step
/// was found to change from run to run on a GPU (docs/gpu.md), and it makes some slower, on a CPU too.
pub fn prepare() {
    let _is_open = OPENED.get_or_init(open_cuda);
    if let Err(error) = shim::make_convolutions_repeatable() {
        tracing::warn!(%error, "runs on a GPU will differ in their last bits");
    }
    // This can be set only once, before any work; the threads of an operator are set per job.
    tch::set_num_interop_threads(1);
}

/// Whether the CUDA half is open, which [`prepare`] does.
///
/// # Errors
/// The loader's text.
pub fn cuda_half() -> Result<(), String> {
    OPENED.get().cloned().unwrap_or_else(|| Err("libtorch is not prepared".to_owned()))
}

/// The program is linked with the CPU half only, so that one program serves machines with and without CUDA. The
/// name without a folder is looked up in the program's rpath, which is libtorch's own folder.
fn open_cuda() -> Result<(), String> {
    #[expect(unsafe_code, reason = "libtorch has no other way to be given its CUDA half at run time")]
    // SAFETY: the library's initialisers register its kernels with the CPU half that was built with it, and run
    // here before any other call of libtorch and before a second thread. It is never closed.
    let opened = unsafe { Library::open(Some(CUDA_HALF), RTLD_NOW | RTLD_GLOBAL) };
    let _open_for_ever = opened.map_err(|error| error.to_string())?.into_raw();
    Ok(())
}
