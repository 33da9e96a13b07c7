//! Loss and accuracy over a whole set of images.

use optlab_opt::host;
use tch::{Kind, Reduction, Tensor};

use crate::data::Images;
use crate::failure::JobError;
use crate::layers::Mode;
use crate::network::Network;

/// Means over the images.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Evaluation {
    /// Cross-entropy, in nats.
    pub loss: f64,
    /// In percent.
    pub accuracy: f64,
}

/// Evaluates `network` in its present state; `check` is called before each batch and may stop it.
///
/// # Errors
/// Errors of `check`, and libtorch's own.
pub fn evaluate(
    network: &Network,
    images: &Images,
    mut check: impl FnMut() -> Result<(), JobError>,
) -> Result<Evaluation, JobError> {
    let _guard = tch::no_grad_guard();
    // Sums stay on the device and are read once.
    let mut sums = Vec::new();
    let chunk = images.chunk();
    for start in (0..images.len()).step_by(chunk as usize) {
        check()?;
        let batch = images.slice(start, chunk)?;
        let logits = network.forward(&batch.xs, Mode::Evaluate)?;
        let unweighted = None::<Tensor>;
        let loss = logits.f_cross_entropy_loss(&batch.labels, unweighted, Reduction::None, -100, 0.0)?;
        let right = logits.f_argmax(1, false)?.f_eq_tensor(&batch.labels)?;
        sums.push(Tensor::f_stack(&[loss.f_sum(Kind::Double)?, right.f_sum(Kind::Double)?], 0)?);
    }
    let means = Tensor::f_stack(&sums, 0)?.f_sum_dim_intlist(0, false, Kind::Double)?;
    let means = host::numbers(&means.f_div_scalar(images.len())?)?;
    Ok(Evaluation { loss: means[0], accuracy: 100.0 * means[1] })
}
