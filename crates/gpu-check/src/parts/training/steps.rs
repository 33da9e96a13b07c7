//! Some steps of a job, from its start or from weights that are slightly disturbed.

use optlab_data::{Library, Silent};
use optlab_opt::State;
use optlab_runner::data::DataSource;
use optlab_runner::job::Job;
use optlab_runner::training;
use optlab_spec::JobSpec;
use tch::{Device, Kind, Tensor};

use crate::error::CheckError;

/// What some steps leave.
#[derive(Debug)]
pub struct Trained {
    /// Loss before each update.
    pub losses: Vec<f64>,
    /// Every tensor of the network after the last update, in a row, in float64 on the CPU.
    pub weights: Tensor,
}

impl Trained {
    /// The largest relative difference of a loss from that of `other`, NaN if there is one.
    pub fn difference(&self, other: &Self) -> f64 {
        let pairs = self.losses.iter().zip(&other.losses);
        let differences = pairs.map(|(own, other)| (own / other - 1.0).abs());
        differences.fold(0.0, |most: f64, one| if one.is_nan() || one > most { one } else { most })
    }

    /// ||W - W'|| / ||W'|| over all weights.
    ///
    /// # Errors
    /// libtorch's own.
    pub fn difference_of_weights(&self, other: &Self) -> Result<f64, CheckError> {
        let difference = self.weights.f_sub(&other.weights)?.f_norm()?.f_double_value(&[])?;
        Ok(difference / other.weights.f_norm()?.f_double_value(&[])?)
    }
}

/// Takes at most `steps` steps on the device. Every number of the first network is changed by up to its `disturbance`th
/// part.
///
/// # Errors
/// Those of the job.
pub fn train(spec: &JobSpec, device: Device, steps: u64, disturbance: f64) -> Result<Trained, CheckError> {
    let mut source = DataSource::new(Library::from_env());
    let mut job = Job::prepare(spec, device, &mut source, &mut Silent)?;
    if disturbance > 0.0 {
        disturb(&mut job, disturbance)?;
    }
    let mut losses = Vec::new();
    for step in 1..=spec.train.total_steps().min(steps) {
        training::update(&mut job, step, |update| losses.push(update.loss))?;
    }
    let losses: Result<_, _> = losses.iter().map(|loss| loss.f_double_value(&[])).collect();
    let flat =
        |(_, tensor): &(String, Tensor)| tensor.f_flatten(0, -1)?.f_to(Device::Cpu)?.f_to_kind(Kind::Double);
    let weights: Result<Vec<Tensor>, _> = job.network.tensors()?.iter().map(flat).collect();
    Ok(Trained { losses: losses?, weights: Tensor::f_cat(&weights?, 0)? })
}

fn disturb(job: &mut Job<'_>, disturbance: f64) -> Result<(), CheckError> {
    let _guard = tch::no_grad_guard();
    for (_, state) in job.network.state() {
        if let State::Tensor(mut tensor) = state
            && tensor.kind() == Kind::Float
        {
            let waves = Tensor::f_arange(tensor.numel() as i64, (Kind::Float, tensor.device()))?.f_cos()?;
            let factors = waves.f_mul_scalar(disturbance)?.f_add_scalar(1)?.f_reshape(tensor.size())?;
            let _ = tensor.f_mul_(&factors)?;
        }
    }
    Ok(job.network.trained().into_iter().try_for_each(|trained| trained.refresh())?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cost::TINY_NETWORKS;
    use crate::cost::trainer::spec;

    #[test]
    fn a_disturbance_changes_losses_by_about_its_size() {
        let spec = spec(&TINY_NETWORKS[0], r#"{"kind": "opt", "transform": "gram_schmidt"}"#);
        let train = |disturbance| train(&spec, Device::Cpu, 2, disturbance).unwrap();
        let (whole, same, disturbed) = (train(0.0), train(0.0), train(1e-4));
        assert_eq!((whole.difference(&same), whole.difference_of_weights(&same).unwrap()), (0.0, 0.0));
        let (loss, weights) =
            (disturbed.difference(&whole), disturbed.difference_of_weights(&whole).unwrap());
        assert!((1e-7..1e-2).contains(&loss) && (1e-6..1e-2).contains(&weights), "{loss} {weights}");
    }
}
