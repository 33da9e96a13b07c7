//! Rounding must not add up: after ten thousand steps of plain SGD in float32, R is as orthogonal as it has to be.

use optlab_opt::{Cayley, Error, GramSchmidt, Householder, Lowdin, RotatedWeight, Rotation};
use tch::{Device, Kind, Tensor};

#[path = "../src/draws.rs"]
mod draws;

use draws::gaussian;

const D: i64 = 24;
const N: i64 = 16;
const STEPS: u64 = 10_000;
const LEARNING_RATE: f64 = 0.02;
const MOMENTUM: f64 = 0.9;

/// Neurons of length about one that some rotation takes to where they shall be, seen through noise that never lets
/// the steps end.
fn stays_orthogonal(rotation: Result<impl Rotation + 'static, Error>) {
    // Matrices this small gain nothing from threads, which wait for each other where the machine is busy.
    tch::set_num_threads(1);
    let frozen_weight = gaussian(&[N, D], 1, Kind::Float) / (D as f64).sqrt();
    let goal =
        GramSchmidt::new(&gaussian(&[D, D], 2, Kind::Float)).unwrap().rotate(&frozen_weight).unwrap().weight;
    let distance = |weight: &RotatedWeight| (weight.merged() - &goal).norm().double_value(&[]);

    let mut weight = RotatedWeight::new(&frozen_weight, Box::new(rotation.unwrap())).unwrap();
    let before = distance(&weight);
    let mut momentum = weight.raw().zeros_like();
    for step in 0..STEPS {
        let seen = &goal + gaussian(&[N, D], 10 + step, Kind::Float) * 0.1;
        ((weight.value() - seen).square().sum(Kind::Float) * 0.5).backward();
        momentum = momentum * MOMENTUM + weight.raw_gradient().unwrap();
        let _ = weight.raw().shallow_clone().g_sub_(&(&momentum * LEARNING_RATE));
        weight.refresh().unwrap();
    }

    let (after, error) = (distance(&weight), weight.orthogonality_error().unwrap());
    println!("distance {before:.2} -> {after:.2}, orthogonality error {error:.1e}");
    assert!(error < 1e-5, "{error}");
    assert!(after < 0.5 * before, "it did not learn: {before} -> {after}");
    assert_eq!(weight.rotation().warning().unwrap(), None);
}

fn random() -> Tensor {
    gaussian(&[D, D], 3, Kind::Float)
}

fn eye() -> Tensor {
    Tensor::eye(D, (Kind::Float, Device::Cpu))
}

#[test]
fn cayley() {
    stays_orthogonal(Cayley::new(&Tensor::zeros([D, D], (Kind::Float, Device::Cpu))));
}

#[test]
fn gram_schmidt() {
    stays_orthogonal(GramSchmidt::new(&random()));
}

#[test]
fn householder_as_published() {
    stays_orthogonal(Householder::new(&random()));
}

#[test]
fn householder_from_the_identity() {
    stays_orthogonal(Householder::rotation(&eye()));
}

#[test]
fn lowdin_exact() {
    stays_orthogonal(Lowdin::new(&random()));
}

#[test]
fn lowdin_polynomial() {
    stays_orthogonal(Lowdin::polynomial(&eye()));
}
