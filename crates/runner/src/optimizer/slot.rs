//! The optimizer's state of one parameter.

use optlab_opt::State;
use optlab_spec::{MethodSpec, OptimizerSpec};
use tch::{TchError, Tensor};

use super::scalar::scalar;
use super::{adam, sgd};
use crate::trained::{Parameter, Parts, Role};

/// A parameter's own rates and the rule's memory of it.
#[derive(Debug)]
pub(super) struct Slot {
    name: String,
    pub role: Role,
    /// Before the schedule's factor.
    pub learning_rate: f64,
    weight_decay: f64,
    /// The rule's memory by name: tensors of the parameter's size, starting at 0.
    memory: Vec<(&'static str, Tensor)>,
    /// Steps since the start.
    updates: u64,
}

impl Slot {
    /// The slot of the parameter `name`, with empty memory. A rotation that `steps_itself` gets no memory at all.
    pub fn new(
        rule: &OptimizerSpec,
        method: &MethodSpec,
        name: String,
        Parameter { role, tensor }: &Parameter,
        steps_itself: bool,
    ) -> Result<Self, TchError> {
        let (learning_rate, weight_decay) = rates(rule, method, *role);
        let named = |name: &&'static str| Ok((*name, tensor.f_zeros_like()?));
        let memories: &[&'static str] =
            if steps_itself && *role == Role::Rotation { &[] } else { memories(rule) };
        let memory = memories.iter().map(named).collect::<Result<_, TchError>>()?;
        Ok(Self { name, role: *role, learning_rate, weight_decay, memory, updates: 0 })
    }

    /// One step of the rule.
    pub fn step(
        &mut self,
        rule: &OptimizerSpec,
        tensor: &mut Tensor,
        mut gradient: Tensor,
        rate: f64,
    ) -> Result<(), TchError> {
        self.updates += 1;
        let mut memory = self.memory.iter_mut().map(|(_, tensor)| tensor).collect::<Vec<_>>();
        if self.weight_decay > 0.0 {
            match rule {
                // Decoupled: x - rate (decay x + update) is (1 - rate decay) x - rate update.
                OptimizerSpec::AdamW(_) => {
                    let _ = tensor.f_mul_scalar_(1.0 - rate * self.weight_decay)?;
                }
                OptimizerSpec::Sgd { .. } | OptimizerSpec::Adam(_) => {
                    let _ = gradient.f_addcmul_(tensor, &scalar(self.weight_decay)?)?;
                }
            }
        }
        match rule {
            OptimizerSpec::Sgd { momentum, nesterov, .. } => {
                sgd::step(tensor, gradient, &mut memory, rate, *momentum, *nesterov)
            }
            OptimizerSpec::Adam(adam) | OptimizerSpec::AdamW(adam) => {
                adam::step(tensor, &gradient, &mut memory, rate, adam, self.updates as i32)
            }
        }
    }

    /// Resets the memory, because the parameter was replaced.
    pub fn forget(&mut self) -> Result<(), TchError> {
        self.updates = 0;
        self.memory.iter_mut().try_for_each(|(_, tensor)| tensor.f_zero_().map(drop))
    }

    /// The state on which the next step depends, besides the parameter.
    pub fn state(&mut self) -> Parts<'_> {
        let own = |part: &str| format!("{}.{part}", self.name);
        let tensors =
            self.memory.iter().map(|(part, tensor)| (own(part), State::Tensor(tensor.shallow_clone())));
        let mut parts: Parts<'_> = tensors.collect();
        if !parts.is_empty() {
            parts.push((own("updates"), State::Count(&mut self.updates)));
        }
        parts
    }
}

/// Names of what the rule remembers of a parameter.
fn memories(rule: &OptimizerSpec) -> &'static [&'static str] {
    match rule {
        OptimizerSpec::Sgd { momentum, .. } if *momentum == 0.0 => &[],
        OptimizerSpec::Sgd { .. } => &["momentum"],
        OptimizerSpec::Adam(_) | OptimizerSpec::AdamW(_) => &["first_moment", "second_moment"],
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

#[cfg(test)]
mod tests {
    use optlab_opt::{Error, OwnStep};
    use serde_json::json;
    use tch::Kind;

    use super::*;
    use crate::optimizer::Optimizer;
    use crate::trained::{Parameters, Plain, Trained};

    const SGD: OptimizerSpec =
        OptimizerSpec::Sgd { learning_rate: 0.1, momentum: 0.9, nesterov: true, weight_decay: 0.2 };

    fn method(transform: &str, learning_rate: f64, weight_decay: f64) -> MethodSpec {
        let method = json!({
            "kind": "opt", "transform": transform, "init": "identity", "form": "omega", "neurons": "fixed",
            "neuron_mean": 0.0, "refine_steps": 0, "learning_rate": learning_rate, "weight_decay": weight_decay,
            "layers": "all",
        });
        serde_json::from_value(method).unwrap()
    }

    #[test]
    fn biases_do_not_decay_and_rotations_have_their_own_rates() {
        let method = method("cayley", 7.0, 0.3);
        assert_eq!(rates(&SGD, &method, Role::Weight), (0.1, 0.2));
        assert_eq!(rates(&SGD, &method, Role::Offset), (0.1, 0.0));
        assert_eq!(rates(&SGD, &method, Role::Rotation), (7.0, 0.3));
    }

    /// Its rule: be the rate. Every other update gives it a new parameter.
    struct OwnRule(Plain, Role);

    impl Trained for OwnRule {
        fn name(&self) -> &str {
            self.0.name()
        }

        fn parameters(&self) -> Vec<Parameter> {
            vec![Parameter { role: self.1, ..self.0.parameters().remove(0) }]
        }

        fn value(&self) -> &Tensor {
            self.0.value()
        }

        fn effective_gradient(&self) -> Result<Tensor, Error> {
            self.0.effective_gradient()
        }

        fn own_step(&mut self) -> Option<&mut dyn OwnStep> {
            Some(self)
        }

        fn refresh(&mut self) -> Result<(), Error> {
            self.0.refresh()
        }

        fn renew(&mut self, updates: u64) -> Result<Parameters, Error> {
            Ok(if updates.is_multiple_of(2) { Parameters::Renewed } else { Parameters::Kept })
        }
    }

    impl OwnStep for OwnRule {
        fn step_along(&mut self, _gradient: &Tensor, rate: f64) -> Result<(), Error> {
            let _ = self.0.parameters().remove(0).tensor.f_fill_(rate)?;
            Ok(())
        }
    }

    fn own_rule(role: Role) -> OwnRule {
        OwnRule(Plain::new("x".to_owned(), Tensor::from_slice(&[1.0f32]), Role::Weight).unwrap(), role)
    }

    #[test]
    fn a_rotation_that_steps_itself_has_no_decay_and_no_memory() {
        let mut x = own_rule(Role::Rotation);
        let method = method("cayley", 0.5, 0.3);
        let mut optimizer = Optimizer::new(&SGD, None, &method, &mut [&mut x]).unwrap();
        x.value().sum(Kind::Float).backward();
        optimizer.step(vec![&mut x], 0.5, 1).unwrap();
        assert_eq!(x.parameters()[0].tensor.double_value(&[0]), 0.25);
        assert!(optimizer.state().is_empty());
        // Its next value is the new one.
        assert_eq!(x.value().double_value(&[0]), 0.25);
    }

    #[test]
    fn a_replaced_parameter_starts_with_empty_memory() {
        let mut x = own_rule(Role::Weight);
        let mut optimizer = Optimizer::new(&SGD, None, &MethodSpec::BASELINE, &mut [&mut x]).unwrap();
        let remembered = [1, 2, 3].map(|update| {
            x.value().sum(Kind::Float).backward();
            optimizer.step(vec![&mut x], 1.0, update).unwrap();
            let slot = &optimizer.slots[0];
            (slot.updates, slot.memory[0].1.double_value(&[0]) != 0.0)
        });
        assert_eq!(remembered, [(1, true), (0, false), (1, true)]);
    }
}
