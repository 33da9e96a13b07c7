//! A weight with the restored state of another continues as that one would.

use optlab_opt::{
    Algorithm, Cayley, Descent, DescentForm, Error, GramSchmidt, Householder, Lowdin, Relaxed, RotatedWeight,
    Rotation, State, Stochastic, Unconstrained,
};
use tch::{Device, Kind, Tensor};

const N: i64 = 7;
const D: i64 = 9;

/// A rotation of the given neurons, from its usual initial value.
type Start = fn(&Tensor) -> Result<Box<dyn Rotation>, Error>;

const STARTS: [(&str, Start); 16] = [
    ("gram_schmidt", |neurons| Ok(Box::new(GramSchmidt::new(&noise(&square(neurons), 3.0))?))),
    ("householder", |neurons| Ok(Box::new(Householder::new(&noise(&square(neurons), 3.0))?))),
    ("gram_schmidt as on a GPU", |neurons| {
        Ok(Box::new(GramSchmidt::new(&noise(&square(neurons), 3.0))?.with_algorithm(Algorithm::Gpu)))
    }),
    ("householder as on a GPU", |neurons| {
        Ok(Box::new(Householder::new(&noise(&square(neurons), 3.0))?.with_algorithm(Algorithm::Gpu)))
    }),
    ("householder from I", |neurons| Ok(Box::new(Householder::rotation(&eye(neurons))?))),
    ("householder from I as on a GPU", |neurons| {
        Ok(Box::new(Householder::rotation(&eye(neurons))?.with_algorithm(Algorithm::Gpu)))
    }),
    ("lowdin", |neurons| Ok(Box::new(Lowdin::new(&noise(&square(neurons), 3.0))?))),
    ("lowdin as on a GPU", |neurons| {
        Ok(Box::new(Lowdin::new(&noise(&square(neurons), 3.0))?.with_algorithm(Algorithm::Gpu)))
    }),
    ("lowdin polynomial", |neurons| Ok(Box::new(Lowdin::polynomial(&eye(neurons))?))),
    ("lowdin polynomial as on a GPU", |neurons| {
        Ok(Box::new(Lowdin::polynomial(&eye(neurons))?.with_algorithm(Algorithm::Gpu)))
    }),
    ("cayley", |neurons| Ok(Box::new(Cayley::new(&eye(neurons).zeros_like())?))),
    ("cayley as on a GPU", |neurons| {
        Ok(Box::new(Cayley::new(&eye(neurons).zeros_like())?.with_algorithm(Algorithm::Gpu)))
    }),
    ("descent", |neurons| Ok(Box::new(Descent::new(neurons, DescentForm::Omega)?))),
    ("descent low_rank", |neurons| Ok(Box::new(Descent::new(neurons, DescentForm::LowRank)?))),
    ("relaxed", |neurons| Ok(Box::new(Relaxed::new(&eye(neurons), 0.1)?))),
    ("unconstrained", |neurons| Ok(Box::new(Unconstrained::new(&eye(neurons))?))),
];

fn square(neurons: &Tensor) -> [i64; 2] {
    [neurons.size()[1]; 2]
}

fn eye(neurons: &Tensor) -> Tensor {
    Tensor::eye(neurons.size()[1], (Kind::Float, Device::Cpu))
}

/// Pseudorandom numbers between -1 and 1, fixed by `phase`.
fn noise(size: &[i64], phase: f64) -> Tensor {
    let entries: i64 = size.iter().product();
    let places = Tensor::arange(entries, (Kind::Float, Device::Cpu)) + phase;
    ((places.square() * 12.9898).sin() * 43.7).sin().view(size)
}

/// One step towards a target, by the rotation's own rule or by plain descent.
fn step(weight: &mut RotatedWeight, target: &Tensor) {
    (weight.value() - target).square().sum(Kind::Float).backward();
    let gradient = weight.raw_gradient().unwrap();
    match weight.own_step() {
        Some(rotation) => rotation.step_along(&gradient, 0.02).unwrap(),
        None => drop(tch::no_grad(|| weight.raw().shallow_clone().g_sub_(&(gradient * 0.05)))),
    }
    weight.refresh().unwrap();
}

/// Copies every part of one state into the other, by name.
fn hand_over(from: &mut RotatedWeight, to: &mut RotatedWeight) {
    let _guard = tch::no_grad_guard();
    for ((name, from), (same, to)) in from.state().into_iter().zip(to.state()) {
        assert_eq!(name, same);
        match (from, to) {
            (State::Tensor(from), State::Tensor(mut to)) => to.copy_(&from),
            (State::Count(from), State::Count(to)) => *to = *from,
            parts => panic!("{name}: {parts:?}"),
        }
    }
    to.refresh().unwrap();
}

/// A round of stochastic OPT that rotates the first dimensions or the last ones.
fn round(neurons: &Tensor, number: i64, start: Start) -> Result<Box<dyn Rotation>, Error> {
    let dimensions = [0, 1, 2, 3, 4].map(|dimension| dimension + 4 * (number % 2));
    let inner = start(&neurons.index_select(1, &Tensor::from_slice(&dimensions)))?;
    Ok(Box::new(Stochastic::new(&dimensions, D, inner)?))
}

#[test]
fn every_rotation_resumes_from_its_state_bit_for_bit() {
    // One thread, because threads mostly wait for each other on such small tensors.
    tch::set_num_threads(1);
    let (neurons, target) = (noise(&[N, D], 1.0), noise(&[N, D], 2.0));
    for (name, start) in STARTS {
        // Before and after the repair of descent, which occurs every 50 steps.
        for stop in [1, 30, 49, 50, 77] {
            let new = || RotatedWeight::new(&neurons, start(&neurons).unwrap()).unwrap();
            let (mut whole, mut resumed) = (new(), new());
            (0..stop).for_each(|_| step(&mut whole, &target));
            hand_over(&mut whole, &mut resumed);
            assert_eq!(resumed.value(), whole.value(), "{name} at {stop}");
            for _ in stop..130 {
                step(&mut whole, &target);
                step(&mut resumed, &target);
            }
            assert_eq!(resumed.value(), whole.value(), "{name} from {stop} on");
            assert_eq!(
                resumed.orthogonality_error().unwrap(),
                whole.orthogonality_error().unwrap(),
                "{name}"
            );
            assert_ne!(*whole.value(), *new().value(), "{name} learns");
        }
    }
}

#[test]
fn a_round_of_any_rotation_resumes() {
    // One thread, because threads mostly wait for each other on such small tensors.
    tch::set_num_threads(1);
    let (neurons, target) = (noise(&[N, D], 1.0), noise(&[N, D], 2.0));
    for (name, start) in STARTS {
        let mut whole = RotatedWeight::new(&neurons, round(&neurons, 0, start).unwrap()).unwrap();
        (0..20).for_each(|_| step(&mut whole, &target));
        whole.merge(|neurons| round(neurons, 1, start)).unwrap();
        (0..10).for_each(|_| step(&mut whole, &target));

        // Built from the neurons as drawn; the result of the first round is in the state.
        let mut resumed = RotatedWeight::new(&neurons, round(&neurons, 1, start).unwrap()).unwrap();
        hand_over(&mut whole, &mut resumed);
        for weight in [&mut whole, &mut resumed] {
            (0..60).for_each(|_| step(weight, &target));
            weight.merge(|neurons| round(neurons, 2, start)).unwrap();
            (0..5).for_each(|_| step(weight, &target));
        }
        assert_eq!(resumed.value(), whole.value(), "{name}");
        assert_eq!(resumed.orthogonality_error().unwrap(), whole.orthogonality_error().unwrap(), "{name}");
    }
}
