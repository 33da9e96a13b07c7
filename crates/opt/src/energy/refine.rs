//! Refined initialisation: neurons moved to lower energy before they are frozen.
//!
//! Source: Liu et al., CVPR 2021 (<https://arxiv.org/abs/2004.04690>).

use tch::{Kind, Tensor};

use super::config::EnergyConfig;
use super::measure::directions;
use super::pairs::count_neurons;
use super::penalty::energy_penalty;
use crate::transform::canonical;
use crate::{Error, host};

/// Relative movement of a neuron below which no lower energy can be found.
const SHORTEST_MOVE: f64 = 1e-12;

/// Moves the directions of the neurons (rows) of `frozen_weight`, `[n, ...]`, down the gradient of their energy,
/// at most `steps` times; their lengths stay. Computed in float64 and returned in the weight's kind.
///
/// The rate needs no parameter: the first step moves the neuron with the largest gradient by its own length. A step
/// that does not lower the energy is halved until it does, and after each success the next step is twice as long. It
/// ends early if no step lowers the energy. Neurons that coincide stay together. Reads from the device.
///
/// # Errors
/// [`Error::NoPairs`] for fewer than two neurons, [`Error::ZeroNeuron`] for one without a direction.
pub fn refine(frozen_weight: &Tensor, config: &EnergyConfig, steps: u32) -> Result<Tensor, Error> {
    count_neurons(frozen_weight)?;
    let rows = frozen_weight.f_detach()?.f_flatten(1, -1)?.f_to_kind(Kind::Double)?;
    let lengths = rows.f_norm_scalaropt_dim(2, 1, true)?;
    let mut neurons = directions(frozen_weight)?;
    let mut rate = None;
    for _ in 0..steps {
        let Some((lower, last_rate)) = descend(&neurons, config, rate)? else { break };
        neurons = lower;
        rate = Some(2.0 * last_rate);
    }
    let refined = neurons.f_mul(&lengths)?.f_view(&frozen_weight.size()[..])?;
    canonical(&refined.f_to_kind(frozen_weight.kind())?)
}

/// Directions of lower energy, and the rate that led there from `first_rate`; `None` if no rate does.
fn descend(
    neurons: &Tensor,
    config: &EnergyConfig,
    first_rate: Option<f64>,
) -> Result<Option<(Tensor, f64)>, Error> {
    let leaf = neurons.f_detach()?.f_set_requires_grad(true)?;
    let (energy, gradient) = tch::with_grad(|| -> Result<_, Error> {
        let energy = energy_penalty(&leaf, config)?;
        let [gradient] = <[Tensor; 1]>::try_from(Tensor::f_run_backward(&[&energy], &[&leaf], false, false)?)
            .expect("one gradient for one input");
        Ok((host::number(&energy)?, gradient))
    })?;
    let _guard = tch::no_grad_guard();
    // Tangent to the sphere, because the energy takes the lengths out.
    let hardest = host::number(&gradient.f_norm_scalaropt_dim(2, 1, false)?.f_max()?)?;
    let mut rate = first_rate.unwrap_or(1.0 / hardest);
    while rate * hardest > SHORTEST_MOVE {
        let moved = directions(&neurons.f_sub(&gradient.f_mul_scalar(rate)?)?)?;
        if host::number(&energy_penalty(&moved, config)?)? < energy {
            return Ok(Some((moved, rate)));
        }
        rate *= 0.5;
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::draws::gaussian;
    use crate::hyperspherical_energy;

    const CONFIGS: [EnergyConfig; 3] = [
        EnergyConfig { power: 1, half_space: false },
        EnergyConfig { power: 2, half_space: true },
        EnergyConfig { power: 0, half_space: false },
    ];

    fn energy(weight: &Tensor, config: &EnergyConfig) -> f64 {
        hyperspherical_energy(weight, config).unwrap()
    }

    #[test]
    fn lowers_the_energy_with_every_step_and_keeps_lengths() {
        for config in CONFIGS {
            // More neurons than dimensions, fewer, and a mean that they share.
            for weight in [
                gaussian(&[40, 12], 1, Kind::Float),
                gaussian(&[12, 40], 2, Kind::Float),
                gaussian(&[16, 16], 3, Kind::Float) + 2.0,
            ] {
                let energies: Vec<f64> =
                    (0..12).map(|steps| energy(&refine(&weight, &config, steps).unwrap(), &config)).collect();
                assert!(energies.windows(2).all(|pair| pair[1] < pair[0]), "{config:?}: {energies:?}");
                let lengths = |weight: &Tensor| weight.norm_scalaropt_dim(2, [1], false);
                let refined = refine(&weight, &config, 12).unwrap();
                assert!(lengths(&refined).allclose(&lengths(&weight), 1e-6, 0.0, false));
                assert_eq!((refined.kind(), refined.stride()), (Kind::Float, weight.stride()));
            }
        }
    }

    #[test]
    fn ends_at_the_simplex() {
        // The minimum for n <= d + 1: all distances equal.
        let config = EnergyConfig::default();
        for (n, d) in [(3, 2), (4, 3), (5, 8)] {
            let refined = refine(&gaussian(&[n, d], 1, Kind::Double), &config, 1000).unwrap();
            let distance = (2.0 * n as f64 / (n - 1) as f64).sqrt();
            let error = energy(&refined, &config) * distance - 1.0;
            assert!((-1e-12..1e-9).contains(&error), "n = {n} d = {d}: {error}");
            // After that, the energy neither falls nor rises.
            let again = refine(&refined, &config, 10).unwrap();
            assert!(energy(&again, &config) <= energy(&refined, &config) * (1.0 + 1e-14));
        }
    }

    #[test]
    fn is_deterministic_and_works_without_gradients() {
        let filters = gaussian(&[6, 2, 3, 3], 1, Kind::Float);
        let config = EnergyConfig::default();
        let refined = refine(&filters, &config, 5).unwrap();
        assert_eq!(refined.size(), filters.size());
        assert_eq!(tch::no_grad(|| refine(&filters, &config, 5).unwrap()), refined);
        assert_eq!(refine(&filters, &config, 0).unwrap(), filters);
    }

    #[test]
    fn rejects_neurons_without_energy_and_leaves_immovable_ones() {
        let config = EnergyConfig::default();
        let zero = Tensor::from_slice(&[1.0, 0.0, 0.0, 0.0]).view([2, 2]);
        assert!(matches!(refine(&zero, &config, 1), Err(Error::ZeroNeuron { row: 1 })));
        assert!(matches!(refine(&zero.narrow(0, 0, 1), &config, 1), Err(Error::NoPairs { .. })));
        // In one dimension, neurons cannot move, and two opposite ones are optimal.
        let line = Tensor::from_slice(&[1.0, -2.0, 3.0]).view([3, 1]);
        assert_eq!(refine(&line, &config, 5).unwrap(), line);
        let opposite = Tensor::from_slice(&[1.0, 0.0, -2.0, 0.0]).view([2, 2]);
        assert_eq!(refine(&opposite, &config, 5).unwrap(), opposite);
        let nan = Tensor::from_slice(&[f64::NAN, 1.0, 2.0, 3.0]).view([2, 2]);
        assert!(refine(&nan, &config, 5).unwrap().isnan().any().int64_value(&[]) == 1);
    }
}
