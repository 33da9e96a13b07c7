//! Properties of every rotation, over sizes, numbers of neurons and kinds. The tests of each transform call these.

use tch::{Kind, Tensor};

use crate::draws::gaussian;
use crate::{EnergyConfig, Error, Rotation, hyperspherical_energy, orthogonality_error};

pub const SIZES: [i64; 8] = [1, 2, 3, 5, 16, 27, 64, 144];

/// Dimensions of convolutions over 32 and 64 channels, for which naive forms take too long.
pub const LARGE_SIZES: [i64; 2] = [288, 576];

pub const NOT_FINITE: [f64; 3] = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY];

/// Fewer neurons than dimensions if possible, as many, and more.
fn neuron_counts(d: i64) -> [i64; 3] {
    [(d / 2).max(1), d, 2 * d + 1]
}

fn relative_error(ours: &Tensor, expected: &Tensor) -> f64 {
    let (ours, expected) = (ours.to_kind(Kind::Double), expected.to_kind(Kind::Double));
    let scale = expected.norm().double_value(&[]);
    (ours - expected).norm().double_value(&[]) / scale.max(f64::MIN_POSITIVE)
}

/// The orthogonality error of the rotation's R, caused by rounding.
pub fn error_of(rotation: &dyn Rotation) -> f64 {
    orthogonality_error(&rotation.matrix().unwrap().unwrap()).unwrap()
}

pub fn is_orthogonal(rotation: fn(&Tensor) -> Box<dyn Rotation>) {
    for (kind, bound) in [(Kind::Float, 5e-6), (Kind::Double, 1e-13)] {
        for d in SIZES.into_iter().chain(LARGE_SIZES) {
            let error = error_of(rotation(&gaussian(&[d, d], d as u64, kind)).as_ref());
            println!("{kind:?} d = {d}: orthogonality error {error:.1e}");
            assert!(error < bound, "{kind:?} d = {d}: {error}");
        }
    }
}

pub fn agrees_with(naive: fn(&Tensor) -> Tensor, rotation: fn(&Tensor) -> Box<dyn Rotation>) {
    // Rounding in float32 grows with the condition of the raw parameter, which grows with d.
    for (kind, bound) in [(Kind::Float, 5e-6), (Kind::Double, 1e-13)] {
        for d in SIZES {
            let raw = gaussian(&[d, d], d as u64, kind);
            let r = naive(&raw.to_kind(Kind::Double));
            for n in neuron_counts(d) {
                let frozen_weight = gaussian(&[n, d], 100 + n as u64, kind);
                let weight = rotation(&raw).rotate(&frozen_weight).unwrap().weight;
                let error = relative_error(&weight, &frozen_weight.to_kind(Kind::Double).matmul(&r.tr()));
                println!("{kind:?} d = {d} n = {n}: relative error {error:.1e}");
                assert_eq!((weight.kind(), weight.size(), weight.is_contiguous()), (kind, vec![n, d], true));
                assert!(error < bound * (1.0 + d as f64 / 16.0), "{kind:?} d = {d} n = {n}: {error}");
            }
        }
    }
}

/// `free` keeps the part of the gradient that the naive form's parameter has.
pub fn gradient_agrees_with(
    naive: fn(&Tensor) -> Tensor,
    rotation: fn(&Tensor) -> Box<dyn Rotation>,
    free: fn(&Tensor) -> Tensor,
) {
    for d in SIZES {
        for n in neuron_counts(d) {
            gradients_agree(naive, rotation, free, d, n);
        }
    }
}

/// `naive` uses functions of libtorch with a derivative, because loops take too long.
pub fn gradient_agrees_at_large_sizes(
    naive: fn(&Tensor) -> Tensor,
    rotation: fn(&Tensor) -> Box<dyn Rotation>,
    free: fn(&Tensor) -> Tensor,
) {
    for d in LARGE_SIZES {
        gradients_agree(naive, rotation, free, d, 32);
    }
}

fn gradients_agree(
    naive: fn(&Tensor) -> Tensor,
    rotation: fn(&Tensor) -> Box<dyn Rotation>,
    free: fn(&Tensor) -> Tensor,
    d: i64,
    n: i64,
) {
    let frozen_leaf = gaussian(&[n, d], 100 + n as u64, Kind::Double).set_requires_grad(true);
    let raw_leaf = gaussian(&[d, d], d as u64, Kind::Double).set_requires_grad(true);
    let weight_gradient = gaussian(&[n, d], 200 + n as u64, Kind::Double);
    (frozen_leaf.matmul(&naive(&raw_leaf).tr()) * &weight_gradient).sum(Kind::Double).backward();

    let pullback = rotation(&raw_leaf).rotate(&frozen_leaf.detach()).unwrap().pullback;
    let frozen_gradient = pullback.frozen_gradient(&weight_gradient).unwrap();
    let error = relative_error(&frozen_gradient, &frozen_leaf.grad());
    assert!(error < 1e-11, "neurons, d = {d} n = {n}: {error}");
    let gradient = pullback.gradient(&weight_gradient).unwrap();
    assert_eq!((gradient.size(), gradient.is_contiguous()), (vec![d, d], true));
    let (gradient, expected) = (free(&gradient), raw_leaf.grad());
    // In one dimension there is no rotation, so its gradient is 0 up to rounding.
    if !expected.defined() || expected.abs().max().double_value(&[]) < 1e-15 {
        assert_eq!((d, gradient.double_value(&[0, 0])), (1, 0.0));
        return;
    }
    let error = relative_error(&gradient, &expected);
    println!("d = {d} n = {n}: relative gradient error {error:.1e}");
    assert!(error < 1e-9, "d = {d} n = {n}: {error}");
}

/// Steps the raw parameter and the neurons between the two gradients, as an optimizer may.
pub fn pullback_keeps_its_factors(rotation: fn(&Tensor) -> Box<dyn Rotation>) {
    let (frozen_weight, weight_gradient) =
        (gaussian(&[4, 6], 2, Kind::Float), gaussian(&[4, 6], 3, Kind::Float));
    let rotation = rotation(&gaussian(&[6, 6], 1, Kind::Float));
    let pullback = rotation.rotate(&frozen_weight).unwrap().pullback;
    let gradients = || {
        let gradient = pullback.gradient(&weight_gradient).unwrap();
        (gradient, pullback.frozen_gradient(&weight_gradient).unwrap())
    };
    let before = gradients();
    let _ = rotation.raw().shallow_clone().zero_();
    let _ = frozen_weight.shallow_clone().zero_();
    assert_eq!(gradients(), before);
}

/// For transforms that depend only on the directions of the raw parameter.
pub fn scale_is_a_gauge(rotation: fn(&Tensor) -> Box<dyn Rotation>) {
    let (frozen_weight, weight_gradient) =
        (gaussian(&[9, 27], 2, Kind::Double), gaussian(&[9, 27], 3, Kind::Double));
    let raw = gaussian(&[27, 27], 1, Kind::Double);
    let of_scale = |scale: f64| {
        let rotated = rotation(&(&raw * scale)).rotate(&frozen_weight).unwrap();
        (rotated.weight, rotated.pullback.gradient(&weight_gradient).unwrap())
    };
    let (weight, gradient) = of_scale(1.0);
    for scale in [1e-6, 0.3, 1e6] {
        let (scaled_weight, scaled_gradient) = of_scale(scale);
        assert!(relative_error(&scaled_weight, &weight) < 1e-12, "scale {scale}");
        assert!(relative_error(&(scaled_gradient * scale), &gradient) < 1e-10, "scale {scale}");
    }
}

pub fn keeps_energy(rotation: fn(&Tensor) -> Box<dyn Rotation>) {
    for d in SIZES.into_iter().chain(LARGE_SIZES).filter(|d| *d >= 3) {
        let frozen_weight = gaussian(&[24, d], 7, Kind::Float);
        let rotated = rotation(&gaussian(&[d, d], 8, Kind::Float)).rotate(&frozen_weight).unwrap();
        for half_space in [false, true] {
            for power in 0..=2 {
                let config = EnergyConfig { power, half_space };
                let before = hyperspherical_energy(&frozen_weight, &config).unwrap();
                let after = hyperspherical_energy(&rotated.weight, &config).unwrap();
                let change = (after - before) / before;
                println!("d = {d} {config:?}: {before} by {change:.1e}");
                assert!(change.abs() < 1e-6, "d = {d} {config:?}: {before} -> {after}");
            }
        }
    }
}

/// Checks that values that are not finite, in the raw parameter or a gradient, reach the loss or the optimizer's step,
/// or are an error, so that training stops instead of continuing with meaningless numbers.
pub fn passes_on_values_that_are_not_finite(rotation: fn(&Tensor) -> Box<dyn Rotation>, raw_values: &[f64]) {
    let all_finite = |tensor: &Tensor| tensor.isfinite().all().int64_value(&[]) == 1;
    let (d, n) = (6, 4);
    let (raw, frozen_weight) = (gaussian(&[d, d], 1, Kind::Float), gaussian(&[n, d], 2, Kind::Float));
    for bad in raw_values {
        for (row, column) in [(0, 1), (2, 5), (3, 4)] {
            let spoilt = raw.copy();
            let _ = spoilt.get(row).get(column).fill_(*bad);
            match rotation(&spoilt).rotate(&frozen_weight) {
                Ok(rotated) => assert!(!all_finite(&rotated.weight), "{bad} at {row}, {column}"),
                Err(error) => assert!(matches!(error, Error::NotFinite), "{error}"),
            }
        }
    }
    for bad in NOT_FINITE {
        let rotated = rotation(&raw).rotate(&frozen_weight).unwrap();
        let weight_gradient = gaussian(&[n, d], 3, Kind::Float);
        let _ = weight_gradient.get(1).get(2).fill_(bad);
        assert!(!all_finite(&rotated.pullback.gradient(&weight_gradient).unwrap()), "{bad} in the gradient");
        assert!(!all_finite(&rotated.pullback.frozen_gradient(&weight_gradient).unwrap()), "{bad}");
    }
}

pub fn rejects_wrong_shapes(new: fn(&Tensor) -> Result<Box<dyn Rotation>, Error>) {
    let zeros = |size: &[i64]| Tensor::zeros(size, tch::kind::FLOAT_CPU);
    for bad in [&[2, 3][..], &[4], &[0, 0], &[2, 2, 2]] {
        let message = new(&zeros(bad)).unwrap_err().to_string();
        assert!(message.ends_with(&format!("got {bad:?}")), "{message}");
    }
    let rotation = new(&Tensor::eye(3, tch::kind::FLOAT_CPU)).unwrap();
    for bad in [&[2, 4][..], &[3], &[2, 3, 1]] {
        let message = rotation.rotate(&zeros(bad)).unwrap_err().to_string();
        assert!(message.ends_with(&format!("must be [n, 3], got {bad:?}")), "{message}");
    }
}
