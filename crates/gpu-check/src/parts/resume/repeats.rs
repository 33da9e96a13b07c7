//! Which operations give other bits when they are repeated: what is left of determinism on a device.

use serde_json::json;
use tch::{Device, Kind, Reduction, TchError, Tensor};

use super::super::transforms::cases::CASES;
use super::super::transforms::figures::Draws;
use crate::cost::layer::drawn;
use crate::error::{CheckError, caught};
use crate::setting::Setting;

/// How often an operation is repeated.
const REPEATS: usize = 10;
const TABLE: &str = "operations that are repeated";

/// A convolution of `cnn6` with batch 128: channels, filters, size of the image and of the kernel, padding.
#[derive(Clone, Copy)]
struct Convolution([i64; 5]);

const CONVOLUTIONS: [Convolution; 5] = [
    Convolution([3, 32, 32, 3, 1]),
    Convolution([32, 32, 32, 3, 1]),
    Convolution([32, 64, 16, 3, 1]),
    Convolution([128, 128, 8, 3, 1]),
    Convolution([128, 128, 4, 4, 0]),
];
const TINY_CONVOLUTIONS: [Convolution; 1] = [Convolution([2, 3, 8, 3, 1])];

/// Repeats everything.
///
/// # Errors
/// If a row cannot be written.
pub fn run(setting: &mut Setting) -> Result<(), CheckError> {
    let device = setting.device;
    let (batch, convolutions) =
        if setting.tiny { (4, &TINY_CONVOLUTIONS[..]) } else { (128, &CONVOLUTIONS[..]) };
    for &Convolution([c_in, c_out, size, kernel, padding]) in convolutions {
        let shape = format!("{c_in} to {c_out} channels, {kernel}x{kernel}, on {size}x{size}");
        let filters = drawn(c_out, c_in * kernel * kernel, 0.1, device)?;
        let filters = filters.f_view([c_out, c_in, kernel, kernel])?.f_set_requires_grad(true)?;
        let images = images(batch, c_in, size, device)?.f_set_requires_grad(true)?;
        let output = || images.f_conv2d(&filters, None::<Tensor>, 1, padding, 1, 1);
        repeat(setting, &format!("convolution, {shape}"), &|| Ok(output()?.f_detach()?))?;
        for (name, leaf) in [("its weight", &filters), ("its input", &images)] {
            repeat(setting, &format!("gradient at {name}, {shape}"), &|| gradient(&output()?, leaf))?;
        }
    }
    let images = images(batch, 32, 16, device)?.f_set_requires_grad(true)?;
    repeat(setting, "gradient of a max-pool", &|| {
        gradient(&images.f_max_pool2d(2, 2, 0, 1, false)?, &images)
    })?;
    repeat(setting, "gradient of a batch normalisation", &|| {
        let none = || None::<Tensor>;
        gradient(&images.f_batch_norm(none(), none(), none(), none(), true, 0.1, 1e-5, false)?, &images)
    })?;
    repeat(setting, "gradient of a cross-entropy", &|| {
        let logits = drawn(batch, 100, 1.0, device)?.f_set_requires_grad(true)?;
        let labels = Tensor::f_arange(batch, (Kind::Int64, device))?.f_remainder(100)?;
        gradient(&logits.f_cross_entropy_loss(&labels, None::<Tensor>, Reduction::Mean, -100, 0.0)?, &logits)
    })?;
    repeat(setting, "gradient of a classifier", &|| {
        let weight = drawn(100, 128, 1.0, device)?.f_set_requires_grad(true)?;
        gradient(&drawn(batch, 128, 1.0, device)?.f_linear(&weight, None::<Tensor>)?, &weight)
    })?;
    let draws = if setting.tiny { Draws::new(27, 6)? } else { Draws::new(576, 128)? };
    for case in CASES {
        repeat(setting, &format!("W and its gradients, {}, d = {}", case.name, draws.d), &|| {
            let figures = case.figures(&draws, Kind::Float, device)?;
            let flat: Result<Vec<Tensor>, _> =
                figures.tensors.iter().map(|(_, tensor)| tensor.f_flatten(0, -1)).collect();
            Ok(Tensor::f_cat(&flat?, 0)?)
        })?;
    }
    Ok(())
}

/// Records how many repetitions differ from the first in a bit. On a GPU, that only informs.
fn repeat(
    setting: &mut Setting,
    name: &str,
    operation: &dyn Fn() -> Result<Tensor, CheckError>,
) -> Result<(), CheckError> {
    let different = caught(|| {
        let first = operation()?;
        let mut different = 0;
        for _ in 0..REPEATS {
            different += usize::from(!first.f_equal(&operation()?)?);
        }
        Ok(different)
    });
    match different {
        Ok(different) => {
            let passed = (!setting.on_gpu()).then_some(different == 0);
            let cells = json!({ "operation": name, "repeats": REPEATS, "different": different });
            setting.records.row(TABLE, passed, cells)
        }
        Err(error) => setting.records.failed(TABLE, name, &error),
    }
}

/// Random images, `[batch, channels, size, size]`.
fn images(batch: i64, channels: i64, size: i64, device: Device) -> Result<Tensor, TchError> {
    drawn(batch, channels * size * size, 1.0, device)?.f_view([batch, channels, size, size])
}

/// The gradient at `leaf` of the sum of the squares of `output`.
fn gradient(output: &Tensor, leaf: &Tensor) -> Result<Tensor, CheckError> {
    let sum = output.f_square()?.f_sum(Kind::Float)?;
    let mut gradients = Tensor::f_run_backward(&[&sum], &[leaf], false, false)?;
    gradients.pop().ok_or_else(|| CheckError::Program("libtorch gave no gradient".to_owned()))
}
