//! The training loop, the same for every arm.

use optlab_domain::{Request, series};
use optlab_spec::TrainSpec;
use tch::{Kind, Reduction, Tensor};

use crate::checkpoint::Checkpoints;
use crate::evaluation;
use crate::failure::JobError;
use crate::inbox::Requests;
use crate::job::Job;
use crate::layers::Mode;
use crate::meter::{Meter, Update};

/// Approximate number of points of the learning rate, which is a smooth curve.
const RATE_POINTS: u64 = 500;

/// How far a job was trained.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reached {
    /// Its end.
    End,
    /// The step at which a pause was requested or due.
    Pause,
}

/// Steps the job to its end, or to a pause.
///
/// # Errors
/// Whatever stops it. If that is a request or a loss that is not finite, every point up to there is sent.
pub fn train(
    job: &mut Job<'_>,
    meter: &mut Meter<'_>,
    requests: &Requests<'_>,
    checkpoints: &mut Checkpoints<'_>,
) -> Result<Reached, JobError> {
    let result = run(job, meter, requests, checkpoints).map_err(|error| cause(error, meter));
    match result {
        Ok(_) => meter.flush().and(result),
        Err(JobError::Cancelled { .. } | JobError::Diverged { .. }) => meter.salvage().and(result),
        Err(_) => result,
    }
}

fn run(
    job: &mut Job<'_>,
    meter: &mut Meter<'_>,
    requests: &Requests<'_>,
    checkpoints: &mut Checkpoints<'_>,
) -> Result<Reached, JobError> {
    let cadence = Cadence::of(&job.spec.train);
    let start = job.resumed_at.unwrap_or(0);
    // A resumed job measures again too, because the store deletes the points of step 0 when an attempt begins there.
    if start == 0 {
        measure(job, meter, requests, &cadence, 0)?;
    }
    meter.resume();
    for step in start + 1..=cadence.steps {
        if let Some(request) = requests.now(step - 1)? {
            checkpoints.write(job, step - 1, meter)?;
            return match request {
                Request::Cancel => Err(JobError::Cancelled { step: step - 1 }),
                Request::Pause => Ok(Reached::Pause),
            };
        }
        update(job, step, |noted| meter.updated(noted))?;
        if cadence.is_due(cadence.rate, step) || step == 1 {
            let spec = &job.spec.train;
            meter.point(series::LEARNING_RATE, step, spec.optimizer.learning_rate() * spec.rate_factor(step));
        }
        measure(job, meter, requests, &cadence, step)?;
        // The end is reported separately, and leaves the weights.
        if step == cadence.steps {
            break;
        }
        if checkpoints.is_due(step) {
            checkpoints.write(job, step, meter)?;
        } else {
            meter.flush_if_due()?;
        }
    }
    Ok(Reached::End)
}

/// A network of NaNs may fail in a factorisation before the loss that caused them is read.
fn cause(error: JobError, meter: &mut Meter<'_>) -> JobError {
    if matches!(error, JobError::Opt(_) | JobError::Torch(_))
        && let Err(diverged @ JobError::Diverged { .. }) = meter.pause()
    {
        return diverged;
    }
    match error {
        // The loss was finite and its gradient was not.
        JobError::Opt(optlab_opt::Error::NotFinite) => {
            JobError::Diverged { series: series::TRAIN_LOSS, step: meter.step() }
        }
        error => error,
    }
}

/// The steps of each measurement, in completed updates.
struct Cadence {
    steps: u64,
    rate: u64,
    evaluate: u64,
    energy: u64,
}

impl Cadence {
    fn of(spec: &TrainSpec) -> Self {
        let (steps, log) = (spec.total_steps(), spec.log_every_steps);
        Self {
            steps,
            rate: log * (steps / (log * RATE_POINTS)).max(1),
            evaluate: spec.evaluate_every_steps(),
            energy: spec.energy.every_steps,
        }
    }

    fn is_due(&self, every: u64, step: u64) -> bool {
        step.is_multiple_of(every) || step == self.steps
    }
}

/// Update number `step`, from 1: one step of every trained tensor. `note` gets the loss before it is used, because
/// later operations may fail if it is not finite.
///
/// # Errors
/// libtorch's own.
pub fn update(job: &mut Job<'_>, step: u64, note: impl FnOnce(Update)) -> Result<(), JobError> {
    let spec = &job.spec.train;
    let batch = job.data.batches.after(step - 1)?;
    let logits = job.network.forward(&batch.xs, Mode::Train)?;
    let unweighted = None::<Tensor>;
    let loss = logits.f_cross_entropy_loss(
        &batch.labels,
        unweighted,
        Reduction::Mean,
        -100,
        spec.label_smoothing,
    )?;
    let logged = step.is_multiple_of(spec.log_every_steps);
    let accuracy = logged.then(|| percent_right(&logits, &batch.labels)).transpose()?;
    note(Update { step, samples: spec.batch_size, loss: loss.f_detach()?, accuracy });

    match &job.penalty {
        None => loss.f_backward()?,
        Some(penalty) => loss.f_add(&penalty.value(&job.network, step - 1)?)?.f_backward()?,
    }
    job.optimizer.step(job.network.trained(), spec.rate_factor(step), step)?;
    job.average.update(&mut job.network, step)?;
    Ok(())
}

/// A tensor without dimensions, on the device of `logits`.
fn percent_right(logits: &Tensor, labels: &Tensor) -> Result<Tensor, JobError> {
    let right = logits.f_argmax(1, false)?.f_eq_tensor(labels)?;
    Ok(right.f_sum(Kind::Double)?.f_mul_scalar(100.0 / labels.size()[0] as f64)?)
}

/// Measures what is due after `step` updates.
fn measure(
    job: &mut Job<'_>,
    meter: &mut Meter<'_>,
    requests: &Requests<'_>,
    cadence: &Cadence,
    step: u64,
) -> Result<(), JobError> {
    let (evaluate, energy) = (cadence.is_due(cadence.evaluate, step), cadence.is_due(cadence.energy, step));
    if !evaluate && !energy {
        return Ok(());
    }
    // A diverged network is not measured, and the following is not training time.
    meter.pause()?;
    if evaluate {
        let held_out =
            job.data.validation.iter().map(|set| (set, series::VALIDATION_LOSS, series::VALIDATION_ACCURACY));
        let sets =
            held_out.chain(job.data.test.iter().map(|set| (set, series::TEST_LOSS, series::TEST_ACCURACY)));
        for (images, loss_series, accuracy_series) in sets {
            let evaluation = job.average.show(&mut job.network, |network| {
                evaluation::evaluate(network, images, || {
                    requests.check(step).and_then(|()| meter.keep_alive())
                })
            })??;
            if !evaluation.loss.is_finite() {
                return Err(JobError::Diverged { series: loss_series, step });
            }
            meter.point(loss_series, step, evaluation.loss);
            meter.point(accuracy_series, step, evaluation.accuracy);
        }
    }
    if energy {
        job.geometry.measure(&job.network, step, meter)?;
    }
    meter.resume();
    Ok(())
}

#[cfg(test)]
mod tests {
    use tch::Device;

    use super::*;
    use crate::pipe::EventPipe;

    /// The error to report for an error of libtorch in an update after these losses.
    fn error_after(losses: &[f32]) -> JobError {
        let mut pipe = EventPipe::to(tempfile::tempfile().unwrap());
        let mut meter = Meter::new(&mut pipe, 0);
        for (step, &loss) in (1..).zip(losses) {
            let loss = Tensor::from(loss);
            meter.updated(Update { step, samples: 1, loss, accuracy: None });
        }
        let wrong_sizes = Tensor::zeros([2, 3], (Kind::Float, Device::Cpu));
        cause(wrong_sizes.f_matmul(&wrong_sizes).unwrap_err().into(), &mut meter)
    }

    #[test]
    fn an_error_after_a_loss_that_is_not_finite_is_attributed_to_the_loss() {
        let error = error_after(&[1.0, f32::INFINITY, f32::NAN]);
        assert!(matches!(error, JobError::Diverged { series: series::TRAIN_LOSS, step: 2 }), "{error}");
        let error = error_after(&[1.0, 2.0]);
        assert!(matches!(error, JobError::Torch(_)), "{error}");
    }
}
