//! What is measured of a rotation: W, its gradients, and how exactly angles are kept.

use optlab_opt::{Error, Rotation, gram_drift, orthogonality_error};

use super::figures::{Draws, Figures};
use crate::error::CheckError;

/// Own steps, which include a repair of the drift.
const STEPS: usize = 60;
const RATE: f64 = 0.01;

/// Measures a rotation of the drawn neurons, which it may step; its distance from orthogonality where it `is_orthogonal`.
///
/// # Errors
/// libtorch's own.
pub fn figures(
    mut rotation: Box<dyn Rotation>,
    draws: &Draws,
    is_orthogonal: bool,
) -> Result<Figures, CheckError> {
    if rotation.own_step().is_some() {
        return stepped(rotation, draws);
    }
    let rotated = rotation.rotate(&draws.neurons)?;
    let mut found = Figures::default();
    found.tensors.push(("gradient_error", rotated.pullback.gradient(&draws.gradient)?));
    match rotated.pullback.frozen_gradient(&draws.gradient) {
        Ok(gradient) => found.tensors.push(("neurons_error", gradient)),
        Err(Error::NoRotation { .. }) => {}
        Err(error) => return Err(error.into()),
    }
    if is_orthogonal {
        found.distances.push(("gram_drift", gram_drift(&rotated.weight, &draws.neurons)?));
        if let Some(r) = rotation.matrix()? {
            found.distances.push(("orthogonality_error", orthogonality_error(&r)?));
        }
    }
    found.tensors.insert(0, ("weight_error", rotated.weight));
    Ok(found)
}

/// W after some steps of its own along one gradient.
fn stepped(mut rotation: Box<dyn Rotation>, draws: &Draws) -> Result<Figures, CheckError> {
    for _ in 0..STEPS {
        if let Some(own) = rotation.own_step() {
            own.step_along(&draws.gradient, RATE)?;
        }
    }
    let weight = rotation.rotate(&draws.neurons)?.weight;
    let drift = gram_drift(&weight, &draws.neurons)?;
    Ok(Figures { tensors: vec![("weight_error", weight)], distances: vec![("gram_drift", drift)] })
}
