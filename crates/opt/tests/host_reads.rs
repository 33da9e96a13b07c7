//! The reads by the host in a training step, each of which makes a GPU wait.

use optlab_opt::{
    Algorithm, Cayley, Descent, DescentForm, EnergyConfig, Error, GramSchmidt, Householder, Lowdin, Relaxed,
    RotatedWeight, Rotation, Stochastic, Unconstrained, energy_penalty, frobenius_penalty, host,
    srip_penalty,
};
use tch::{Device, Kind, Tensor};

#[path = "../src/draws.rs"]
mod draws;

use draws::gaussian;

const N: i64 = 7;
const D: i64 = 12;
/// Includes the repair of [`Descent`], which occurs every 50 steps.
const STEPS: usize = 60;
const RATE: f64 = 0.01;

/// A rotation of the given neurons, with the algorithm.
type Start = fn(&Tensor, Algorithm) -> Result<Box<dyn Rotation>, Error>;

/// Every rotation with the reads of a step, by the algorithm for a CPU and that for a GPU.
const STARTS: [(&str, [u64; 2], Start); 11] = [
    ("gram_schmidt", [0, 0], |_, algorithm| {
        Ok(Box::new(GramSchmidt::new(&random())?.with_algorithm(algorithm)))
    }),
    ("householder", [0, 0], |_, algorithm| {
        Ok(Box::new(Householder::new(&random())?.with_algorithm(algorithm)))
    }),
    ("householder from I", [0, 0], |_, algorithm| {
        Ok(Box::new(Householder::rotation(&eye())?.with_algorithm(algorithm)))
    }),
    // LAPACK's singular vectors are sometimes not finite although it reports no failure.
    ("lowdin", [2, 0], |_, algorithm| Ok(Box::new(Lowdin::new(&random())?.with_algorithm(algorithm)))),
    // Which power is negligible, and whether one is: without one, P is reset, which only the host can start.
    ("lowdin, polynomial", [1, 1], |_, algorithm| {
        Ok(Box::new(Lowdin::polynomial(&eye())?.with_algorithm(algorithm)))
    }),
    ("cayley", [0, 0], |_, algorithm| Ok(Box::new(Cayley::new(&random())?.with_algorithm(algorithm)))),
    ("descent", [0, 0], |neurons, _| Ok(Box::new(Descent::new(neurons, DescentForm::Omega)?))),
    ("descent, low rank", [0, 0], |neurons, _| Ok(Box::new(Descent::new(neurons, DescentForm::LowRank)?))),
    ("relaxed", [0, 0], |_, _| Ok(Box::new(Relaxed::new(&eye(), 0.1)?))),
    ("unconstrained", [0, 0], |_, _| Ok(Box::new(Unconstrained::new(&eye())?))),
    ("stochastic", [0, 0], |_, algorithm| {
        let inner = Cayley::new(&Tensor::zeros([3, 3], (Kind::Float, Device::Cpu)))?;
        Ok(Box::new(Stochastic::new(&[7, 2, 4], D, Box::new(inner.with_algorithm(algorithm)))?))
    }),
];

fn start_of(wanted: &str) -> Start {
    let (_, _, start) = STARTS.iter().find(|(name, ..)| *name == wanted).unwrap();
    *start
}

fn random() -> Tensor {
    gaussian(&[D, D], 3, Kind::Float)
}

fn eye() -> Tensor {
    Tensor::eye(D, (Kind::Float, Device::Cpu))
}

/// The reads of `count` calls.
fn reads_of(mut step: impl FnMut(), count: usize) -> Vec<u64> {
    let mut one = || {
        let before = host::reads();
        step();
        host::reads() - before
    };
    (0..count).map(|_| one()).collect()
}

/// One step towards a target.
fn step(weight: &mut RotatedWeight, target: &Tensor, rate: f64) {
    (weight.value() - target).square().sum(Kind::Float).backward();
    let gradient = weight.raw_gradient().unwrap();
    match weight.own_step() {
        Some(rotation) => rotation.step_along(&gradient, rate).unwrap(),
        None => drop(tch::no_grad(|| weight.raw().shallow_clone().g_sub_(&(gradient * rate)))),
    }
    weight.refresh().unwrap();
}

fn weight(start: Start, algorithm: Algorithm) -> RotatedWeight {
    // One thread, because threads mostly wait for each other on such small tensors.
    tch::set_num_threads(1);
    let neurons = gaussian(&[N, D], 1, Kind::Float);
    RotatedWeight::new(&neurons, start(&neurons, algorithm).unwrap()).unwrap()
}

fn target() -> Tensor {
    gaussian(&[N, D], 2, Kind::Float)
}

#[test]
fn a_step_of_a_rotation_reads_nothing_but_what_is_listed() {
    for (name, expected, start) in STARTS {
        for (algorithm, expected) in [Algorithm::Cpu, Algorithm::Gpu].into_iter().zip(expected) {
            let mut weight = weight(start, algorithm);
            // The polynomial stays in its range at a low rate.
            let rate = if name == "lowdin, polynomial" { 1e-9 } else { RATE };
            let reads = reads_of(|| step(&mut weight, &target(), rate), STEPS);
            assert_eq!(reads, [expected; STEPS], "{name} {algorithm:?}");
        }
    }
}

#[test]
fn a_new_round_reads_nothing() {
    let start = start_of("stochastic");
    let mut weight = weight(start, Algorithm::Gpu);
    let reads = reads_of(|| weight.merge(|neurons| start(neurons, Algorithm::Gpu)).unwrap(), 3);
    assert_eq!(reads, [0; 3]);
}

#[test]
fn gradients_of_learned_neurons_read_nothing() {
    for (name, _, start) in STARTS {
        if name.starts_with("descent") {
            continue;
        }
        for algorithm in [Algorithm::Cpu, Algorithm::Gpu] {
            let weight = weight(start, algorithm);
            weight.value().sum(Kind::Float).backward();
            assert_eq!(reads_of(|| drop(weight.frozen_gradient().unwrap()), 1), [0], "{name} {algorithm:?}");
        }
    }
}

#[test]
fn penalties_read_only_which_neurons_are_close() {
    let weight = gaussian(&[N, D], 1, Kind::Float);
    let start = gaussian(&[N], 2, Kind::Float);
    assert_eq!(reads_of(|| drop(frobenius_penalty(&weight).unwrap()), 1), [0]);
    assert_eq!(reads_of(|| drop(srip_penalty(&weight, &start).unwrap()), 1), [0]);
    // On a CPU; not on a GPU, see the tests of the penalty.
    for (half_space, expected) in [(false, 1), (true, 2)] {
        let config = EnergyConfig { half_space, ..EnergyConfig::default() };
        assert_eq!(reads_of(|| drop(energy_penalty(&weight, &config).unwrap()), 1), [expected]);
    }
}

/// At rates at which P moves away from an orthogonal matrix, and leaves the range of the polynomial.
#[test]
fn fewer_reads_of_the_polynomial_change_no_bit() {
    let start = start_of("lowdin, polynomial");
    let mut resets = 0;
    for rate in [1e-4, 1e-3, 1e-2] {
        let [(of_cpu, expected), (of_gpu, weight)] = [Algorithm::Cpu, Algorithm::Gpu].map(|algorithm| {
            let mut weight = weight(start, algorithm);
            let reads = reads_of(|| step(&mut weight, &target(), rate), 200);
            (reads, weight.merged())
        });
        assert_eq!(weight, expected, "rate {rate}");
        println!("rate {rate}: {of_cpu:?}, as on a GPU {of_gpu:?}");
        assert!(of_gpu.iter().zip(&of_cpu).all(|(gpu, cpu)| gpu <= cpu), "rate {rate}");
        let single = of_gpu.iter().filter(|reads| **reads == 1).count();
        assert!(single > 170, "rate {rate}: {single} of 200");
        // A step of a CPU without a reset reads at most the four powers.
        resets += of_cpu.iter().filter(|reads| **reads > 4).count();
    }
    println!("{resets} resets");
    assert!(resets > 2, "{resets} resets");
}
