//! Properties of every orthogonal transform, for all sizes, neurons and parameters.

#[path = "../src/draws.rs"]
mod draws;

use optlab_opt::{
    Algorithm, Cayley, EnergyConfig, Error, GramSchmidt, Householder, Lowdin, RotatedWeight, Rotation,
    Stochastic, gram_drift, hyperspherical_energy, orthogonality_error,
};
use proptest::prelude::*;
use tch::{Kind, Tensor};

use draws::gaussian;

type New = fn(&Tensor) -> Result<Box<dyn Rotation>, Error>;

const ROTATIONS: [(&str, New); 12] = [
    ("gram_schmidt", |raw| Ok(Box::new(GramSchmidt::new(raw)?))),
    ("householder", |raw| Ok(Box::new(Householder::new(raw)?))),
    ("householder from I", |raw| Ok(Box::new(Householder::rotation(raw)?))),
    ("gram_schmidt as on a GPU", |raw| Ok(Box::new(GramSchmidt::new(raw)?.with_algorithm(Algorithm::Gpu)))),
    ("householder as on a GPU", |raw| Ok(Box::new(Householder::new(raw)?.with_algorithm(Algorithm::Gpu)))),
    ("householder from I as on a GPU", |raw| {
        Ok(Box::new(Householder::rotation(raw)?.with_algorithm(Algorithm::Gpu)))
    }),
    ("lowdin", |raw| Ok(Box::new(Lowdin::new(raw)?))),
    ("lowdin, polynomial", |raw| Ok(Box::new(Lowdin::polynomial(raw)?))),
    ("lowdin as on a GPU", |raw| Ok(Box::new(Lowdin::new(raw)?.with_algorithm(Algorithm::Gpu)))),
    ("lowdin, polynomial as on a GPU", |raw| {
        Ok(Box::new(Lowdin::polynomial(raw)?.with_algorithm(Algorithm::Gpu)))
    }),
    ("cayley", |raw| Ok(Box::new(Cayley::new(raw)?))),
    ("cayley as on a GPU", |raw| Ok(Box::new(Cayley::new(raw)?.with_algorithm(Algorithm::Gpu)))),
];

/// A layer of `neurons` in `dimensions`, and the seed of its numbers.
#[derive(Debug, Clone)]
struct Case {
    dimensions: i64,
    neurons: i64,
    seed: u64,
}

fn case() -> impl Strategy<Value = Case> {
    (1..80i64, 1..100i64, 0..1_000_000u64).prop_map(|(dimensions, neurons, seed)| Case {
        dimensions,
        neurons,
        seed,
    })
}

impl Case {
    fn frozen_weight(&self, kind: Kind) -> Tensor {
        gaussian(&[self.neurons, self.dimensions], self.seed, kind)
    }

    fn rotation(&self, new: New, kind: Kind) -> Box<dyn Rotation> {
        new(&gaussian(&[self.dimensions, self.dimensions], self.seed + 1, kind)).unwrap()
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, ..ProptestConfig::default() })]

    #[test]
    fn r_is_orthogonal(case in case()) {
        for (name, new) in ROTATIONS {
            for (kind, bound) in [(Kind::Float, 5e-6), (Kind::Double, 1e-13)] {
                let error = orthogonality_error(&case.rotation(new, kind).matrix().unwrap().unwrap()).unwrap();
                prop_assert!(error < bound, "{name} {kind:?}: {error:e}");
            }
        }
    }

    #[test]
    fn rotation_keeps_lengths_angles_and_energy(case in case()) {
        let frozen_weight = case.frozen_weight(Kind::Double);
        for (name, new) in ROTATIONS {
            let weight = case.rotation(new, Kind::Double).rotate(&frozen_weight).unwrap().weight;
            let drift = gram_drift(&weight, &frozen_weight).unwrap();
            prop_assert!(drift < 1e-12, "{name}: {drift:e}");
            // In one dimension all neurons coincide with each other or with each other's mirrors.
            if case.neurons > 1 && case.dimensions > 1 {
                let energy = |weight: &Tensor| {
                    hyperspherical_energy(weight, &EnergyConfig::default()).unwrap()
                };
                let (before, after) = (energy(&frozen_weight), energy(&weight));
                prop_assert!((after / before - 1.0).abs() < 1e-6, "{name}: {before} -> {after}");
            }
        }
    }

    #[test]
    fn gradients_have_the_right_shapes_and_no_component_along_the_scale(case in case()) {
        let frozen_weight = case.frozen_weight(Kind::Double);
        let gradient = gaussian(&frozen_weight.size(), case.seed + 2, Kind::Double);
        for (name, new) in ROTATIONS {
            let rotation = case.rotation(new, Kind::Double);
            let pullback = rotation.rotate(&frozen_weight).unwrap().pullback;
            let raw_gradient = pullback.gradient(&gradient).unwrap();
            prop_assert_eq!(raw_gradient.size(), rotation.raw().size());
            prop_assert_eq!(pullback.frozen_gradient(&gradient).unwrap().size(), frozen_weight.size());
            // The scale of a raw parameter does not change R; only Cayley's does.
            if !name.starts_with("cayley") {
                let along = (&raw_gradient * rotation.raw()).sum(Kind::Double).double_value(&[]).abs();
                let lengths = (raw_gradient.norm() * rotation.raw().norm()).double_value(&[]);
                prop_assert!(along <= 1e-10 * lengths + 1e-12, "{name}: {along:e} of {lengths:e}");
            }
        }
    }

    #[test]
    fn a_round_of_any_dimensions_keeps_the_gram_matrix(case in case(), share in 0.0..1.0f64) {
        let frozen_weight = case.frozen_weight(Kind::Double);
        let p = ((share * case.dimensions as f64) as i64).max(1);
        let order = gaussian(&[case.dimensions], case.seed + 3, Kind::Double).argsort(0, false);
        let indices = Vec::try_from(order.narrow(0, 0, p)).unwrap();
        for (name, new) in ROTATIONS {
            let inner = new(&gaussian(&[p, p], case.seed + 1, Kind::Double)).unwrap();
            let round = Stochastic::new(&indices, case.dimensions, inner).unwrap();
            let weight = RotatedWeight::new(&frozen_weight, Box::new(round)).unwrap();
            let drift = weight.orthogonality_error().unwrap();
            prop_assert!(drift < 1e-12, "{name}: {drift:e}");
        }
    }
}
