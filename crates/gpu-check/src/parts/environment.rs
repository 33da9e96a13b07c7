//! The environment, and the first use of each library that training needs.

use std::env;
use std::fs;
use std::process::Command;

use nvml_wrapper::Nvml;
use nvml_wrapper::error::NvmlError;
use optlab_runner::{clock, environment};
use serde_json::json;
use tch::{Device, Kind, TchError, Tensor};

use crate::cost::trainer::synchronize;
use crate::error::{CheckError, caught};
use crate::setting::Setting;

/// Variables that change what libtorch does.
const VARIABLES: [&str; 8] = [
    "CUDA_VISIBLE_DEVICES",
    "CUDA_DEVICE_ORDER",
    "CUDA_MODULE_LOADING",
    "CUBLAS_WORKSPACE_CONFIG",
    "NVIDIA_TF32_OVERRIDE",
    "PYTORCH_CUDA_ALLOC_CONF",
    "OMP_NUM_THREADS",
    "LD_LIBRARY_PATH",
];

pub fn run(setting: &mut Setting) -> Result<(), CheckError> {
    machine(setting)?;
    driver(setting)?;
    operations(setting)?;
    programs(setting)
}

fn fact(setting: &mut Setting, what: &str, value: impl ToString) -> Result<(), CheckError> {
    setting.records.row("machine", None, json!({ "what": what, "value": value.to_string() }))
}

fn machine(setting: &mut Setting) -> Result<(), CheckError> {
    let found = environment::environment(setting.runner_device, 1);
    let probe = environment::probe();
    fact(setting, "device", format!("{}: {}", found.device, found.device_name))?;
    fact(setting, "libtorch", found.libtorch)?;
    fact(setting, "optlab", format!("{}, commit {}", found.optlab, setting.programs.commit()))?;
    for device in probe.devices {
        fact(
            setting,
            &device.device.to_string(),
            format!("{} {}", device.name, device.uuid.unwrap_or_default()),
        )?;
    }
    fact(setting, "hardware threads", probe.threads)?;
    if let Some(unusable) = probe.unusable_gpus {
        fact(setting, "unusable GPUs", unusable.to_string())?;
    }
    for (what, file) in [("kernel", "/proc/version"), ("NVIDIA kernel module", "/proc/driver/nvidia/version")]
    {
        if let Ok(text) = fs::read_to_string(file) {
            fact(setting, what, text.lines().next().unwrap_or_default())?;
        }
    }
    for variable in VARIABLES {
        if let Ok(value) = env::var(variable) {
            fact(setting, variable, value)?;
        }
    }
    Ok(())
}

/// Versions and memory from NVIDIA's library. It is a failure if libtorch cannot use the GPUs that it knows.
fn driver(setting: &mut Setting) -> Result<(), CheckError> {
    let nvml = match Nvml::init() {
        Ok(nvml) => nvml,
        Err(error) => return fact(setting, "NVML", error),
    };
    let count = nvml.device_count().unwrap_or(0);
    let probe = environment::probe();
    let cells = json!({ "what": "GPUs known to the driver", "value": count.to_string() });
    setting.records.row("machine", Some(probe.unusable_gpus.is_none()), cells)?;
    let checked = probe.devices.into_iter().find(|probed| probed.device == setting.runner_device);
    let uuid = checked.and_then(|checked| checked.uuid);
    facts_of_driver(setting, &nvml, uuid).or_else(|error| fact(setting, "NVML", error))
}

/// `uuid` is that of the GPU that is checked; without one, the facts are those of the driver's first.
fn facts_of_driver(setting: &mut Setting, nvml: &Nvml, uuid: Option<String>) -> Result<(), Fact> {
    fact(setting, "driver", nvml.sys_driver_version()?)?;
    let cuda = nvml.sys_cuda_driver_version()?;
    fact(setting, "CUDA of the driver", format!("{}.{}", cuda / 1000, cuda % 1000 / 10))?;
    let gpu = uuid.map_or_else(|| nvml.device_by_index(0), |uuid| nvml.device_by_uuid(uuid))?;
    let capability = gpu.cuda_compute_capability()?;
    fact(setting, "compute capability", format!("{}.{}", capability.major, capability.minor))?;
    let memory = gpu.memory_info()?;
    let gigabytes = |bytes: u64| format!("{:.1} GB", bytes as f64 / 1e9);
    fact(setting, "GPU memory", gigabytes(memory.total))?;
    fact(setting, "GPU memory in use", gigabytes(memory.used))?;
    fact(setting, "processes on the GPU", gpu.running_compute_processes()?.len())?;
    Ok(())
}

/// Why a fact is missing.
#[derive(Debug, thiserror::Error)]
enum Fact {
    #[error(transparent)]
    Nvml(#[from] NvmlError),
    #[error(transparent)]
    Check(#[from] CheckError),
}

type Operation = fn(&Tensor) -> Result<Tensor, TchError>;

/// Operations of each library. Each maps a positive definite matrix to a tensor.
const OPERATIONS: [(&str, Operation); 10] = [
    ("matrix product (cuBLAS)", |a| a.f_matmul(a)),
    ("convolution (cuDNN)", |a| {
        let images = a.f_view([1, 1, a.size()[0], a.size()[1]])?;
        let kernel = a.f_narrow(0, 0, 3)?.f_narrow(1, 0, 3)?.f_reshape([1, 1, 3, 3])?;
        images.f_conv2d(&kernel, None::<Tensor>, 1, 1, 1, 1)
    }),
    ("LU factorisation", |a| Ok(Tensor::f_linalg_lu_factor(a, true)?.0)),
    ("LU solve", |a| {
        let (lu, pivots) = Tensor::f_linalg_lu_factor(a, true)?;
        Tensor::f_linalg_lu_solve(&lu, &pivots, a, true, false)
    }),
    ("QR factorisation", |a| Ok(a.f_geqrf()?.0)),
    ("multiplication by Q", |a| {
        let (factors, tau) = a.f_geqrf()?;
        factors.f_ormqr(&tau, a, true, true)
    }),
    ("singular values", |a| Ok(a.f_svd(true, true)?.1)),
    ("Cholesky factorisation", |a| a.f_linalg_cholesky(false)),
    ("triangular solve", |a| {
        let triangle = a.f_tril(0)?;
        Tensor::f_linalg_solve_triangular(&triangle, a, false, true, false)
    }),
    ("columns by index", |a| a.f_index_select(1, &Tensor::f_arange(3, (Kind::Int64, a.device()))?)),
];

/// The largest relative error of an operation in float32.
const FIRST_USE_ERROR: f64 = 1e-3;

/// Uses every operation twice: the first use loads its library.
fn operations(setting: &mut Setting) -> Result<(), CheckError> {
    for (name, operation) in OPERATIONS {
        let matrix = matrix()?;
        let expected = operation(&matrix)?;
        let device = setting.device;
        let timed = || -> Result<(Tensor, f64), CheckError> {
            let began = clock::instant();
            let result = operation(&matrix.f_to_kind(Kind::Float)?.f_to(device)?)?;
            synchronize(device);
            Ok((result.f_to(Device::Cpu)?.f_to_kind(Kind::Double)?, 1e3 * began.elapsed().as_secs_f64()))
        };
        match caught(|| Ok((timed()?.1, timed()?))) {
            Ok((first_ms, (result, second_ms))) => {
                let error = ((result - &expected).f_norm()? / expected.f_norm()?).f_double_value(&[])?;
                let cells = json!({
                    "operation": name, "error": error, "first_ms": first_ms, "second_ms": second_ms,
                });
                setting.records.row("libraries", Some(error < FIRST_USE_ERROR), cells)?;
            }
            Err(error) => setting.records.failed("libraries", name, &error)?,
        }
    }
    Ok(())
}

/// A positive definite matrix of float64 on the CPU.
fn matrix() -> Result<Tensor, TchError> {
    const SIZE: i64 = 96;
    let options = (Kind::Double, Device::Cpu);
    let waves = Tensor::f_arange(SIZE * SIZE, options)?.f_view([SIZE, SIZE])?.f_sin()?;
    waves.f_matmul(&waves.f_tr()?)?.f_div_scalar(SIZE as f64)?.f_add(&Tensor::f_eye(SIZE, options)?)
}

/// What the other programs and PyTorch say of the machine.
fn programs(setting: &mut Setting) -> Result<(), CheckError> {
    let python = setting.python.clone().map(|python| {
        let mut command = Command::new(python);
        command.args(["-c", "import torch; print(torch.__version__, torch.cuda.is_available())"]);
        ("PyTorch", command)
    });
    let mut doctor = Command::new(setting.programs.optlab());
    doctor.arg("doctor").current_dir(&setting.folder);
    let mut smi = Command::new("nvidia-smi");
    smi.arg(
        "--query-gpu=name,driver_version,clocks.sm,clocks.max.sm,power.draw,power.limit,mig.mode.current",
    );
    smi.arg("--format=csv,noheader");
    for (what, mut command) in [("optlab doctor", doctor), ("nvidia-smi", smi)].into_iter().chain(python) {
        let said = match command.output() {
            Ok(output) => [output.stdout, output.stderr]
                .map(|text| String::from_utf8_lossy(&text).into_owned())
                .concat(),
            Err(error) => error.to_string(),
        };
        fact(setting, what, said.trim())?;
    }
    Ok(())
}
