//! The cost of one layer by the length of its neurons.

use optlab_runner::clock;
use optlab_runner::optimizer::Optimizer;
use optlab_runner::random::{self, Purpose};
use optlab_runner::start::Start;
use optlab_runner::weight::Weight;
use tch::{Device, Kind, TchError, Tensor};

use super::networks::NETWORKS;
use super::rounds::median;
use super::trainer::{spec, synchronize};
use crate::error::{CheckError, caught};

/// Lengths of neurons that are measured.
pub const DIMENSIONS: [i64; 4] = [288, 576, 1152, 2048];
/// Neurons of the layer.
pub const NEURONS: i64 = 128;

/// Milliseconds that a method adds to a step, from dL/dW to the next W, of a layer of [`NEURONS`] neurons of length `d`:
/// the median of `rounds`.
///
/// # Errors
/// libtorch's own.
pub fn of_rotation(method: &str, d: i64, device: Device, rounds: u64) -> Result<f64, CheckError> {
    caught(|| {
        // The layer is made below; the job gives its method and optimizer.
        let job = spec(&NETWORKS[0], method);
        let start = Start { method: &job.method, seed: 0, device, updates: 0 };
        let mut weight = Weight::by_method(start, "layer", d, NEURONS)?;
        let mut optimizer = Optimizer::new(&job.train.optimizer, None, &job.method, &mut [weight.trained()])?;
        let gradient = drawn(NEURONS, d, 1e-3, device)?;
        let mut times = Vec::new();
        for update in 1..=1 + rounds {
            weight.value().f_mul(&gradient)?.f_sum(Kind::Float)?.f_backward()?;
            synchronize(device);
            let began = clock::instant();
            optimizer.step(vec![weight.trained()], 1.0, update)?;
            synchronize(device);
            times.push(1e3 * began.elapsed().as_secs_f64());
        }
        Ok(median(&mut times[1..]))
    })
}

/// Random neurons, `[n, d]`.
///
/// # Errors
/// libtorch's own.
pub fn drawn(n: i64, d: i64, standard_deviation: f64, device: Device) -> Result<Tensor, TchError> {
    let stream = random::stream(0, Purpose::Neurons("benchmark"));
    random::gaussian(stream, [n, d], standard_deviation, device)
}
