//! The exponential moving average of a network's effective weights (Polyak and Juditsky, SIAM Journal on Control and
//! Optimization 30(4), 1992, average with equal weights; Tarvainen and Valpola, NeurIPS 2017, as here).

use optlab_opt::State;
use tch::{TchError, Tensor};

use crate::network::Network;
use crate::trained::{Parts, Trained};

/// One average for each trained tensor, of its effective value: of a rotated weight W, whose average is not a rotation
/// of its neurons. Running statistics of batch normalisation are averages already and stay as they are.
#[derive(Debug)]
pub struct Average {
    decay: f64,
    /// By name of the trained tensor; empty without averaging.
    values: Vec<(String, Tensor)>,
}

impl Average {
    /// Starts at the current weights; does nothing without a `decay`.
    ///
    /// # Errors
    /// libtorch's own.
    pub fn new(decay: Option<f64>, network: &mut Network) -> Result<Self, TchError> {
        let copy =
            |trained: &mut dyn Trained| Ok((trained.name().to_owned(), trained.value().f_detach_copy()?));
        let copies = network.trained().into_iter().map(copy);
        let values = if decay.is_some() { copies.collect::<Result<_, TchError>>()? } else { Vec::new() };
        Ok(Self { decay: decay.unwrap_or(0.0), values })
    }

    /// Adds the weights after update number `update`, from 1: a <- b a + (1 - b) w. As in TensorFlow's
    /// `ExponentialMovingAverage`, b = min(decay, (1 + t) / (10 + t)) after t earlier updates: the first weights,
    /// which were drawn and not learned, are soon forgotten.
    ///
    /// # Errors
    /// libtorch's own.
    pub fn update(&mut self, network: &mut Network, update: u64) -> Result<(), TchError> {
        let _guard = tch::no_grad_guard();
        let t = (update - 1) as f64;
        let decay = self.decay.min((1.0 + t) / (10.0 + t));
        for ((_, value), trained) in self.values.iter_mut().zip(network.trained()) {
            let _ = value.f_lerp_(trained.value(), 1.0 - decay)?;
        }
        Ok(())
    }

    /// The state on which the next update depends.
    pub fn state(&self) -> Parts<'static> {
        let part = |(name, value): &(String, Tensor)| {
            (format!("average.{name}"), State::Tensor(value.shallow_clone()))
        };
        self.values.iter().map(part).collect()
    }

    /// Calls `look` with the averaged weights in the network. Nothing is copied, and the trained weights are the same
    /// afterwards, to the last bit.
    ///
    /// # Errors
    /// libtorch's own.
    pub fn show<T>(&self, network: &mut Network, look: impl FnOnce(&Network) -> T) -> Result<T, TchError> {
        let own = network.trained().into_iter().map(|trained| trained.value().f_detach());
        let own = own.collect::<Result<Vec<_>, _>>()?;
        stand_in(self.values.iter().map(|(_, value)| value), network)?;
        let seen = look(network);
        stand_in(own.iter(), network)?;
        Ok(seen)
    }
}

fn stand_in<'a>(values: impl Iterator<Item = &'a Tensor>, network: &mut Network) -> Result<(), TchError> {
    for (value, trained) in values.zip(network.trained()) {
        trained.value().shallow_clone().f_set_data(value)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use optlab_spec::architecture::Task;
    use optlab_spec::{ModelSpec, Precision};
    use serde_json::json;
    use tch::Device;

    use super::*;
    use crate::start::Start;

    fn network() -> Network {
        let model = json!({ "kind": "mlp", "hidden": [4], "batch_norm": true });
        let model: ModelSpec = serde_json::from_value(model).unwrap();
        let architecture = model.architecture(&Task { shape: [1, 8, 8], classes: 10 }).unwrap();
        Network::new(&architecture, Precision::Float32, Start::baseline(3)).unwrap()
    }

    fn values(network: &mut Network) -> Vec<Tensor> {
        network.trained().into_iter().map(|trained| trained.value().copy()).collect()
    }

    /// Adds `change` to every number of the network.
    fn train(network: &mut Network, change: f64) {
        for trained in network.trained() {
            let _ = trained.parameters()[0].tensor.f_add_scalar_(change).unwrap();
            trained.refresh().unwrap();
        }
    }

    #[test]
    fn the_average_forgets_its_start_quickly() {
        let mut network = network();
        let start = values(&mut network);
        let mut average = Average::new(Some(0.15), &mut network).unwrap();
        // Decays of 1/10 and 2/11 at first, of which the second is above 0.15.
        for update in 1..=2 {
            train(&mut network, 1.0);
            average.update(&mut network, update).unwrap();
        }
        let expected = 0.15 * 0.9 + 0.85 * 2.0;
        let seen = average.show(&mut network, |_| ()).map(|()| &average.values).unwrap();
        for ((_, value), start) in seen.iter().zip(&start) {
            assert!(value.allclose(&(start + expected), 1e-5, 1e-6, false));
        }
    }

    #[test]
    fn showing_the_average_does_not_affect_training() {
        let mut network = network();
        let mut average = Average::new(Some(0.5), &mut network).unwrap();
        train(&mut network, 1.0);
        average.update(&mut network, 1).unwrap();
        let own = values(&mut network);
        let xs = Tensor::ones([2, 1, 8, 8], (tch::Kind::Float, Device::Cpu));
        let logits = |network: &Network| network.forward(&xs, crate::layers::Mode::Evaluate).unwrap();
        let before = logits(&network);
        assert_ne!(average.show(&mut network, logits).unwrap(), before);
        assert_eq!((values(&mut network), logits(&network)), (own, before));
        // The stepped and the used weight still share their memory.
        for trained in network.trained() {
            let tensor = trained.parameters().remove(0).tensor;
            let _ = tensor.shallow_clone().f_add_scalar_(1.0).unwrap();
            assert_eq!(tensor, trained.value().detach());
        }
    }

    #[test]
    fn without_a_decay_the_network_is_shown_unchanged() {
        let mut network = network();
        let mut average = Average::new(None, &mut network).unwrap();
        train(&mut network, 1.0);
        average.update(&mut network, 1).unwrap();
        let bias = |network: &Network| network.method_layers().next().unwrap().1.value().detach();
        let own = bias(&network);
        assert_eq!(average.show(&mut network, bias).unwrap(), own);
    }
}
