//! Optimizers, which step every trained tensor in place, with one rule per file.
//!
//! libtorch's own optimizers cannot be used: they do not find the gradient of a rotation, and tch cannot save their
//! state.

mod slot;

mod adam;
mod sgd;

mod clip;
mod scalar;

use optlab_spec::{MethodSpec, OptimizerSpec};
use tch::TchError;

use self::slot::Slot;
use crate::failure::JobError;
use crate::trained::{Parameters, Parts, Role, Trained};

/// The rule of a spec, with its memory of each parameter.
#[derive(Debug)]
pub struct Optimizer {
    rule: OptimizerSpec,
    clip_norm: Option<f64>,
    slots: Vec<Slot>,
    numbers: u64,
}

impl Optimizer {
    /// Starts with empty memory. Rotations have the method's own rates. `clip_norm` bounds the norm of all effective
    /// gradients together.
    ///
    /// # Errors
    /// libtorch's own.
    pub fn new(
        rule: &OptimizerSpec,
        clip_norm: Option<f64>,
        method: &MethodSpec,
        trained: &mut [&mut dyn Trained],
    ) -> Result<Self, TchError> {
        let (mut slots, mut numbers) = (Vec::new(), 0);
        for trained in trained {
            let parameters = trained.parameters();
            let steps_itself = trained.own_step().is_some();
            for ((name, _), parameter) in trained.state().into_iter().zip(&parameters) {
                slots.push(Slot::new(rule, method, name, parameter, steps_itself)?);
                numbers += parameter.tensor.numel() as u64;
            }
        }
        Ok(Self { rule: rule.clone(), clip_norm, slots, numbers })
    }

    /// Update number `update`, from 1, of the tensors given to [`new`](Self::new), in the same order: a step against
    /// the gradient, then a refresh. `factor` is the schedule's. A rotation that has a rule of its own is stepped by
    /// that, without decay or memory.
    ///
    /// # Errors
    /// If a gradient is missing, and libtorch's own.
    pub fn step(&mut self, trained: Vec<&mut dyn Trained>, factor: f64, update: u64) -> Result<(), JobError> {
        let _guard = tch::no_grad_guard();
        if let Some(most) = self.clip_norm {
            let gradients = trained.iter().map(|trained| trained.effective_gradient());
            clip::clip(&mut gradients.collect::<Result<Vec<_>, _>>()?, most)?;
        }
        let mut slots = self.slots.as_mut_slice();
        for trained in trained {
            let (gradients, parameters) = (trained.gradients()?, trained.parameters());
            let (own, rest) = slots.split_at_mut(parameters.len());
            for ((slot, mut parameter), gradient) in own.iter_mut().zip(parameters).zip(gradients) {
                let rate = slot.learning_rate * factor;
                match trained.own_step() {
                    Some(rotation) if slot.role == Role::Rotation => rotation.step_along(&gradient, rate)?,
                    _ => slot.step(&self.rule, &mut parameter.tensor, gradient, rate)?,
                }
            }
            trained.refresh()?;
            if trained.renew(update)? == Parameters::Renewed {
                own.iter_mut().try_for_each(Slot::forget)?;
            }
            slots = rest;
        }
        Ok(())
    }

    /// The state on which the next step depends, besides the parameters.
    pub fn state(&mut self) -> Parts<'_> {
        self.slots.iter_mut().flat_map(Slot::state).collect()
    }

    /// The number of trained numbers. A rotation counts all numbers of its raw parameter, d^2 in most forms.
    pub fn numbers(&self) -> u64 {
        self.numbers
    }
}

#[cfg(test)]
mod tests {
    use optlab_spec::AdamSpec;
    use tch::nn::{self, OptimizerConfig};
    use tch::{Device, Kind, Reduction, Tensor};

    use super::*;
    use crate::trained::Plain;

    fn sgd(momentum: f64, nesterov: bool, weight_decay: f64) -> OptimizerSpec {
        OptimizerSpec::Sgd { learning_rate: 0.1, momentum, nesterov, weight_decay }
    }

    fn adam(weight_decay: f64) -> AdamSpec {
        AdamSpec { learning_rate: 0.1, beta1: 0.9, beta2: 0.99, epsilon: 1e-8, weight_decay }
    }

    /// Where x ends that starts at 1 with the loss x^2 / 2, so that its gradient is x.
    fn descend(rule: &OptimizerSpec, factors: &[f64]) -> f64 {
        let mut x = Plain::new("x".to_owned(), Tensor::from_slice(&[1.0f32]), Role::Weight).unwrap();
        let mut optimizer = Optimizer::new(rule, None, &MethodSpec::BASELINE, &mut [&mut x]).unwrap();
        for &factor in factors {
            (x.value().square().sum(Kind::Float) * 0.5).backward();
            optimizer.step(vec![&mut x], factor, 1).unwrap();
        }
        tensor(&x).double_value(&[0])
    }

    fn tensor(trained: &dyn Trained) -> Tensor {
        trained.parameters().remove(0).tensor
    }

    #[test]
    fn steps_agree_with_the_formulas() {
        for (rule, factors, expected) in [
            // x <- x - 0.1 x, then with half the rate.
            (sgd(0.0, false, 0.0), &[1.0, 0.5][..], 0.9 * 0.95),
            // m = 1, x = 0.9; m = 0.9 + 0.9, x = 0.9 - 0.18.
            (sgd(0.9, false, 0.0), &[1.0, 1.0], 0.72),
            // m = 1, x = 1 - 0.1 (1 + 0.9).
            (sgd(0.9, true, 0.0), &[1.0], 0.81),
            // The penalty adds 0.5 x to the gradient.
            (sgd(0.0, false, 0.5), &[1.0], 0.85),
            // The first step of Adam has the length of the rate.
            (OptimizerSpec::Adam(adam(0.0)), &[1.0], 0.9),
            (OptimizerSpec::Adam(adam(0.0)), &[0.5], 0.95),
            // Whatever the penalty: the second moment takes it out again, and decoupled decay stays.
            (OptimizerSpec::Adam(adam(0.5)), &[1.0], 0.9),
            (OptimizerSpec::AdamW(adam(0.5)), &[1.0], 0.9 - 0.1 * 0.5),
            // The schedule's factor is on both terms.
            (OptimizerSpec::AdamW(adam(0.5)), &[0.5], 0.95 - 0.05 * 0.5),
        ] {
            let x = descend(&rule, factors);
            assert!((x - expected).abs() < 1e-6, "{rule:?}: {x} for {expected}");
        }
    }

    #[test]
    fn steps_agree_with_libtorch() {
        type Build = fn(&nn::VarStore) -> nn::Optimizer;
        let theirs: [(OptimizerSpec, Build); 5] = [
            (sgd(0.9, false, 0.0), |vs| nn::sgd(0.9, 0., 0., false).build(vs, 0.1).unwrap()),
            (sgd(0.9, true, 0.01), |vs| nn::sgd(0.9, 0., 0.01, true).build(vs, 0.1).unwrap()),
            (OptimizerSpec::Adam(adam(0.0)), |vs| nn::adam(0.9, 0.99, 0.).build(vs, 0.1).unwrap()),
            (OptimizerSpec::Adam(adam(0.01)), |vs| nn::adam(0.9, 0.99, 0.01).build(vs, 0.1).unwrap()),
            (OptimizerSpec::AdamW(adam(0.3)), |vs| nn::adamw(0.9, 0.99, 0.3).build(vs, 0.1).unwrap()),
        ];
        let start: Vec<f32> = (0..12).map(|i| (i as f32 * 0.7).sin()).collect();
        let start = Tensor::from_slice(&start).view([3, 4]);
        let target = start.flip([0]) * 2.0;
        let loss = |x: &Tensor| x.tanh().mse_loss(&target, Reduction::Sum);
        for (rule, build) in theirs {
            let vs = nn::VarStore::new(Device::Cpu);
            let theirs = vs.root().var_copy("x", &start);
            let mut their_optimizer = build(&vs);
            let mut ours = Plain::new("x".to_owned(), start.copy(), Role::Weight).unwrap();
            let mut optimizer = Optimizer::new(&rule, None, &MethodSpec::BASELINE, &mut [&mut ours]).unwrap();
            for _ in 0..20 {
                their_optimizer.backward_step(&loss(&theirs));
                loss(ours.value()).backward();
                optimizer.step(vec![&mut ours], 1.0, 1).unwrap();
            }
            let apart = (theirs.detach() - tensor(&ours)).abs().max().double_value(&[]);
            assert!(apart < 1e-5, "{rule:?}: {apart}");
        }
    }
}
