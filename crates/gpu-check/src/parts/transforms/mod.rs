//! Rotations, energies and penalties on the device against the same in float64 on the CPU.
//!
//! Errors are norms of differences over norms. How large they may be depends on the condition of the random input, so
//! that the bound follows from the CPU: an error of the device passes if it is at most [`TIMES`] that of the CPU in
//! float32, or [`LEAST`]; in float64 both shrink by [`DOUBLE`]. A property that a rotation keeps only nearly, as descent
//! does between two repairs, may be missed by [`TIMES`] as much as in float64 on the CPU.

pub mod cases;
pub mod figures;
mod measures;
mod rotations;

use std::thread;

use serde_json::{Value, json};
use tch::{Device, Kind};

use self::cases::CASES;
use self::figures::{Draws, Figures};
use self::measures::MEASURES;
use crate::error::{CheckError, caught};
use crate::setting::Setting;

/// An error of the device may be this many times as large as that of the CPU.
const TIMES: f64 = 10.0;
/// An error that passes in any case, in float32.
const LEAST: f64 = 5e-6;
/// The same in float64, over that in float32: sixteen times the ratio of their roundings.
const DOUBLE: f64 = 1.0 / (1 << 25) as f64;

/// Lengths and numbers of neurons: those of `cnn6` and of a perceptron.
const SIZES: [(i64, i64); 6] = [(27, 32), (288, 64), (576, 128), (784, 256), (1152, 128), (2048, 128)];
const TINY_SIZES: [(i64, i64); 2] = [(8, 12), (27, 6)];
/// From this length on, float64 is not checked on the device: the factorisations take too long.
const LONGEST_DOUBLE: i64 = 1000;

pub fn run(setting: &mut Setting) -> Result<(), CheckError> {
    // For the references.
    tch::set_num_threads(thread::available_parallelism().map_or(1, usize::from) as i32);
    let sizes = if setting.tiny { &TINY_SIZES[..] } else { &SIZES[..] };
    for &(d, n) in sizes {
        let draws = Draws::new(d, n)?;
        for case in CASES {
            if setting.is_over() {
                return Ok(());
            }
            let measure = |kind, device| case.figures(&draws, kind, device);
            compare(setting, "rotations", case.name, &draws, &measure)?;
        }
        for (name, figures) in MEASURES {
            let measure = |kind, device| figures(&draws.on(kind, device)?);
            compare(setting, "energies and penalties", name, &draws, &measure)?;
        }
    }
    Ok(())
}

/// Measures in float64 and float32 on the CPU, and in both on the device.
fn compare(
    setting: &mut Setting,
    table: &str,
    name: &str,
    draws: &Draws,
    measure: &dyn Fn(Kind, Device) -> Result<Figures, CheckError>,
) -> Result<(), CheckError> {
    let reference = caught(|| Ok((measure(Kind::Double, Device::Cpu)?, measure(Kind::Float, Device::Cpu)?)));
    let (reference, cpu) = match reference {
        Ok(reference) => reference,
        Err(error) => return setting.records.failed(table, &format!("{name} on the CPU"), &error),
    };
    let (cpu, own) = (cpu.errors(&reference)?, reference.errors(&reference)?);
    let device = setting.device;
    for (kind, word, scale) in [(Kind::Float, "float32", 1.0), (Kind::Double, "float64", DOUBLE)] {
        if kind == Kind::Double && draws.d > LONGEST_DOUBLE {
            continue;
        }
        let what = format!("{name}, d = {}, n = {}, {word}", draws.d, draws.n);
        match caught(|| measure(kind, device)?.errors(&reference)) {
            Ok(errors) => {
                let mut cells = json!({ "what": name, "d": draws.d, "n": draws.n, "kind": word });
                let mut passed = true;
                for (((figure, error), (_, of_cpu)), (_, own)) in errors.iter().zip(&cpu).zip(&own) {
                    cells[*figure] = json!(error);
                    // Also false for an error that is not a number.
                    passed &= *error <= (scale * (TIMES * of_cpu).max(LEAST)).max(TIMES * own);
                }
                cells["cpu_float32"] = Value::from(cpu.iter().map(|(_, error)| *error).fold(0.0, f64::max));
                setting.records.row(table, Some(passed), cells)?;
            }
            Err(error) => setting.records.failed(table, &what, &error)?,
        }
    }
    Ok(())
}
