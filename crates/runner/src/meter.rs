//! Collects points and sends them together; the values of updates stay on the device until then.

use std::fmt;
use std::mem;
use std::time::{Duration, Instant};

use optlab_domain::series;
use optlab_opt::host;
use optlab_spec::protocol::{Artifact, Event, Point};
use tch::{Kind, TchError, Tensor};

use crate::clock;
use crate::failure::JobError;
use crate::pipe::EventPipe;

/// Wall time between two flushes: short enough for a live chart.
const PACE: Duration = Duration::from_millis(500);
/// Interval between two flushes during an evaluation.
const LONGEST_SILENCE: Duration = Duration::from_secs(10);
/// Updates between two flushes at most, so that no line of the protocol grows long.
const MOST_UPDATES: usize = 1000;

/// Collects a job's points and sends them in the order of their steps.
pub struct Meter<'a> {
    pipe: &'a mut EventPipe,
    /// Completed updates.
    step: u64,
    points: Vec<Point>,
    updates: Vec<Measured>,
    throughput: Throughput,
    flushed: Instant,
}

/// The measurements of an update: tensors without dimensions, on the device.
pub struct Update {
    /// Its number, from 1.
    pub step: u64,
    /// Its number of samples.
    pub samples: u64,
    /// The loss of its batch, which is checked at every step.
    pub loss: Tensor,
    /// Accuracy in percent, if the step is logged.
    pub accuracy: Option<Tensor>,
}

struct Measured {
    update: Update,
    time_ms: i64,
}

/// Samples over training time.
struct Throughput {
    samples: u64,
    time: Duration,
    /// `None` while it does not train.
    running_since: Option<Instant>,
}

impl<'a> Meter<'a> {
    /// A meter of a job that has completed `step` updates. Training time runs from [`resume`](Self::resume)
    /// on.
    pub fn new(pipe: &'a mut EventPipe, step: u64) -> Self {
        let throughput = Throughput { samples: 0, time: Duration::ZERO, running_since: None };
        let flushed = clock::instant();
        Self { pipe, step, points: Vec::new(), updates: Vec::new(), throughput, flushed }
    }

    /// Completed updates.
    pub fn step(&self) -> u64 {
        self.step
    }

    /// Records an update.
    pub fn updated(&mut self, update: Update) {
        self.step = update.step;
        self.throughput.samples += update.samples;
        self.updates.push(Measured { update, time_ms: clock::unix_ms() });
    }

    /// Records a value; a value that is not finite is dropped.
    pub fn point(&mut self, series: &str, step: u64, value: f64) {
        let point = Point { series: series.to_owned(), step, value, time_ms: clock::unix_ms() };
        self.points.extend(value.is_finite().then_some(point));
    }

    /// Sends a sentence for the job's log.
    ///
    /// # Errors
    /// [`JobError::Pipe`].
    pub fn log(&mut self, message: impl fmt::Display) -> Result<(), JobError> {
        Ok(self.pipe.log(message)?)
    }

    /// Reports a checkpoint.
    ///
    /// # Errors
    /// [`JobError::Pipe`].
    pub fn checkpoint(&mut self, step: u64, file: Artifact) -> Result<(), JobError> {
        let Artifact { file, sha256, bytes } = file;
        Ok(self.pipe.send(&Event::Checkpoint { step, file, sha256, bytes })?)
    }

    /// Waits for the device, reads what updates left there, and stops the training time.
    ///
    /// # Errors
    /// [`JobError::Diverged`] at the first update whose loss is not finite.
    pub fn pause(&mut self) -> Result<(), JobError> {
        let settled = self.settle();
        if let Some(since) = self.throughput.running_since.take() {
            self.throughput.time += since.elapsed();
        }
        settled
    }

    /// Resumes the training time.
    pub fn resume(&mut self) {
        self.throughput.running_since = Some(clock::instant());
    }

    /// Sends everything if a flush is due.
    ///
    /// # Errors
    /// Those of [`flush`](Self::flush).
    pub fn flush_if_due(&mut self) -> Result<(), JobError> {
        if self.updates.len() < MOST_UPDATES && self.flushed.elapsed() < PACE {
            return Ok(());
        }
        self.flush()?;
        self.resume();
        Ok(())
    }

    /// Sends everything.
    ///
    /// # Errors
    /// [`JobError::Diverged`], after which [`salvage`](Self::salvage) can be called, or [`JobError::Pipe`].
    pub fn flush(&mut self) -> Result<(), JobError> {
        self.pause()?;
        let Throughput { samples, time, .. } = self.throughput;
        if samples > 0 {
            self.point(series::SAMPLES_PER_SECOND, self.step, samples as f64 / time.as_secs_f64());
        }
        self.throughput = Throughput { samples: 0, time: Duration::ZERO, running_since: None };
        self.send()
    }

    /// Sends the available points of a job that ends early.
    ///
    /// # Errors
    /// [`JobError::Pipe`], or libtorch's own.
    pub fn salvage(&mut self) -> Result<(), JobError> {
        match self.settle() {
            Ok(()) | Err(JobError::Diverged { .. }) => self.send(),
            Err(error) => Err(error),
        }
    }

    /// Flushes during a long evaluation, because the worker takes a long silence for a hang.
    ///
    /// # Errors
    /// [`JobError::Pipe`].
    pub fn keep_alive(&mut self) -> Result<(), JobError> {
        if self.flushed.elapsed() < LONGEST_SILENCE { Ok(()) } else { self.send() }
    }

    fn send(&mut self) -> Result<(), JobError> {
        let mut points = mem::take(&mut self.points);
        points.sort_by_key(|point| point.step);
        self.pipe.send(&Event::Flush { points, step: self.step })?;
        self.flushed = clock::instant();
        Ok(())
    }

    /// Converts updates to points with two copies from the device, whatever their number.
    fn settle(&mut self) -> Result<(), JobError> {
        let updates = mem::take(&mut self.updates);
        let losses = values(updates.iter().map(|measured| &measured.update.loss))?;
        let mut accuracies =
            values(updates.iter().filter_map(|measured| measured.update.accuracy.as_ref()))?.into_iter();
        for (Measured { update, time_ms }, loss) in updates.into_iter().zip(losses) {
            let step = update.step;
            if !loss.is_finite() {
                // Later measurements belong to a diverged network.
                self.points.retain(|point| point.step < step);
                self.step = step;
                return Err(JobError::Diverged { series: series::TRAIN_LOSS, step });
            }
            if let Some(accuracy) = update.accuracy.and_then(|_| accuracies.next()) {
                let point = |series: &str, value| Point { series: series.to_owned(), step, value, time_ms };
                self.points
                    .extend([point(series::TRAIN_LOSS, loss), point(series::TRAIN_ACCURACY, accuracy)]);
            }
        }
        Ok(())
    }
}

fn values<'a>(tensors: impl Iterator<Item = &'a Tensor>) -> Result<Vec<f64>, TchError> {
    let tensors: Vec<&Tensor> = tensors.collect();
    if tensors.is_empty() {
        return Ok(Vec::new());
    }
    host::numbers(&Tensor::f_stack(&tensors, 0)?.f_to_kind(Kind::Double)?)
}
