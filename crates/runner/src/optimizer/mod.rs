//! Stepping every trained tensor in place: one rule, one file each.
//!
//! libtorch's own optimizers cannot be used: the gradient of a rotation is not where they look for it, and tch
//! cannot save their state.

mod adam;
mod clip;
mod sgd;

use optlab_spec::{MethodSpec, OptimizerSpec};
use tch::{Kind, TchError, Tensor};

use crate::failure::JobError;
use crate::trained::{Parameter, Parameters, Role, Trained};

/// The rule of a spec, with what it remembers of each parameter.
#[derive(Debug)]
pub struct Optimizer {
    rule: OptimizerSpec,
    clip_norm: Option<f64>,
    slots: Vec<Slot>,
    updates: u64,
    numbers: u64,
}

/// A parameter's own rates and the rule's memory of it.
#[derive(Debug)]
struct Slot {
    role: Role,
    learning_rate: f64,
    weight_decay: f64,
    memory: Memory,
}

/// What a rule remembers of one parameter.
#[derive(Debug, Default)]
struct Memory {
    /// Tensors of the same size, as many as the rule needs, starting at 0. Made by the rule's first step: there is
    /// none of a rotation that steps itself.
    tensors: Vec<Tensor>,
    /// Steps since the start.
    updates: i32,
}

impl Optimizer {
    /// Starts with empty memory. Rotations have the method's own rates. `clip_norm` bounds the norm of all effective
    /// gradients together.
    pub fn new(
        rule: &OptimizerSpec,
        clip_norm: Option<f64>,
        method: &MethodSpec,
        trained: &[&mut dyn Trained],
    ) -> Self {
        let parameters: Vec<Parameter> = trained.iter().flat_map(|trained| trained.parameters()).collect();
        let slot = |parameter: &Parameter| {
            let (learning_rate, weight_decay) = rates(rule, method, parameter.role);
            Slot { role: parameter.role, learning_rate, weight_decay, memory: Memory::default() }
        };
        let slots = parameters.iter().map(slot).collect();
        let numbers = parameters.iter().map(|parameter| parameter.tensor.numel() as u64).sum();
        Self { rule: rule.clone(), clip_norm, slots, updates: 0, numbers }
    }

    /// One update of what [`new`](Self::new) was given, in the same order: a step against the gradient, then a
    /// refresh. `factor` is the schedule's. A rotation that has a rule of its own is stepped by that, without decay
    /// or memory.
    ///
    /// # Errors
    /// If a gradient is missing, and libtorch's own.
    pub fn step(&mut self, trained: Vec<&mut dyn Trained>, factor: f64) -> Result<(), JobError> {
        let _guard = tch::no_grad_guard();
        self.updates += 1;
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
                if slot.role != Role::Rotation || !trained.step_along(&gradient, rate)? {
                    slot.step(&self.rule, &mut parameter.tensor, gradient, rate)?;
                }
            }
            if trained.refresh(self.updates)? == Parameters::Renewed {
                own.iter_mut().for_each(|slot| slot.memory = Memory::default());
            }
            slots = rest;
        }
        Ok(())
    }

    /// How many numbers are stepped. Of a rotation these are all d^2 of its raw parameter.
    pub fn numbers(&self) -> u64 {
        self.numbers
    }
}

impl Slot {
    /// One step of the rule.
    fn step(
        &mut self,
        rule: &OptimizerSpec,
        tensor: &mut Tensor,
        mut gradient: Tensor,
        rate: f64,
    ) -> Result<(), TchError> {
        let Memory { tensors, updates } = &mut self.memory;
        *updates += 1;
        if tensors.is_empty() {
            *tensors = (0..memories(rule)).map(|_| tensor.f_zeros_like()).collect::<Result<_, _>>()?;
        }
        if self.weight_decay > 0.0 {
            match rule {
                // Decoupled: x - rate (decay x + update) is (1 - rate decay) x - rate update.
                OptimizerSpec::AdamW(_) => {
                    let _ = tensor.f_mul_scalar_(1.0 - rate * self.weight_decay)?;
                }
                OptimizerSpec::Sgd { .. } | OptimizerSpec::Adam(_) => {
                    let _ = gradient.f_addcmul_(tensor, &scalar(self.weight_decay, tensor)?)?;
                }
            }
        }
        match rule {
            OptimizerSpec::Sgd { momentum, nesterov, .. } => {
                sgd::step(tensor, gradient, tensors, rate, *momentum, *nesterov)
            }
            OptimizerSpec::Adam(adam) | OptimizerSpec::AdamW(adam) => {
                adam::step(tensor, &gradient, tensors, rate, adam, *updates)
            }
        }
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
        (Role::Rotation, MethodSpec::Opt(opt)) => (opt.learning_rate, opt.weight_decay),
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
    use optlab_opt::{Error, GramSchmidt, RotatedWeight};
    use optlab_spec::AdamSpec;
    use serde_json::json;
    use tch::nn::{self, OptimizerConfig};
    use tch::{Device, Reduction};

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
        let mut x = Plain::new(Tensor::from_slice(&[1.0f32]), Role::Weight).unwrap();
        let mut optimizer = Optimizer::new(rule, None, &MethodSpec::BASELINE, &[&mut x]);
        for &factor in factors {
            (x.value().square().sum(Kind::Float) * 0.5).backward();
            optimizer.step(vec![&mut x], factor).unwrap();
        }
        tensor(&x).double_value(&[0])
    }

    fn tensor(trained: &dyn Trained) -> Tensor {
        trained.parameters().remove(0).tensor
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
            let mut optimizer = Optimizer::new(&rule, None, &MethodSpec::BASELINE, &[&mut ours]);
            for _ in 0..20 {
                their_optimizer.backward_step(&loss(&theirs));
                loss(ours.value()).backward();
                optimizer.step(vec![&mut ours], 1.0).unwrap();
            }
            let apart = (theirs.detach() - tensor(&ours)).abs().max().double_value(&[]);
            assert!(apart < 1e-5, "{rule:?}: {apart}");
        }
    }

    #[test]
    fn offsets_do_not_decay_and_rotations_have_their_own_rates() {
        let method = json!({
            "kind": "opt", "transform": "cayley", "init": "identity", "neurons": "fixed", "neuron_mean": 0.0,
            "refine_steps": 0, "learning_rate": 7.0, "weight_decay": 0.3, "layers": "all",
        });
        let method: MethodSpec = serde_json::from_value(method).unwrap();
        let rule = sgd(0.9, false, 0.2);
        assert_eq!(rates(&rule, &method, Role::Weight), (0.1, 0.2));
        assert_eq!(rates(&rule, &method, Role::Offset), (0.1, 0.0));
        assert_eq!(rates(&rule, &method, Role::Rotation), (7.0, 0.3));
    }

    /// A rotated weight, stepped in its raw parameter.
    struct Rotated(RotatedWeight);

    impl Trained for Rotated {
        fn parameters(&self) -> Vec<Parameter> {
            vec![Parameter { role: Role::Rotation, tensor: self.0.raw().shallow_clone() }]
        }

        fn value(&self) -> &Tensor {
            self.0.value()
        }

        fn effective_gradient(&self) -> Result<Tensor, Error> {
            self.0.weight_gradient()
        }

        fn gradients(&self) -> Result<Vec<Tensor>, Error> {
            Ok(vec![self.0.raw_gradient()?])
        }

        fn refresh(&mut self, _updates: u64) -> Result<Parameters, Error> {
            self.0.refresh()?;
            Ok(Parameters::Kept)
        }
    }

    /// A weight under a rotation with `raw` and a bias, after a backward pass through both.
    fn rotated_and_plain(raw: &Tensor) -> (Rotated, Plain) {
        let neurons = Tensor::from_slice(&[1.0f32, 0.5, -0.3, 0.2, -1.0, 0.4]).view([2, 3]);
        let weight = RotatedWeight::new(&neurons, Box::new(GramSchmidt::new(raw).unwrap())).unwrap();
        let bias = Plain::new(Tensor::from_slice(&[0.1f32, -0.2]), Role::Offset).unwrap();
        let xs = Tensor::from_slice(&[1.0f32, 2.0, 3.0]);
        (weight.value().matmul(&xs) + bias.value()).square().sum(Kind::Float).backward();
        (Rotated(weight), bias)
    }

    #[test]
    fn clipping_counts_what_layers_compute_with_whatever_the_scale_of_a_raw_parameter() {
        const MOST: f64 = 0.5;
        let raw = Tensor::from_slice(&[1.0f32, 0.2, 0.1, -0.3, 1.1, 0.4, 0.2, -0.5, 0.9]).view([3, 3]);
        let rule =
            OptimizerSpec::Sgd { learning_rate: 1.0, momentum: 0.0, nesterov: false, weight_decay: 0.0 };
        // The gradient of a raw parameter that is 100 times as long is 100 times as short.
        for scale in [1.0, 100.0] {
            let raw = &raw * scale;
            let (mut weight, mut bias) = rotated_and_plain(&raw);
            let norm = |tensor: Tensor| tensor.norm().double_value(&[]);
            let whole =
                norm(weight.effective_gradient().unwrap()).hypot(norm(bias.effective_gradient().unwrap()));
            assert!(whole > 2.0 * MOST, "{whole}");
            let expected = &raw - weight.gradients().unwrap().remove(0) * (MOST / whole);
            let mut optimizer =
                Optimizer::new(&rule, Some(MOST), &MethodSpec::BASELINE, &[&mut weight, &mut bias]);
            optimizer.step(vec![&mut weight, &mut bias], 1.0).unwrap();
            assert!(tensor(&weight).allclose(&expected, 1e-5, 1e-7, false));
            let moved = norm(tensor(&bias) - Tensor::from_slice(&[0.1f32, -0.2]));
            assert!(moved > 0.01 && moved < MOST, "{moved}");
        }
    }

    /// Its rule: be the rate. Every other update gives it a new parameter.
    struct OwnRule(Plain, Role);

    impl Trained for OwnRule {
        fn parameters(&self) -> Vec<Parameter> {
            vec![Parameter { role: self.1, ..self.0.parameters().remove(0) }]
        }

        fn value(&self) -> &Tensor {
            self.0.value()
        }

        fn effective_gradient(&self) -> Result<Tensor, Error> {
            self.0.effective_gradient()
        }

        fn step_along(&mut self, _gradient: &Tensor, rate: f64) -> Result<bool, Error> {
            let _ = tensor(self).f_fill_(rate)?;
            Ok(true)
        }

        fn refresh(&mut self, updates: u64) -> Result<Parameters, Error> {
            self.0.refresh(updates)?;
            Ok(if updates.is_multiple_of(2) { Parameters::Renewed } else { Parameters::Kept })
        }
    }

    fn own_rule(role: Role) -> OwnRule {
        OwnRule(Plain::new(Tensor::from_slice(&[1.0f32]), Role::Weight).unwrap(), role)
    }

    #[test]
    fn a_rotation_that_steps_itself_neither_decays_nor_is_remembered() {
        let mut x = own_rule(Role::Rotation);
        let mut optimizer = Optimizer::new(&sgd(0.9, true, 0.5), None, &MethodSpec::BASELINE, &[&mut x]);
        x.value().sum(Kind::Float).backward();
        optimizer.step(vec![&mut x], 0.5).unwrap();
        assert_eq!(tensor(&x).double_value(&[0]), f64::from(0.05f32));
        assert!(optimizer.slots[0].memory.tensors.is_empty());
        // Its next value is the new one.
        assert_eq!(x.value().double_value(&[0]), f64::from(0.05f32));
    }

    #[test]
    fn of_a_parameter_that_another_one_replaced_nothing_is_remembered() {
        let mut x = own_rule(Role::Weight);
        let mut optimizer =
            Optimizer::new(&OptimizerSpec::Adam(adam(0.0)), None, &MethodSpec::BASELINE, &[&mut x]);
        let remembered = [1, 2, 3].map(|_| {
            x.value().sum(Kind::Float).backward();
            optimizer.step(vec![&mut x], 1.0).unwrap();
            optimizer.slots[0].memory.updates
        });
        assert_eq!(remembered, [1, 0, 1]);
    }
}
