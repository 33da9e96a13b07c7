//! What an optimizer holds of one parameter.

use optlab_spec::{MethodSpec, OptimizerSpec};
use tch::{TchError, Tensor};

use super::{adam, scalar, sgd};
use crate::trained::Role;

/// A parameter's own rates and the rule's memory of it.
#[derive(Debug)]
pub(super) struct Slot {
    pub role: Role,
    /// Before the schedule's factor.
    pub learning_rate: f64,
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

impl Slot {
    /// With empty memory.
    pub fn new(rule: &OptimizerSpec, method: &MethodSpec, role: Role) -> Self {
        let (learning_rate, weight_decay) = rates(rule, method, role);
        Self { role, learning_rate, weight_decay, memory: Memory::default() }
    }

    /// One step of the rule.
    pub fn step(
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

    /// Starts anew: another parameter stands in the place of the old one.
    pub fn forget(&mut self) {
        self.memory = Memory::default();
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

#[cfg(test)]
mod tests {
    use optlab_opt::Error;
    use serde_json::json;
    use tch::Kind;

    use super::*;
    use crate::optimizer::Optimizer;
    use crate::trained::{Parameter, Parameters, Plain, Trained};

    const SGD: OptimizerSpec =
        OptimizerSpec::Sgd { learning_rate: 0.1, momentum: 0.9, nesterov: true, weight_decay: 0.2 };

    #[test]
    fn offsets_do_not_decay_and_rotations_have_their_own_rates() {
        let method = json!({
            "kind": "opt", "transform": "cayley", "init": "identity", "neurons": "fixed", "neuron_mean": 0.0,
            "refine_steps": 0, "learning_rate": 7.0, "weight_decay": 0.3, "layers": "all",
        });
        let method: MethodSpec = serde_json::from_value(method).unwrap();
        assert_eq!(rates(&SGD, &method, Role::Weight), (0.1, 0.2));
        assert_eq!(rates(&SGD, &method, Role::Offset), (0.1, 0.0));
        assert_eq!(rates(&SGD, &method, Role::Rotation), (7.0, 0.3));
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
            let _ = self.0.parameters().remove(0).tensor.f_fill_(rate)?;
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
        let mut optimizer = Optimizer::new(&SGD, None, &MethodSpec::BASELINE, &[&mut x]);
        x.value().sum(Kind::Float).backward();
        optimizer.step(vec![&mut x], 0.5, 1).unwrap();
        assert_eq!(x.parameters()[0].tensor.double_value(&[0]), f64::from(0.05f32));
        assert!(optimizer.slots[0].memory.tensors.is_empty());
        // Its next value is the new one.
        assert_eq!(x.value().double_value(&[0]), f64::from(0.05f32));
    }

    #[test]
    fn a_replaced_parameter_starts_with_empty_memory() {
        let mut x = own_rule(Role::Weight);
        let mut optimizer = Optimizer::new(&SGD, None, &MethodSpec::BASELINE, &[&mut x]);
        let remembered = [1, 2, 3].map(|update| {
            x.value().sum(Kind::Float).backward();
            optimizer.step(vec![&mut x], 1.0, update).unwrap();
            optimizer.slots[0].memory.updates
        });
        assert_eq!(remembered, [1, 0, 1]);
    }
}
