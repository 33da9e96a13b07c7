//! What every rotation must satisfy, over sizes, numbers of neurons and kinds. Each transform's tests call these.

use tch::{Kind, Tensor};

use crate::draws::gaussian;
use crate::{EnergyConfig, Error, Rotation, hyperspherical_energy, orthogonality_error};

pub const SIZES: [i64; 5] = [1, 2, 5, 27, 64];

/// Fewer neurons than dimensions where that can be, as many, and more.
fn neuron_counts(d: i64) -> [i64; 3] {
    [(d / 2).max(1), d, 2 * d + 1]
}

fn relative_error(ours: &Tensor, expected: &Tensor) -> f64 {
    let (ours, expected) = (ours.to_kind(Kind::Double), expected.to_kind(Kind::Double));
    let scale = expected.norm().double_value(&[]);
    (ours - expected).norm().double_value(&[]) / scale.max(f64::MIN_POSITIVE)
}

/// How far rounding has taken the rotation's R from orthogonal.
pub fn error_of(rotation: &dyn Rotation) -> f64 {
    orthogonality_error(&rotation.matrix().unwrap().unwrap()).unwrap()
}

pub fn is_orthogonal(rotation: fn(&Tensor) -> Box<dyn Rotation>) {
    for (kind, bound) in [(Kind::Float, 2e-6), (Kind::Double, 1e-14)] {
        for d in SIZES {
            let error = error_of(rotation(&gaussian(&[d, d], d as u64, kind)).as_ref());
            println!("{kind:?} d = {d}: orthogonality error {error:.1e}");
            assert!(error < bound, "{kind:?} d = {d}: {error}");
        }
    }
}

pub fn agrees_with(naive: fn(&Tensor) -> Tensor, rotation: fn(&Tensor) -> Box<dyn Rotation>) {
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
                assert!(error < bound, "{kind:?} d = {d} n = {n}: {error}");
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
        let raw = gaussian(&[d, d], d as u64, Kind::Double);
        for n in neuron_counts(d) {
            let frozen_weight = gaussian(&[n, d], 100 + n as u64, Kind::Double);
            let weight_gradient = gaussian(&[n, d], 200 + n as u64, Kind::Double);
            let leaf = raw.copy().set_requires_grad(true);
            (frozen_weight.matmul(&naive(&leaf).tr()) * &weight_gradient).sum(Kind::Double).backward();
            let ours =
                rotation(&raw).rotate(&frozen_weight).unwrap().pullback.gradient(&weight_gradient).unwrap();
            assert_eq!((ours.size(), ours.is_contiguous()), (vec![d, d], true));
            if d == 1 {
                // One dimension has nothing to turn; autograd leaves rounding where we give zero.
                assert_eq!(ours.double_value(&[0, 0]), 0.0);
                continue;
            }
            let frozen = rotation(&raw).rotate(&frozen_weight).unwrap().pullback;
            let turned_back = frozen.frozen_gradient(&weight_gradient).unwrap();
            assert!(
                relative_error(&turned_back, &weight_gradient.matmul(&naive(&raw))) < 1e-12,
                "d = {d} n = {n}"
            );
            let error = relative_error(&free(&ours), &leaf.grad());
            println!("d = {d} n = {n}: relative gradient error {error:.1e}");
            assert!(error < 1e-11, "d = {d} n = {n}: {error}");
        }
    }
}

pub fn keeps_energy(rotation: fn(&Tensor) -> Box<dyn Rotation>) {
    for half_space in [false, true] {
        for power in 0..=2 {
            let config = EnergyConfig { power, half_space };
            let frozen_weight = gaussian(&[40, 27], 7, Kind::Float);
            let before = hyperspherical_energy(&frozen_weight, &config).unwrap();
            let rotated = rotation(&gaussian(&[27, 27], 8, Kind::Float)).rotate(&frozen_weight).unwrap();
            let after = hyperspherical_energy(&rotated.weight, &config).unwrap();
            println!("{config:?}: {before} -> {after}");
            assert!(((after - before) / before).abs() < 1e-5, "{config:?}: {before} -> {after}");
        }
    }
}

pub fn refuses_other_shapes(new: fn(&Tensor) -> Result<Box<dyn Rotation>, Error>) {
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
