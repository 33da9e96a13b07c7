//! Energies and penalties of the drawn neurons.

use optlab_opt::{
    EnergyConfig, energy_penalty, frobenius_penalty, hyperspherical_energy, refine, srip_penalty,
};
use tch::{Kind, Tensor};

use super::figures::{Draws, Figures};
use crate::error::CheckError;

/// Measures the draws where they are.
type Measure = fn(&Draws) -> Result<Figures, CheckError>;

const WHOLE: EnergyConfig = EnergyConfig { power: 1, half_space: false };
const HALF: EnergyConfig = EnergyConfig { power: 2, half_space: true };
const LOGARITHMIC: EnergyConfig = EnergyConfig { power: 0, half_space: false };

/// Every energy and penalty, and the refinement of neurons.
pub const MEASURES: [(&str, Measure); 8] = [
    ("energy", |draws| energy(draws, &WHOLE)),
    ("half-space energy, s = 2", |draws| energy(draws, &HALF)),
    ("logarithmic energy", |draws| energy(draws, &LOGARITHMIC)),
    ("energy penalty", |draws| penalty(draws, |weight| energy_penalty(weight, &WHOLE))),
    ("half-space energy penalty, s = 2", |draws| penalty(draws, |weight| energy_penalty(weight, &HALF))),
    ("soft orthogonality", |draws| penalty(draws, frobenius_penalty)),
    ("srip", |draws| {
        // Any vector that is not 0 starts the power iteration.
        let start = draws.neurons.f_select(if draws.n <= draws.d { 1 } else { 0 }, 0)?;
        penalty(draws, |weight| srip_penalty(weight, &start))
    }),
    ("refinement", |draws| {
        let refined = refine(&draws.neurons, &WHOLE, 5)?;
        Ok(Figures { tensors: vec![("value_error", refined)], distances: Vec::new() })
    }),
];

fn energy(draws: &Draws, config: &EnergyConfig) -> Result<Figures, CheckError> {
    let energy = Tensor::from(hyperspherical_energy(&draws.neurons, config)?);
    Ok(Figures { tensors: vec![("value_error", energy)], distances: Vec::new() })
}

/// The value and the gradient at the weight.
fn penalty(
    draws: &Draws,
    penalty: impl FnOnce(&Tensor) -> Result<Tensor, optlab_opt::Error>,
) -> Result<Figures, CheckError> {
    let weight = draws.neurons.f_detach()?.f_set_requires_grad(true)?;
    let value = penalty(&weight)?;
    value.f_to_kind(Kind::Double)?.f_backward()?;
    let tensors = vec![("value_error", value.f_detach()?), ("gradient_error", weight.f_grad()?)];
    Ok(Figures { tensors, distances: Vec::new() })
}
