//! Stepping every trained tensor in place: one rule, one file each.
//!
//! libtorch's own optimizers cannot be used: the gradient of a rotation is not where they look for it, and tch
//! cannot save their state.

mod adam;
mod sgd;

use optlab_spec::{MethodSpec, OptimizerSpec};
use tch::{Kind, TchError, Tensor};

use crate::failure::JobError;
use crate::trained::{Role, Trained};

/// The rule of a spec, with what it remembers of each tensor.
#[derive(Debug)]
pub struct Optimizer {
    rule: OptimizerSpec,
    slots: Vec<Slot>,
    updates: i32,
    numbers: u64,
}

/// A tensor's own rates and the rule's memory of it.
#[derive(Debug)]
struct Slot {
    learning_rate: f64,
    weight_decay: f64,
    /// Tensors of the same size, as many as the rule needs, starting at 0.
    memory: Vec<Tensor>,
}

impl Optimizer {
    /// Starts with empty memory. Rotations have the method's own rates.
    ///
    /// # Errors
    /// libtorch's own.
    pub fn new(
        rule: &OptimizerSpec,
        method: &MethodSpec,
        trained: &[&mut dyn Trained],
    ) -> Result<Self, TchError> {
        let slot = |trained: &&mut dyn Trained| {
            let tensor = trained.tensor();
            let (learning_rate, weight_decay) = rates(rule, method, trained.role());
            let memory = (0..memories(rule)).map(|_| tensor.f_zeros_like()).collect::<Result<_, _>>()?;
            Ok(Slot { learning_rate, weight_decay, memory })
        };
        let slots = trained.iter().map(slot).collect::<Result<_, TchError>>()?;
        let numbers = trained.iter().map(|trained| trained.tensor().numel() as u64).sum();
        Ok(Self { rule: rule.clone(), slots, updates: 0, numbers })
    }

    /// One update of the tensors that [`new`](Self::new) was given, in the same order: a step against the gradient,
    /// then a refresh. `factor` is the schedule's.
    ///
    /// # Errors
    /// If a gradient is missing, and libtorch's own.
    pub fn step(&mut self, trained: Vec<&mut dyn Trained>, factor: f64) -> Result<(), JobError> {
        let _guard = tch::no_grad_guard();
        self.updates += 1;
        for (slot, trained) in self.slots.iter_mut().zip(trained) {
            let mut tensor = trained.tensor();
            let mut gradient = trained.gradient()?;
            let rate = slot.learning_rate * factor;
            if slot.weight_decay > 0.0 {
                match &self.rule {
                    // Decoupled: x - rate (decay x + update) is (1 - rate decay) x - rate update.
                    OptimizerSpec::AdamW(_) => {
                        let _ = tensor.f_mul_scalar_(1.0 - rate * slot.weight_decay)?;
                    }
                    OptimizerSpec::Sgd { .. } | OptimizerSpec::Adam(_) => {
                        let _ = gradient.f_addcmul_(&tensor, &scalar(slot.weight_decay, &tensor)?)?;
                    }
                }
            }
            match &self.rule {
                OptimizerSpec::Sgd { momentum, nesterov, .. } => {
                    sgd::step(&mut tensor, gradient, &mut slot.memory, rate, *momentum, *nesterov)?;
                }
                OptimizerSpec::Adam(adam) | OptimizerSpec::AdamW(adam) => {
                    adam::step(&mut tensor, &gradient, &mut slot.memory, rate, adam, self.updates)?;
                }
            }
            trained.refresh()?;
        }
        Ok(())
    }

    /// How many numbers are stepped. Of a rotation these are all d^2 of its raw parameter.
    pub fn numbers(&self) -> u64 {
        self.numbers
    }
}

fn memories(rule: &OptimizerSpec) -> usize {
    match rule {
        OptimizerSpec::Sgd { momentum, .. } => usize::from(*momentum > 0.0),
        OptimizerSpec::Adam(_) | OptimizerSpec::AdamW(_) => 2,
    }
}

/// Learning rate before the schedule's factor, and weight decay.
fn rates(rule: &OptimizerSpec, method: &MethodSpec, role: Role) -> (f64, f64) {
    match (role, method) {
        (Role::Rotation, MethodSpec::Opt { learning_rate, weight_decay, .. }) => {
            (*learning_rate, *weight_decay)
        }
        (Role::Offset, _) => (rule.learning_rate(), 0.0),
        _ => (rule.learning_rate(), rule.weight_decay()),
    }
}

/// A number beside `tensor`. tch's sums take no factor; a product with this one, fused into the sum, saves a pass.
fn scalar(value: f64, tensor: &Tensor) -> Result<Tensor, TchError> {
    Tensor::f_full([0; 0], value, (Kind::Float, tensor.device()))
}

#[cfg(test)]
mod tests {
    use optlab_spec::AdamSpec;
    use tch::nn::{self, OptimizerConfig};
    use tch::{Device, Reduction};

    use super::*;
    use crate::trained::Plain;

    const BASELINE: MethodSpec = MethodSpec::Baseline;

    fn sgd(momentum: f64, nesterov: bool, weight_decay: f64) -> OptimizerSpec {
        OptimizerSpec::Sgd { learning_rate: 0.1, momentum, nesterov, weight_decay }
    }

    fn adam(weight_decay: f64) -> AdamSpec {
        AdamSpec { learning_rate: 0.1, beta1: 0.9, beta2: 0.99, epsilon: 1e-8, weight_decay }
    }

    /// Where x ends that starts at 1 with the loss x^2 / 2, so that its gradient is x.
    fn descend(rule: &OptimizerSpec, factors: &[f64]) -> f64 {
        let mut x = Plain::new(Tensor::from_slice(&[1.0f32]), Role::Weight).unwrap();
        let mut optimizer = Optimizer::new(rule, &BASELINE, &[&mut x]).unwrap();
        for &factor in factors {
            (x.value().square().sum(Kind::Float) * 0.5).backward();
            optimizer.step(vec![&mut x], factor).unwrap();
        }
        x.tensor().double_value(&[0])
    }

    #[test]
    fn steps_are_those_of_the_formulas() {
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
    fn steps_are_those_of_libtorch() {
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
            let mut ours = Plain::new(start.copy(), Role::Weight).unwrap();
            let mut optimizer = Optimizer::new(&rule, &BASELINE, &[&mut ours]).unwrap();
            for _ in 0..20 {
                their_optimizer.backward_step(&loss(&theirs));
                loss(ours.value()).backward();
                optimizer.step(vec![&mut ours], 1.0).unwrap();
            }
            let apart = (theirs.detach() - ours.tensor()).abs().max().double_value(&[]);
            assert!(apart < 1e-5, "{rule:?}: {apart}");
        }
    }

    #[test]
    fn offsets_do_not_decay_and_rotations_have_their_own_rates() {
        let method = MethodSpec::Opt {
            transform: optlab_spec::TransformKind::Cayley,
            init: optlab_spec::RotationInit::Identity,
            learning_rate: 7.0,
            weight_decay: 0.3,
        };
        let rule = sgd(0.9, false, 0.2);
        assert_eq!(rates(&rule, &method, Role::Weight), (0.1, 0.2));
        assert_eq!(rates(&rule, &method, Role::Offset), (0.1, 0.0));
        assert_eq!(rates(&rule, &method, Role::Rotation), (7.0, 0.3));
    }
}
