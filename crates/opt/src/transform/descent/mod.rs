//! Descent along the manifold, OPT (OGD): R itself is learned, and every step multiplies it by an orthogonal matrix.
//!
//! Source: Liu et al., CVPR 2021 (<https://arxiv.org/abs/2004.04690>), section "Orthogonality-Preserving Gradient
//! Descent", after Li, Li and Todorovic, "Efficient Riemannian Optimization on the Stiefel Manifold via the Cayley
//! Transform", ICLR 2020 (<https://arxiv.org/abs/2002.01113>). With M the momentum of dL/dR, a step is
//!
//! ```text
//! Omega = (M R^T - R M^T) / 2,   a = min(rate, 1 / ||Omega||_F),   R <- (I - a/2 Omega)^-1 (I + a/2 Omega) R
//! ```
//!
//! R need never be stored: it acts from the left, so the same factor steps W = R V, and dL/dR R^T = G W^T for
//! G = dL/dW. The raw parameter is therefore W^T, `[n, d]`, which starts at V^T. [`DescentForm`] names two ways to
//! take the step; both carry Omega on as their momentum.

mod low_rank;
mod omega;
mod published;
mod repair;

use tch::Tensor;

use self::repair::Repair;
use super::{OwnStep, Pullback, Rotated, Rotation, State, canonical};
use crate::Error;

/// Number of steps between two repairs ([`Repair`]).
const REPAIR_INTERVAL: u64 = 50;

/// The form of a step of [`Descent`]. d is the dimension of the neurons, n their number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DescentForm {
    /// Closest to the published code: Omega itself is the momentum, `[d, d]`, and the Cayley transform is
    /// approximated by two passes of its fixed point. A step costs four products of n d^2 terms.
    Omega,
    /// The same momentum as two factors, `[n, d]` each, and the exact Cayley transform. A step costs products of 8 n^2
    /// d terms and the solution of 2n equations, which is faster if n < d/2.
    LowRank,
}

/// W = R V, which orthogonal factors step in place without forming R. It starts at R = I.
#[derive(Debug)]
pub struct Descent {
    form: DescentForm,
    /// W^T, `[n, d]`.
    weight: Tensor,
    /// Omega, `[d, d]`, or the factor m^T of it that is not W^T, `[n, d]`.
    momentum: Tensor,
    /// Number of completed steps, which determines the next repair.
    steps: u64,
    repair: Repair,
}

impl Descent {
    /// Starts at W = V with momentum 0. `frozen_weight` is V^T, `[n, d]`, the only weight that this can rotate.
    ///
    /// # Errors
    /// [`Error::NeuronsShape`] unless `frozen_weight` is a non-empty matrix.
    pub fn new(frozen_weight: &Tensor, form: DescentForm) -> Result<Self, Error> {
        let (n, d) = match frozen_weight.size()[..] {
            [n, d] if n > 0 && d > 0 => (n, d),
            _ => return Err(Error::NeuronsShape { size: frozen_weight.size() }),
        };
        let weight = canonical(frozen_weight)?;
        let size = match form {
            DescentForm::Omega => [d, d],
            DescentForm::LowRank => [n, d],
        };
        let momentum = Tensor::f_zeros(size, (weight.kind(), weight.device()))?;
        let repair = Repair::new(&weight)?;
        Ok(Self { form, weight, momentum, steps: 0, repair })
    }
}

impl Rotation for Descent {
    /// W^T, `[n, d]`. Only [`step_along`](OwnStep::step_along) may step it; a step entry by entry leaves the manifold.
    fn raw(&self) -> &Tensor {
        &self.weight
    }

    /// The present W. `frozen_weight` must be the one from which this was built; only its size can be checked.
    fn rotate(&self, frozen_weight: &Tensor) -> Result<Rotated, Error> {
        let (expected, size) = (self.weight.size(), frozen_weight.size());
        if size != expected {
            return Err(Error::OtherNeurons { expected, size });
        }
        // A copy, because the next step changes W in place, and a returned tensor must not change.
        Ok(Rotated { weight: canonical(&self.weight)?, pullback: Box::new(Identity) })
    }

    fn matrix(&self) -> Result<Option<Tensor>, Error> {
        Ok(None)
    }

    fn own_step(&mut self) -> Option<&mut dyn OwnStep> {
        Some(self)
    }

    /// The triangle of the repair belongs to the neurons at the start of a round of stochastic OPT, which a program
    /// that resumes within a round may no longer have when it builds this.
    fn memory(&mut self) -> Vec<(&'static str, State<'_>)> {
        vec![
            ("momentum", State::Tensor(self.momentum.shallow_clone())),
            ("triangle", State::Tensor(self.repair.triangle().shallow_clone())),
            ("steps", State::Count(&mut self.steps)),
        ]
    }

    fn settle(&mut self) -> Result<(), Error> {
        self.repair.apply(&mut self.weight)
    }
}

impl OwnStep for Descent {
    fn step_along(&mut self, raw_gradient: &Tensor, rate: f64) -> Result<(), Error> {
        let _guard = tch::no_grad_guard();
        match self.form {
            DescentForm::Omega => omega::step(&mut self.weight, &mut self.momentum, raw_gradient, rate)?,
            DescentForm::LowRank => low_rank::step(&mut self.weight, &mut self.momentum, raw_gradient, rate)?,
        }
        self.steps += 1;
        if self.steps.is_multiple_of(REPAIR_INTERVAL) {
            self.repair.apply(&mut self.weight)?;
        }
        Ok(())
    }
}

/// The raw parameter is the weight, so they have the same gradient.
#[derive(Debug)]
struct Identity;

impl Pullback for Identity {
    fn gradient(&self, weight_gradient: &Tensor) -> Result<Tensor, Error> {
        canonical(weight_gradient)
    }

    fn frozen_gradient(&self, _weight_gradient: &Tensor) -> Result<Tensor, Error> {
        Err(Error::NoRotation { method: "descent", operation: "the gradient of its neurons" })
    }
}

#[cfg(test)]
mod tests {
    use tch::Kind;

    use super::*;
    use crate::draws::gaussian;
    use crate::{Cayley, RotatedWeight, gram_drift};

    const FORMS: [DescentForm; 2] = [DescentForm::Omega, DescentForm::LowRank];
    const RATE: f64 = 0.02;

    /// Neurons of the scale of He et al. (ICCV 2015).
    fn neurons(n: i64, d: i64, kind: Kind) -> Tensor {
        gaussian(&[n, d], (n * d) as u64, kind) * (2.0 / d as f64).sqrt()
    }

    fn descent(frozen_weight: &Tensor, form: DescentForm) -> Descent {
        Descent::new(frozen_weight, form).unwrap()
    }

    fn step(descent: &mut Descent, gradient: &Tensor) {
        descent.step_along(gradient, RATE).unwrap();
    }

    /// Steps towards alternating targets, which are never reached; returns the largest drift. With `pull` 0.1, steps
    /// have the length of the rate, with 100 that of the cap.
    fn wander(descent: &mut Descent, frozen_weight: &Tensor, pull: f64, steps: usize) -> f64 {
        // One thread, because threads mostly wait for each other on such small tensors.
        tch::set_num_threads(1);
        let targets: Vec<Tensor> =
            (0..16).map(|seed| gaussian(&frozen_weight.size(), 50 + seed, frozen_weight.kind())).collect();
        let mut worst = 0f64;
        for i in 0..steps {
            let gradient = (descent.raw() - &targets[i / 10 % targets.len()]) * pull;
            step(descent, &gradient);
            // These include the last step before a repair.
            if i % 50 == 48 {
                worst = worst.max(gram_drift(descent.raw(), frozen_weight).unwrap());
            }
        }
        worst
    }

    #[test]
    fn the_repair_removes_the_drift_of_steps_at_the_cap() {
        for form in FORMS {
            let frozen_weight = neurons(16, 24, Kind::Float);
            let mut descent = descent(&frozen_weight, form);
            let before = wander(&mut descent, &frozen_weight, 100.0, 200);
            println!("{form:?}: {before:.1e} at worst");
            assert!(before < 1e-2, "{form:?}: {before}");
            let after = gram_drift(descent.raw(), &frozen_weight).unwrap();
            assert!(after < 1e-6, "{form:?}: {after}");
        }
    }

    #[test]
    fn finds_an_existing_rotation() {
        let frozen_weight = neurons(8, 12, Kind::Float);
        let raw = gaussian(&[12, 12], 1, Kind::Float) * 0.1;
        let target = Cayley::new(&raw).unwrap().rotate(&frozen_weight).unwrap().weight;
        for form in FORMS {
            let mut weight =
                RotatedWeight::new(&frozen_weight, Box::new(descent(&frozen_weight, form))).unwrap();
            let mut losses = Vec::new();
            for _ in 0..500 {
                let loss = (weight.value() - &target).square().sum(Kind::Float);
                loss.backward();
                let gradient = weight.raw_gradient().unwrap();
                weight.own_step().unwrap().step_along(&gradient, RATE).unwrap();
                weight.refresh().unwrap();
                losses.push(loss.double_value(&[]));
            }
            assert!(losses[499] < 1e-4 * losses[0], "{form:?}: {} -> {}", losses[0], losses[499]);
            assert!(weight.orthogonality_error().unwrap() < 1e-5);
        }
    }

    #[test]
    fn returned_tensors_do_not_change() {
        let frozen_weight = neurons(2, 3, Kind::Float);
        let mut weight =
            RotatedWeight::new(&frozen_weight, Box::new(descent(&frozen_weight, FORMS[0]))).unwrap();
        let merged = weight.merged();
        weight.own_step().unwrap().step_along(&gaussian(&[2, 3], 1, Kind::Float), RATE).unwrap();
        weight.refresh().unwrap();
        assert_eq!(merged, frozen_weight);
        assert_ne!(weight.merged(), frozen_weight);
    }

    #[test]
    fn a_zero_gradient_changes_nothing() {
        for form in FORMS {
            let frozen_weight = neurons(5, 7, Kind::Float);
            let mut descent = descent(&frozen_weight, form);
            for _ in 1..REPAIR_INTERVAL {
                step(&mut descent, &frozen_weight.zeros_like());
            }
            assert_eq!(*descent.raw(), frozen_weight);
            step(&mut descent, &frozen_weight.zeros_like());
            assert!(descent.raw().allclose(&frozen_weight, 1e-7, 1e-7, false), "the repair rounds once");
        }
    }

    #[test]
    fn a_nan_gradient_gives_a_nan_weight() {
        for form in FORMS {
            let frozen_weight = neurons(5, 7, Kind::Float);
            let mut descent = descent(&frozen_weight, form);
            for _ in 0..=REPAIR_INTERVAL {
                step(&mut descent, &frozen_weight.full_like(f64::NAN));
            }
            assert_eq!(descent.raw().isnan().all().int64_value(&[]), 1);
        }
    }

    #[test]
    fn neurons_need_not_be_independent() {
        let zero_neuron = neurons(3, 5, Kind::Float);
        let _ = zero_neuron.get(1).zero_();
        let equal_neurons = neurons(3, 5, Kind::Float);
        equal_neurons.get(2).copy_(&equal_neurons.get(0));
        let plane = gaussian(&[9, 2], 3, Kind::Float).matmul(&gaussian(&[2, 5], 4, Kind::Float)) * 0.3;
        let all_zero = Tensor::zeros([3, 5], tch::kind::FLOAT_CPU);
        for frozen_weight in [zero_neuron, equal_neurons, plane] {
            for form in FORMS {
                let drift = wander(&mut descent(&frozen_weight, form), &frozen_weight, 0.1, 300);
                assert!(drift < 1e-4, "{form:?}, {frozen_weight:?}: {drift}");
            }
        }
        for form in FORMS {
            let mut descent = descent(&all_zero, form);
            wander(&mut descent, &all_zero, 0.1, 51);
            assert_eq!(*descent.raw(), all_zero);
        }
    }

    #[test]
    fn one_dimension_has_no_rotation() {
        for form in FORMS {
            for n in [1, 3] {
                let frozen_weight = neurons(n, 1, Kind::Double);
                let mut descent = descent(&frozen_weight, form);
                wander(&mut descent, &frozen_weight, 1.0, 75);
                assert!(descent.raw().allclose(&frozen_weight, 1e-12, 0.0, false), "{form:?} n = {n}");
            }
            // One neuron in two dimensions moves around a circle.
            let frozen_weight = neurons(1, 2, Kind::Double);
            let drift = wander(&mut descent(&frozen_weight, form), &frozen_weight, 0.1, 300);
            assert!(drift < 1e-4, "{form:?}: {drift}");
        }
    }

    #[test]
    fn unsupported_operations_are_errors() {
        let frozen_weight = neurons(2, 3, Kind::Float);
        let descent = descent(&frozen_weight, DescentForm::Omega);
        assert!(descent.matrix().unwrap().is_none());
        let rotated = descent.rotate(&frozen_weight).unwrap();
        let message = rotated.pullback.frozen_gradient(&frozen_weight).unwrap_err().to_string();
        assert_eq!(
            message,
            "descent never forms its rotation, so the gradient of its neurons is not defined"
        );
        let message = descent.rotate(&neurons(4, 3, Kind::Float)).unwrap_err().to_string();
        let expected = "this rotation can only rotate the neurons [2, 3] that it was built from, got [4, 3]";
        assert_eq!(message, expected);
        for bad in [&[3][..], &[0, 3], &[3, 0], &[2, 3, 1]] {
            let message =
                Descent::new(&Tensor::zeros(bad, tch::kind::FLOAT_CPU), FORMS[0]).unwrap_err().to_string();
            assert_eq!(message, format!("neurons must be the rows of a non-empty [n, d], got {bad:?}"));
        }
    }
}
