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
