//! The cost of one layer by the length of its neurons, and of the linear algebra that rotations use or could use.

use serde_json::{Map, Value, json};
use tch::{Device, Kind, TchError, Tensor};

use crate::cost::layer::{DIMENSIONS, NEURONS, drawn, of_rotation};
use crate::cost::trainer::synchronize;
use crate::cost::{ARMS, median};
use crate::error::{CheckError, caught};
use crate::setting::Setting;

const ROUNDS: u64 = 3;
const TINY_DIMENSIONS: [i64; 2] = [32, 64];

/// An operation on the matrix I + N(0, 1/d) / 2, `[d, d]`, and on neurons, `[n, d]`, both in its kind.
struct Operation {
    name: &'static str,
    kind: Kind,
    apply: fn(&Tensor, &Tensor) -> Result<(), TchError>,
}

/// libtorch has it for GPUs only.
const ONLY_ON_A_GPU: &str = "LU without pivots";

const OPERATIONS: [Operation; 11] = [
    Operation { name: "product", kind: Kind::Float, apply: |a, _| a.f_matmul(a).map(drop) },
    Operation { name: "product, float64", kind: Kind::Double, apply: |a, _| a.f_matmul(a).map(drop) },
    Operation {
        name: "LU",
        kind: Kind::Float,
        apply: |a, _| Tensor::f_linalg_lu_factor_ex(a, true, false).map(drop),
    },
    Operation {
        name: ONLY_ON_A_GPU,
        kind: Kind::Float,
        apply: |a, _| Tensor::f_linalg_lu_factor_ex(a, false, false).map(drop),
    },
    Operation {
        name: "LU, pivots unpacked",
        kind: Kind::Float,
        apply: |a, _| {
            let (factors, pivots, _) = Tensor::f_linalg_lu_factor_ex(a, true, false)?;
            Tensor::f_lu_unpack(&factors, &pivots, false, true).map(drop)
        },
    },
    Operation {
        name: "triangular solve",
        kind: Kind::Float,
        apply: |a, rows| a.f_linalg_solve_triangular(rows, true, false, false).map(drop),
    },
    Operation { name: "QR", kind: Kind::Float, apply: |a, _| a.f_geqrf().map(drop) },
    Operation {
        name: "Q times neurons",
        kind: Kind::Float,
        apply: |a, rows| {
            let (factors, tau) = a.f_geqrf()?;
            factors.f_ormqr(&tau, &rows.f_tr()?, true, false).map(drop)
        },
    },
    Operation {
        name: "Cholesky of the Gram matrix, float64",
        kind: Kind::Double,
        apply: |a, _| {
            let gram = a.f_tr()?.f_matmul(a)?;
            gram.f_linalg_cholesky_ex(false, false).map(drop)
        },
    },
    Operation {
        name: "triangular solve of the square, float64",
        kind: Kind::Double,
        apply: |a, _| a.f_linalg_solve_triangular(a, true, false, false).map(drop),
    },
    Operation {
        name: "singular values and vectors",
        kind: Kind::Float,
        apply: |a, _| a.f_svd(true, true).map(drop),
    },
];

pub fn run(setting: &mut Setting) -> Result<(), CheckError> {
    let dimensions = if setting.tiny { &TINY_DIMENSIONS[..] } else { &DIMENSIONS[..] };
    let device = setting.device;
    for operation in OPERATIONS {
        if operation.name == ONLY_ON_A_GPU && !setting.on_gpu() {
            continue;
        }
        let cell = |d| of_operation(&operation, d, device);
        row(setting, "milliseconds of an operation on d x d", operation.name, dimensions, &cell)?;
    }
    let title = format!("milliseconds from dL/dW to the next W of {NEURONS} neurons of length d");
    for (arm, method) in ARMS.into_iter().filter(|(_, method)| method.contains(r#""opt""#)) {
        row(setting, &title, arm, dimensions, &|d| of_rotation(method, d, device, ROUNDS))?;
    }
    Ok(())
}

/// Measures by length, as long as there is time.
fn row(
    setting: &mut Setting,
    table: &str,
    name: &str,
    dimensions: &[i64],
    cell: &dyn Fn(i64) -> Result<f64, CheckError>,
) -> Result<(), CheckError> {
    let mut cells = Map::from_iter([("what".to_owned(), Value::from(name))]);
    for d in dimensions {
        if setting.is_over() {
            break;
        }
        match cell(*d) {
            Ok(milliseconds) => _ = cells.insert(d.to_string(), json!(milliseconds)),
            Err(error) => setting.records.failed(table, &format!("{name}, d = {d}"), &error)?,
        }
    }
    if cells.len() == 1 { Ok(()) } else { setting.records.row(table, None, cells) }
}

fn of_operation(operation: &Operation, d: i64, device: Device) -> Result<f64, CheckError> {
    caught(|| {
        let noise = drawn(d, d, 0.5 / (d as f64).sqrt(), device)?;
        let matrix = Tensor::f_eye(d, (Kind::Float, device))?.f_add(&noise)?.f_to_kind(operation.kind)?;
        let rows = drawn(NEURONS, d, 1.0, device)?.f_to_kind(operation.kind)?;
        let mut times = Vec::new();
        for _ in 0..=ROUNDS {
            synchronize(device);
            let began = optlab_runner::clock::instant();
            (operation.apply)(&matrix, &rows)?;
            synchronize(device);
            times.push(1e3 * began.elapsed().as_secs_f64());
        }
        Ok(median(&mut times[1..]))
    })
}
