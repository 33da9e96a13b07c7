//! Errors of jobs, and the failures that are reported for them.

use std::any::Any;
use std::io;
use std::path::PathBuf;

use optlab_data::DataError;
use optlab_domain::EndReason;
use optlab_spec::protocol::Failure;
use tch::TchError;

/// Why a job has no summary.
#[derive(Debug, thiserror::Error)]
pub enum JobError {
    /// A person cancelled the job.
    #[error("cancelled")]
    Cancelled {
        /// Completed updates.
        step: u64,
    },
    /// The slot has closed the input and expects no answer.
    #[error("the input ended")]
    EndOfInput,
    /// The slot has closed the output.
    #[error("events cannot be written: {0}")]
    Pipe(#[from] io::Error),
    /// A loss is infinite or not a number.
    #[error("{series} is not finite at step {step}; a lower learning rate may help")]
    Diverged {
        /// The series of the loss.
        series: &'static str,
        /// The first such step.
        step: u64,
    },
    /// The spec is unusable; the message says what to do.
    #[error("{0}")]
    Setup(String),
    /// This machine lacks the device; another one may have it.
    #[error("{0}")]
    Device(String),
    /// A file cannot be written, for example on a full disk; another machine may have space.
    #[error("{0}")]
    Write(String),
    /// A checkpoint cannot be read on this machine; its content may be good.
    #[error("the checkpoint {} cannot be read: {why}", file.display())]
    Read {
        /// Its path.
        file: PathBuf,
        /// The reason.
        why: io::Error,
    },
    /// A checkpoint is unusable; another attempt may have another one.
    #[error("the checkpoint {} cannot be used: {why}", file.display())]
    Checkpoint {
        /// Its path.
        file: PathBuf,
        /// The reason.
        why: String,
    },
    /// The data set cannot be loaded.
    #[error(transparent)]
    Data(#[from] DataError),
    /// A rotation or an energy failed.
    #[error(transparent)]
    Opt(#[from] optlab_opt::Error),
    /// libtorch failed.
    #[error(transparent)]
    Torch(#[from] TchError),
}

impl JobError {
    /// The failure to report.
    pub fn failure(&self) -> Failure {
        let (reason, series, step) = match self {
            Self::Cancelled { step } => (EndReason::Cancelled, None, Some(*step)),
            Self::Diverged { series, step } => (EndReason::Diverged, Some((*series).to_owned()), Some(*step)),
            Self::EndOfInput | Self::Pipe(_) | Self::Checkpoint { .. } => {
                (EndReason::RunnerCrashed, None, None)
            }
            Self::Device(_) | Self::Write(_) | Self::Read { .. } => (EndReason::MachineFault, None, None),
            // The file is the official one, so it is malformed on every machine.
            Self::Data(DataError::Malformed { .. }) => (EndReason::UserError, None, None),
            Self::Data(_) => (EndReason::MachineFault, None, None),
            Self::Setup(_) => (EndReason::UserError, None, None),
            Self::Opt(optlab_opt::Error::NotFinite) => (EndReason::Diverged, None, None),
            Self::Torch(_) | Self::Opt(optlab_opt::Error::Torch(_)) => (crash(&self.to_string()), None, None),
            // Mismatched sizes would fail at every attempt.
            Self::Opt(_) => (EndReason::UserError, None, None),
        };
        let of_data = reason == EndReason::MachineFault && matches!(self, Self::Data(_));
        Failure { reason, series, step, of_data, error: in_short(&self.to_string()) }
    }
}

/// The failure of a panic, which tch also raises when libtorch throws.
pub fn of_panic(panic: &(dyn Any + Send)) -> Failure {
    let text = (panic.downcast_ref::<String>().map(String::as_str))
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("a panic without a message");
    Failure::of(crash(text), in_short(text))
}

/// libtorch distinguishes errors only by their text.
fn crash(text: &str) -> EndReason {
    const OUT_OF_MEMORY: [&str; 8] = [
        "out of memory",
        "not enough memory",
        "can't allocate memory",
        "bad_alloc",
        "STATUS_ALLOC_FAILED",
        "ALLOCATION_FAILED",
        // cuBLAS reserves memory when it starts.
        "CUBLAS_STATUS_NOT_INITIALIZED",
        "CUSOLVER_STATUS_NOT_INITIALIZED",
    ];
    if OUT_OF_MEMORY.iter().any(|words| text.contains(words)) {
        EndReason::OutOfMemory
    } else {
        EndReason::RunnerCrashed
    }
}

/// libtorch's message ends with the frames of its own code. Where the memory of a GPU does not suffice, it says how much
/// was wanted, how much is free and how much is used, and then gives advice on variables that would seldom help.
fn in_short(text: &str) -> String {
    const FRAMES: [&str; 2] = ["Exception raised from", "frame #0"];
    let before = |text: &str, marks: &[&str]| {
        let end = marks.iter().filter_map(|mark| text.find(mark)).min().unwrap_or(text.len());
        text[..end].trim_end().to_owned()
    };
    let Some(start) = text.find("CUDA out of memory.") else {
        let mut short = before(text, &FRAMES);
        if short.contains("unable to find an engine") {
            short.push_str(". libtorch also reports this where a convolution finds too little memory");
        }
        return short;
    };
    let advice = "If reserved but unallocated memory is large";
    let figures = before(&text[start..], &[FRAMES[0], FRAMES[1], advice]);
    format!("{figures} A smaller batch_size needs less, and fewer slots per device leave more.")
}

#[cfg(test)]
mod tests {
    use tch::{Device, Kind, Tensor};

    use super::*;

    /// Of the allocator of libtorch 2.11, with two processes on the GPU.
    const CUDA: &str = "CUDA out of memory. Tried to allocate 750.00 MiB. GPU 0 has a total capacity of 14.57 GiB of \
        which 646.75 MiB is free. Process 2493055 has 12.02 GiB memory in use. Including non-PyTorch memory, this \
        process has 1.87 GiB memory in use. Of the allocated memory 1.46 GiB is allocated by PyTorch, and 208.23 MiB \
        is reserved by PyTorch but unallocated. If reserved but unallocated memory is large try setting \
        PYTORCH_ALLOC_CONF=expandable_segments:True to avoid fragmentation.  See documentation for Memory Management  \
        (https://pytorch.org/docs/stable/notes/cuda.html#environment-variables)\nException raised from malloc at \
        c10/cuda/CUDACachingAllocator.cpp:1500 (most recent call first):\nframe #0: c10::Error::Error(...)";

    #[test]
    fn an_error_of_libtorch_is_a_crash_reported_without_stack_frames() {
        let xs = Tensor::zeros([2, 3], (Kind::Float, Device::Cpu));
        let failure = JobError::from(xs.f_matmul(&xs).unwrap_err()).failure();
        assert_eq!(failure.reason, EndReason::RunnerCrashed);
        assert!(failure.error.contains("cannot be multiplied (2x3 and 2x3)"), "{}", failure.error);
        assert!(!failure.error.contains("frame #"), "{}", failure.error);
        let panic = std::panic::catch_unwind(|| xs.matmul(&xs)).unwrap_err();
        assert!(of_panic(panic.as_ref()).error.contains("cannot be multiplied"));
    }

    #[test]
    fn a_parameter_that_is_not_finite_has_diverged() {
        let raw = Tensor::from_slice(&[1.0, f64::NAN, 0.0, 1.0]).view([2, 2]);
        let rotation = optlab_opt::Lowdin::new(&raw).unwrap();
        let error = optlab_opt::Rotation::rotate(&rotation, &raw).unwrap_err();
        assert_eq!(JobError::from(error).failure().reason, EndReason::Diverged);
    }

    #[test]
    fn lack_of_memory_is_distinguished() {
        let tensor = Tensor::f_zeros([1 << 44], (Kind::Float, Device::Cpu));
        let failure = JobError::from(tensor.unwrap_err()).failure();
        assert_eq!(failure.reason, EndReason::OutOfMemory);
        assert!(failure.error.contains("you tried to allocate"), "{}", failure.error);
        assert!(!failure.error.contains("frame #"), "{}", failure.error);
        let panic = of_panic(&format!("called `Result::unwrap()` on an `Err` value: Torch({CUDA:?})"));
        assert_eq!(panic.reason, EndReason::OutOfMemory);
        assert_eq!(panic, JobError::from(TchError::Torch(CUDA.to_owned())).failure());
    }

    #[test]
    fn lack_of_memory_on_a_gpu_is_reported_with_its_figures_and_nothing_else() {
        let failure = JobError::from(TchError::Torch(CUDA.to_owned())).failure();
        let figures = CUDA.split(" If reserved").next().unwrap();
        let advice = " A smaller batch_size needs less, and fewer slots per device leave more.";
        assert_eq!(failure.error, format!("{figures}{advice}"));
        // Before the allocator there are no figures.
        let early = of_panic(&"CUDA out of memory. Exception raised from init").error;
        assert_eq!(early, format!("CUDA out of memory.{advice}"));
    }

    #[test]
    fn lack_of_memory_that_a_library_of_the_gpu_reports_is_recognised() {
        for text in [
            "CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`",
            "CUDA error: CUBLAS_STATUS_NOT_INITIALIZED when calling `cublasCreate(handle)`",
            "cuDNN error: CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED",
        ] {
            assert_eq!(of_panic(&text).reason, EndReason::OutOfMemory, "{text}");
        }
        let engine = "GET was unable to find an engine to execute this computation";
        let short = of_panic(&format!("{engine}\nframe #0: at::native")).error;
        assert!(short.starts_with(engine) && short.ends_with("too little memory"), "{short}");
    }
}
