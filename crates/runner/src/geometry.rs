//! Hyperspherical energy and orthogonality of the method layers.

use std::collections::HashSet;
use std::fmt;

use optlab_domain::series;
use optlab_opt::{EnergyConfig, hyperspherical_energy};
use optlab_spec::EnergySpec;

use crate::failure::JobError;
use crate::meter::Meter;
use crate::network::Network;

/// Measures the effective weight of every method layer, in every arm.
#[derive(Debug)]
pub struct Geometry {
    config: EnergyConfig,
    /// Layers with a warning in the log, which is written once per job.
    said: HashSet<String>,
}

impl Geometry {
    /// Measures this energy.
    pub fn new(spec: &EnergySpec) -> Self {
        let config = EnergyConfig { power: u32::from(spec.power), half_space: spec.half_space };
        Self { config, said: HashSet::new() }
    }

    /// Adds the points of `step` to the meter.
    ///
    /// # Errors
    /// libtorch's own, or if the log cannot be written.
    pub fn measure(&mut self, network: &Network, step: u64, meter: &mut Meter<'_>) -> Result<(), JobError> {
        let mut energies = Vec::new();
        for (layer, weight) in network.method_layers() {
            let energy = match hyperspherical_energy(weight.value(), &self.config) {
                Err(optlab_opt::Error::Torch(error)) => return Err(error.into()),
                Err(none) => {
                    self.say(meter, layer, step, &none)?;
                    f64::NAN
                }
                Ok(energy) => energy,
            };
            meter.point(&series::energy(layer), step, energy);
            energies.push(energy);
            let Some(rotated) = weight.rotated() else { continue };
            meter.point(&series::orthogonality_error(layer), step, rotated.orthogonality_error()?);
            if let Some(warning) = rotated.rotation().warning()? {
                self.say(meter, layer, step, &warning)?;
            }
        }
        let mean = energies.iter().sum::<f64>() / energies.len() as f64;
        meter.point(series::ENERGY_MEAN, step, mean);
        Ok(())
    }

    fn say(
        &mut self,
        meter: &mut Meter<'_>,
        layer: &str,
        step: u64,
        what: &dyn fmt::Display,
    ) -> Result<(), JobError> {
        if self.said.insert(layer.to_owned()) {
            meter.log(format_args!("step {step}, layer `{layer}`: {what}"))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use optlab_spec::LeastEnergy;
    use tch::{Device, Kind, Tensor};

    use super::*;
    use crate::random::{Purpose, gaussian, stream};

    /// The energies whose bounds are compared.
    fn specs() -> impl Iterator<Item = EnergySpec> {
        [false, true]
            .into_iter()
            .flat_map(|half_space| (0..=2).map(move |power| EnergySpec { power, half_space, every_steps: 1 }))
    }

    fn measured(spec: &EnergySpec, neurons: &Tensor) -> f64 {
        hyperspherical_energy(neurons, &Geometry::new(spec).config).unwrap()
    }

    fn least(spec: &EnergySpec, neurons: &Tensor) -> LeastEnergy {
        let [n, d] = neurons.size()[..] else { panic!("a matrix") };
        spec.least(n as u64, d as u64).unwrap()
    }

    fn random(n: i64, d: i64) -> Tensor {
        gaussian(stream(0, Purpose::Neurons("x")), [n, d], 1.0, Device::Cpu).unwrap()
    }

    #[test]
    fn a_simplex_and_orthonormal_neurons_have_the_least_energy() {
        for spec in specs() {
            for n in [2i64, 3, 9] {
                let orthonormal = Tensor::eye(n, (Kind::Double, Device::Cpu));
                // The simplex: orthonormal vectors around their centre, in n - 1 of n dimensions.
                let simplex = &orthonormal - 1.0 / n as f64;
                let neurons = if spec.half_space { &orthonormal } else { &simplex };
                let bound = least(&spec, neurons);
                let energy = measured(&spec, neurons);
                assert!(
                    bound.reachable && bound.excess(energy).abs() < 1e-10,
                    "{spec:?}, {n}: {energy} for {bound:?}"
                );
            }
        }
    }

    #[test]
    fn no_neurons_have_less_energy_than_the_bound() {
        for spec in specs() {
            for (n, d) in [(2, 2), (5, 3), (40, 8), (32, 27), (20, 200)] {
                let neurons = random(n, d);
                let bound = least(&spec, &neurons);
                assert!(bound.excess(measured(&spec, &neurons)) > 0.0, "{spec:?}, {n} x {d}");
            }
        }
    }

    /// The percentages were computed with another program.
    #[test]
    fn random_neurons_are_a_little_above_the_bound() {
        for (d, n, whole, half) in
            [(27, 32, 3.2, 1.4), (288, 32, 1.8, 0.14), (576, 64, 0.9, 0.06), (2048, 128, 0.4, 0.02)]
        {
            for (half_space, expected) in [(false, whole), (true, half)] {
                let spec = EnergySpec { power: 1, half_space, every_steps: 1 };
                let neurons = random(n, d);
                let excess = least(&spec, &neurons).excess(measured(&spec, &neurons));
                assert!((excess - expected).abs() < 0.15 * expected, "d {d}, n {n}: {excess} for {expected}");
            }
        }
    }
}
