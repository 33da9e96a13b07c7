//! Rounding errors do not accumulate: after ten thousand steps in float32, rotations are still orthogonal.

use optlab_opt::{
    Algorithm, Cayley, Descent, DescentForm, EnergyConfig, Error, GramSchmidt, Householder, Lowdin,
    RotatedWeight, Rotation, Stochastic, hyperspherical_energy,
};
use tch::{Device, Kind, Tensor};

#[path = "../src/draws.rs"]
mod draws;

use draws::gaussian;

const D: i64 = 24;
const N: i64 = 16;
/// The last one is the first after a repair of [`Descent`].
const STEPS: u64 = 10_001;
/// Steps towards a reachable target; the earlier ones wander.
const LAST_STEPS: u64 = 2_000;
/// Gradient of half the squared distance, so that steps have the length of the rate.
const PULL: f64 = 0.1;
const LEARNING_RATE: f64 = 0.02;
const MOMENTUM: f64 = 0.9;

/// Neurons of the scale of He et al. (ICCV 2015), `[n, D]`.
fn neurons(n: i64, kind: Kind) -> Tensor {
    gaussian(&[n, D], 1, kind) * (2.0 / D as f64).sqrt()
}

/// Steps neurons towards alternating targets, which they never reach, and finally to a reachable one, and checks R on
/// the way. `start` creates the rotation of each round from the present neurons.
fn stays_orthogonal<R: Rotation + 'static>(
    frozen_weight: &Tensor,
    steps: u64,
    round_steps: u64,
    start: impl Fn(&Tensor, u64) -> Result<R, Error>,
) {
    // One thread, because matrices this small gain nothing from more.
    tch::set_num_threads(1);
    let (size, kind) = (frozen_weight.size(), frozen_weight.kind());
    let goal = GramSchmidt::new(&gaussian(&[D, D], 2, kind)).unwrap().rotate(frozen_weight).unwrap().weight;
    let targets: Vec<Tensor> = (0..16).map(|seed| gaussian(&size, 50 + seed, kind)).collect();
    let distance = |weight: &RotatedWeight| (weight.merged() - &goal).norm().double_value(&[]);
    let energy = |weight: &Tensor| {
        hyperspherical_energy(weight, &EnergyConfig { power: 2, half_space: true }).unwrap()
    };

    let mut weight = RotatedWeight::new(frozen_weight, Box::new(start(frozen_weight, 0).unwrap())).unwrap();
    let (first, drawn) = (distance(&weight), energy(frozen_weight));
    let mut momentum = weight.raw().zeros_like();
    let mut worst = 0f64;
    for step in 0..steps {
        if step > 0 && step.is_multiple_of(round_steps) {
            weight.merge(|merged| Ok(Box::new(start(merged, step / round_steps)?))).unwrap();
            momentum = weight.raw().zeros_like();
        }
        let target =
            if step + LAST_STEPS < steps { &targets[step as usize / 10 % targets.len()] } else { &goal };
        ((weight.value() - target).square().sum(kind) * (0.5 * PULL)).backward();
        let gradient = weight.raw_gradient().unwrap();
        match weight.own_step() {
            Some(rotation) => rotation.step_along(&gradient, LEARNING_RATE).unwrap(),
            None => {
                momentum = momentum * MOMENTUM + gradient;
                let _ = weight.raw().shallow_clone().g_sub_(&(&momentum * LEARNING_RATE));
            }
        }
        weight.refresh().unwrap();
        // These include the last step before a repair.
        if step % 50 == 48 || step == steps - 1 {
            worst = worst.max(weight.orthogonality_error().unwrap());
        }
    }

    let (last, change) = (distance(&weight), energy(weight.value()) / drawn - 1.0);
    println!("distance {first:.2} -> {last:.2}, energy by {change:.1e}, orthogonality error {worst:.1e}");
    assert!(last < 0.5 * first, "it did not learn: {first} -> {last}");
    assert!(change.abs() < 1e-6, "the energy changed by {change}");
    assert!(worst < 1e-5, "{worst}");
    assert_eq!(weight.rotation().warning().unwrap(), None);
}

/// One rotation for all steps.
fn one_stays_orthogonal<R: Rotation + 'static>(new: impl Fn() -> Result<R, Error>) {
    stays_orthogonal(&neurons(N, Kind::Float), STEPS, STEPS, |_, _| new());
}

fn random() -> Tensor {
    gaussian(&[D, D], 3, Kind::Float)
}

fn eye(d: i64) -> Tensor {
    Tensor::eye(d, (Kind::Float, Device::Cpu))
}

#[test]
fn gram_schmidt() {
    one_stays_orthogonal(|| GramSchmidt::new(&random()));
}

#[test]
fn householder_as_published() {
    one_stays_orthogonal(|| Householder::new(&random()));
}

#[test]
fn householder_from_the_identity() {
    one_stays_orthogonal(|| Householder::rotation(&eye(D)));
}

#[test]
fn gram_schmidt_as_on_a_gpu() {
    one_stays_orthogonal(|| Ok(GramSchmidt::new(&random())?.with_algorithm(Algorithm::Gpu)));
}

#[test]
fn householder_as_on_a_gpu() {
    one_stays_orthogonal(|| Ok(Householder::new(&random())?.with_algorithm(Algorithm::Gpu)));
}

#[test]
fn householder_from_the_identity_as_on_a_gpu() {
    one_stays_orthogonal(|| Ok(Householder::rotation(&eye(D))?.with_algorithm(Algorithm::Gpu)));
}

#[test]
fn lowdin_exact() {
    one_stays_orthogonal(|| Lowdin::new(&random()));
}

#[test]
fn lowdin_exact_as_on_a_gpu() {
    one_stays_orthogonal(|| Ok(Lowdin::new(&random())?.with_algorithm(Algorithm::Gpu)));
}

#[test]
fn lowdin_polynomial() {
    one_stays_orthogonal(|| Lowdin::polynomial(&eye(D)));
}

#[test]
fn lowdin_polynomial_as_on_a_gpu() {
    one_stays_orthogonal(|| Ok(Lowdin::polynomial(&eye(D))?.with_algorithm(Algorithm::Gpu)));
}

#[test]
fn cayley() {
    one_stays_orthogonal(|| Cayley::new(&eye(D).zeros_like()));
}

#[test]
fn cayley_as_on_a_gpu() {
    one_stays_orthogonal(|| Ok(Cayley::new(&eye(D).zeros_like())?.with_algorithm(Algorithm::Gpu)));
}

/// Fewer neurons than dimensions, and more. In float64, the remaining error is that of the form, not of rounding.
fn descent_stays_orthogonal(form: DescentForm) {
    for (kind, steps) in [(Kind::Float, STEPS), (Kind::Double, 4_001)] {
        for n in [N, 2 * N] {
            stays_orthogonal(&neurons(n, kind), steps, steps, |neurons, _| Descent::new(neurons, form));
        }
    }
}

#[test]
fn descent_omega() {
    descent_stays_orthogonal(DescentForm::Omega);
}

#[test]
fn descent_low_rank() {
    descent_stays_orthogonal(DescentForm::LowRank);
}

/// Rounds of fifty steps, each of which rotates a quarter of the dimensions by a rotation that starts at I: `start`
/// creates it from those columns, `[n, p]`.
fn rounds_stay_orthogonal<R: Rotation + 'static>(start: fn(&Tensor) -> Result<R, Error>) {
    stays_orthogonal(&neurons(N, Kind::Float), STEPS, 50, |neurons, round| {
        let order = gaussian(&[D], 20_000 + round, Kind::Float).argsort(0, false);
        let indices = order.narrow(0, 0, D / 4);
        let inner = start(&neurons.index_select(1, &indices))?;
        Stochastic::new(&Vec::try_from(indices)?, D, Box::new(inner))
    });
}

#[test]
fn rounds_of_gram_schmidt() {
    rounds_stay_orthogonal(|columns| GramSchmidt::new(&eye(columns.size()[1])));
}

#[test]
fn rounds_of_cayley() {
    rounds_stay_orthogonal(|columns| Cayley::new(&eye(columns.size()[1]).zeros_like()));
}

#[test]
fn rounds_of_gram_schmidt_as_on_a_gpu() {
    rounds_stay_orthogonal(|columns| {
        Ok(GramSchmidt::new(&eye(columns.size()[1]))?.with_algorithm(Algorithm::Gpu))
    });
}

#[test]
fn rounds_of_cayley_as_on_a_gpu() {
    rounds_stay_orthogonal(|columns| {
        Ok(Cayley::new(&eye(columns.size()[1]).zeros_like())?.with_algorithm(Algorithm::Gpu))
    });
}

#[test]
fn rounds_of_descent_omega() {
    rounds_stay_orthogonal(|columns| Descent::new(columns, DescentForm::Omega));
}

#[test]
fn rounds_of_descent_low_rank() {
    rounds_stay_orthogonal(|columns| Descent::new(columns, DescentForm::LowRank));
}
