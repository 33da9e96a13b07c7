//! Stochastic OPT (S-OPT): every round draws a few dimensions and rotates only those.
//!
//! Source: Liu et al., CVPR 2021 (<https://arxiv.org/abs/2004.04690>). With I the p dimensions of the round and R_p
//! orthogonal, `[p, p]`,
//!
//! ```text
//! W[I, :] = R_p V[I, :],   the other rows of W are those of V
//! ```
//!
//! The whole map is an orthogonal map of R^d, so angles and energy stay constant. Published: p = d / 4, and every round
//! starts at R_p = I, with newly drawn dimensions, from the V of the last round: `RotatedWeight::merge`. The draw is
//! the caller's.

use tch::Tensor;

use super::{OwnStep, Pullback, Rotated, Rotation, State, Warning};
use crate::{Error, host};

/// Any rotation of p dimensions as a rotation of d dimensions that leaves the others unchanged: one round of S-OPT.
#[derive(Debug)]
pub struct Stochastic {
    /// I, `[p]` of int64.
    indices: Tensor,
    dimension: i64,
    inner: Box<dyn Rotation>,
}

impl Stochastic {
    /// Rotates the dimensions `indices`, distinct and from 0..`dimension`, by a rotation of as many dimensions, p. A
    /// [`Descent`](super::descent::Descent) is to be built from those columns of V^T, `[n, p]`.
    ///
    /// # Errors
    /// [`Error::Indices`].
    pub fn new(indices: &[i64], dimension: i64, inner: Box<dyn Rotation>) -> Result<Self, Error> {
        let mut sorted = indices.to_vec();
        sorted.sort_unstable();
        let inside = matches!((sorted.first(), sorted.last()), (Some(0..), Some(last)) if *last < dimension);
        if !inside || sorted.windows(2).any(|pair| pair[0] == pair[1]) {
            return Err(Error::Indices { dimension });
        }
        Ok(Self { indices: host::send(indices, inner.raw().device())?, dimension, inner })
    }
}

impl Rotation for Stochastic {
    /// The raw parameter of the inner rotation.
    fn raw(&self) -> &Tensor {
        self.inner.raw()
    }

    fn rotate(&self, frozen_weight: &Tensor) -> Result<Rotated, Error> {
        let size = frozen_weight.size();
        if size.len() != 2 || size[1] != self.dimension {
            return Err(Error::FrozenWeightShape { dimension: self.dimension, size });
        }
        let _guard = tch::no_grad_guard();
        let turned = self.inner.rotate(&frozen_weight.f_index_select(1, &self.indices)?)?;
        let weight = frozen_weight.f_index_copy(1, &self.indices, &turned.weight)?;
        let pullback = Columns { indices: self.indices.shallow_clone(), inner: turned.pullback };
        Ok(Rotated { weight, pullback: Box::new(pullback) })
    }

    /// `None`, because R over all rounds is never formed, and R_p of this round does not describe the others.
    fn matrix(&self) -> Result<Option<Tensor>, Error> {
        Ok(None)
    }

    fn own_step(&mut self) -> Option<&mut dyn OwnStep> {
        self.inner.own_step()
    }

    /// The state of the inner rotation. The caller draws the dimensions again.
    fn memory(&mut self) -> Vec<(&'static str, State<'_>)> {
        self.inner.memory()
    }

    fn settle(&mut self) -> Result<(), Error> {
        self.inner.settle()
    }

    fn warning(&self) -> Result<Option<Warning>, Error> {
        self.inner.warning()
    }
}

/// The rotated columns of W^T.
#[derive(Debug)]
struct Columns {
    indices: Tensor,
    inner: Box<dyn Pullback>,
}

impl Pullback for Columns {
    fn gradient(&self, weight_gradient: &Tensor) -> Result<Tensor, Error> {
        self.inner.gradient(&weight_gradient.f_index_select(1, &self.indices)?)
    }

    fn frozen_gradient(&self, weight_gradient: &Tensor) -> Result<Tensor, Error> {
        let turned_back = self.inner.frozen_gradient(&weight_gradient.f_index_select(1, &self.indices)?)?;
        Ok(weight_gradient.f_index_copy(1, &self.indices, &turned_back)?)
    }
}

#[cfg(test)]
mod tests {
    use tch::Kind;

    use super::*;
    use crate::draws::gaussian;
    use crate::{
        Cayley, Descent, DescentForm, EnergyConfig, GramSchmidt, RotatedWeight, hyperspherical_energy,
    };

    const N: i64 = 10;
    const D: i64 = 12;

    /// A rotation of the given columns that starts at I.
    type Start = fn(&Tensor) -> Box<dyn Rotation>;

    const STARTS: [Start; 4] = [
        |columns| Box::new(Cayley::new(&square(columns).zeros_like()).unwrap()),
        |columns| Box::new(GramSchmidt::new(&square(columns)).unwrap()),
        |columns| Box::new(Descent::new(columns, DescentForm::Omega).unwrap()),
        |columns| Box::new(Descent::new(columns, DescentForm::LowRank).unwrap()),
    ];

    fn square(columns: &Tensor) -> Tensor {
        Tensor::eye(columns.size()[1], (columns.kind(), columns.device()))
    }

    fn neurons(kind: Kind) -> Tensor {
        gaussian(&[N, D], 1, kind) * (2.0 / D as f64).sqrt()
    }

    /// p of D dimensions in random order, fixed for a round.
    fn draw(p: i64, round: u64) -> Vec<i64> {
        let order = gaussian(&[D], 100 + round, Kind::Float).argsort(0, false);
        order.narrow(0, 0, p).try_into().unwrap()
    }

    fn columns(rows: &Tensor, indices: &[i64]) -> Tensor {
        rows.index_select(1, &Tensor::from_slice(indices))
    }

    fn round(frozen_weight: &Tensor, indices: &[i64], start: Start) -> Box<dyn Rotation> {
        let inner = start(&columns(frozen_weight, indices));
        Box::new(Stochastic::new(indices, D, inner).unwrap())
    }

    /// One step towards a target by the rotation's own rule or, if it has none, by plain descent.
    fn step(weight: &mut RotatedWeight, target: &Tensor) {
        (weight.value() - target).square().sum(target.kind()).backward();
        let gradient = weight.raw_gradient().unwrap();
        match weight.own_step() {
            Some(rotation) => rotation.step_along(&gradient, 0.02).unwrap(),
            None => drop(weight.raw().shallow_clone().g_sub_(&(gradient * 0.02))),
        }
        weight.refresh().unwrap();
    }

    #[test]
    fn rounds_keep_the_gram_matrix_and_the_energy_and_learn() {
        let config = EnergyConfig::default();
        for start in STARTS {
            let frozen_weight = neurons(Kind::Double);
            let target = Cayley::new(&(gaussian(&[D, D], 2, Kind::Double) * 0.1))
                .unwrap()
                .rotate(&frozen_weight)
                .unwrap()
                .weight;
            let distance = |weight: &RotatedWeight| (weight.merged() - &target).norm().double_value(&[]);
            let rotation = round(&frozen_weight, &draw(4, 0), start);
            let mut weight = RotatedWeight::new(&frozen_weight, rotation).unwrap();
            let first = distance(&weight);
            for number in 1..25 {
                for _ in 0..50 {
                    step(&mut weight, &target);
                }
                let before = weight.merged();
                weight.merge(|merged| Ok(round(merged, &draw(4, number), start))).unwrap();
                assert!(weight.value().allclose(&before, 1e-11, 1e-13, false));
                assert!(weight.frozen_weight().allclose(&before, 1e-11, 1e-13, false));
            }
            assert!(distance(&weight) < 0.5 * first, "{first} -> {}", distance(&weight));
            let error = weight.orthogonality_error().unwrap();
            println!("drift {error:.1e}");
            assert!(error < 1e-12, "{error}");
            let energy = |weight: &Tensor| hyperspherical_energy(weight, &config).unwrap();
            let (before, after) = (energy(&frozen_weight), energy(weight.value()));
            assert!(((after - before) / before).abs() < 1e-12, "{before} -> {after}");
        }
    }

    #[test]
    fn a_merge_repairs_the_drift_of_a_short_round() {
        // One thread, because threads mostly wait for each other on such small tensors.
        tch::set_num_threads(1);
        let frozen_weight = neurons(Kind::Float);
        let descent = |merged: &Tensor, number| -> Result<Box<dyn Rotation>, Error> {
            let indices = draw(8, number);
            let inner = Descent::new(&columns(merged, &indices), DescentForm::Omega)?;
            Ok(Box::new(Stochastic::new(&indices, D, Box::new(inner))?))
        };
        let mut weight = RotatedWeight::new(&frozen_weight, descent(&frozen_weight, 0).unwrap()).unwrap();
        for number in 0..100 {
            for seed in 0..10 {
                // Steps of the maximum length.
                let target = gaussian(&[N, D], seed, Kind::Float) * 1e3;
                let gradient = columns(&(weight.merged() - target), &draw(8, number));
                weight.own_step().unwrap().step_along(&gradient, 1.0).unwrap();
                weight.refresh().unwrap();
            }
            weight.merge(|merged| descent(merged, number + 1)).unwrap();
        }
        let error = weight.orthogonality_error().unwrap();
        println!("drift {error:.1e}");
        assert!(error < 1e-5, "{error}");
    }

    #[test]
    fn leaves_the_other_dimensions_unchanged() {
        let frozen_weight = neurons(Kind::Float);
        let inner = Box::new(Cayley::new(&gaussian(&[3, 3], 2, Kind::Float)).unwrap());
        let indices = [7, 2, 4];
        let weight = Stochastic::new(&indices, D, inner).unwrap().rotate(&frozen_weight).unwrap().weight;
        for column in 0..D {
            let same = weight.select(1, column) == frozen_weight.select(1, column);
            assert_eq!(same, !indices.contains(&column), "column {column}");
        }
    }

    #[test]
    fn gradients_agree_with_autograd() {
        let indices = draw(5, 0);
        let raw = gaussian(&[5, 5], 2, Kind::Double).triu(1);
        let target = gaussian(&[N, D], 3, Kind::Double);
        let (free, frozen_weight) =
            (raw.copy().set_requires_grad(true), neurons(Kind::Double).set_requires_grad(true));
        let skew = &free - free.tr();
        let eye = Tensor::eye(5, (Kind::Double, tch::Device::Cpu));
        let r = (&eye + &skew).matmul(&(&eye - &skew).inverse());
        let turned = columns(&frozen_weight, &indices).matmul(&r.tr());
        let naive = frozen_weight.index_copy(1, &Tensor::from_slice(&indices), &turned);
        (naive * &target).sum(Kind::Double).backward();

        let inner = Box::new(Cayley::new(&raw).unwrap());
        let rotated = Stochastic::new(&indices, D, inner).unwrap().rotate(&frozen_weight.detach()).unwrap();
        let gradient = rotated.pullback.gradient(&target).unwrap();
        assert!(gradient.triu(1).allclose(&free.grad().triu(1), 1e-11, 1e-12, false));
        let gradient = rotated.pullback.frozen_gradient(&target).unwrap();
        assert!(gradient.allclose(&frozen_weight.grad(), 1e-11, 1e-12, false));
    }

    #[test]
    fn all_dimensions_in_order_are_the_full_rotation() {
        let frozen_weight = neurons(Kind::Float);
        let cayley = || Cayley::new(&gaussian(&[D, D], 2, Kind::Float)).unwrap();
        let all: Vec<i64> = (0..D).collect();
        let whole = Stochastic::new(&all, D, Box::new(cayley())).unwrap();
        let (ours, expected) =
            (whole.rotate(&frozen_weight).unwrap(), cayley().rotate(&frozen_weight).unwrap());
        assert_eq!(ours.weight, expected.weight);
        let gradient = gaussian(&[N, D], 3, Kind::Float);
        assert_eq!(
            ours.pullback.gradient(&gradient).unwrap(),
            expected.pullback.gradient(&gradient).unwrap()
        );
    }

    #[test]
    fn warns_with_its_inner_rotation() {
        let warning = |scale: f64| {
            let inner = Box::new(Cayley::new(&(gaussian(&[3, 3], 2, Kind::Float) * scale)).unwrap());
            Stochastic::new(&draw(3, 0), D, inner).unwrap().warning().unwrap()
        };
        assert!(warning(1.0).is_none() && warning(1e4).is_some());
    }

    #[test]
    fn rejects_invalid_indices() {
        let new = |indices: &[i64]| {
            Stochastic::new(
                indices,
                3,
                Box::new(Cayley::new(&square(&gaussian(&[1, 2], 1, Kind::Float))).unwrap()),
            )
        };
        assert!(new(&[2, 0]).is_ok());
        for bad in [&[0i64, 0][..], &[0, 3], &[-1, 0], &[]] {
            let message = new(bad).unwrap_err().to_string();
            assert_eq!(message, "the dimensions to rotate must be distinct indices in 0..3, at least one");
        }
    }

    #[test]
    fn rejects_neurons_of_another_dimension() {
        let inner = || Box::new(Cayley::new(&Tensor::zeros([3, 3], tch::kind::FLOAT_CPU)).unwrap());
        let indices = [0, 1, 2];
        let three = Stochastic::new(&indices, 4, inner()).unwrap();
        for bad in [&[2, 3][..], &[4], &[2, 4, 1]] {
            let message = three.rotate(&Tensor::zeros(bad, tch::kind::FLOAT_CPU)).unwrap_err().to_string();
            assert!(message.ends_with(&format!("must be [n, 4], got {bad:?}")), "{message}");
        }
        // And an inner rotation of another number of dimensions than indices.
        let two = Stochastic::new(&indices[..2], 4, inner()).unwrap();
        let message = two.rotate(&Tensor::zeros([2, 4], tch::kind::FLOAT_CPU)).unwrap_err().to_string();
        assert!(message.ends_with("must be [n, 3], got [2, 2]"), "{message}");
    }
}
