//! The penalties that the compared methods add to their loss.

use optlab_opt::{EnergyConfig, energy_penalty, frobenius_penalty, srip_penalty};
use optlab_spec::{MethodSpec, SoftForm};
use tch::{Kind, Tensor};

use crate::failure::JobError;
use crate::network::Network;
use crate::random::{self, Purpose};

/// A penalty on the weights of every method layer.
#[derive(Clone, Copy, Debug)]
pub struct Penalty {
    kind: PenaltyKind,
    weight: f64,
    seed: u64,
}

#[derive(Clone, Copy, Debug)]
enum PenaltyKind {
    Energy(EnergyConfig),
    SoftOrthogonality(SoftForm),
}

impl Penalty {
    /// The penalty of an arm, if it has one. Relaxed OPT's own is part of its rotations' gradient.
    pub fn of(method: &MethodSpec, seed: u64) -> Option<Self> {
        let (kind, weight) = match *method {
            MethodSpec::Mhe { power, half_space, weight } => {
                (PenaltyKind::Energy(EnergyConfig { power: u32::from(power), half_space }), weight)
            }
            MethodSpec::SoftOrthogonal { form, weight } => (PenaltyKind::SoftOrthogonality(form), weight),
            MethodSpec::Baseline { .. } | MethodSpec::Opt(_) => return None,
        };
        Some(Self { kind, weight, seed })
    }

    /// The weighted sum over the method layers, a scalar on the graph of the weights, for the update that follows
    /// `step` completed ones.
    ///
    /// # Errors
    /// libtorch's own.
    pub fn value(&self, network: &Network, step: u64) -> Result<Tensor, JobError> {
        let mut values = Vec::new();
        for (layer, weight) in network.method_layers() {
            let weight = weight.value();
            values.push(match self.kind {
                PenaltyKind::Energy(config) => energy_penalty(weight, &config)?,
                PenaltyKind::SoftOrthogonality(SoftForm::Frobenius) => frobenius_penalty(weight)?,
                PenaltyKind::SoftOrthogonality(SoftForm::Srip) => {
                    let smaller = weight.size().into_iter().min().unwrap_or(0);
                    let stream = random::stream(self.seed, Purpose::PowerIteration(layer, step));
                    let start = random::gaussian(stream, [1, smaller], 1.0, weight.device())?.f_view([-1])?;
                    srip_penalty(weight, &start)?
                }
            });
        }
        Ok(Tensor::f_stack(&values, 0)?.f_sum(Kind::Float)?.f_mul_scalar(self.weight)?)
    }
}
