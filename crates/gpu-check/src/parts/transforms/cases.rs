//! The rotations that are checked, each with its start.

use optlab_opt::{
    Cayley, Descent, DescentForm, Error, GramSchmidt, Householder, Lowdin, Relaxed, Rotation, Stochastic,
    Unconstrained,
};
use tch::{Device, Kind, Tensor};

use super::figures::{Draws, Figures};
use super::rotations;
use crate::error::CheckError;

/// Makes a rotation from the draws.
type New = fn(&Draws) -> Result<Box<dyn Rotation>, Error>;

/// A rotation under a name.
#[derive(Clone, Copy)]
pub struct Case {
    /// Its name in the table.
    pub name: &'static str,
    new: New,
}

/// Every rotation; the slowest last.
pub const CASES: [Case; 14] = [
    Case { name: "cayley", new: |draws| Ok(Box::new(Cayley::new(&draws.raw)?)) },
    Case {
        name: "cayley, N(0, 1)",
        new: |draws| Ok(Box::new(Cayley::new(&draws.raw.f_mul_scalar((draws.d as f64).sqrt())?)?)),
    },
    Case { name: "gram_schmidt", new: |draws| Ok(Box::new(GramSchmidt::new(&draws.raw)?)) },
    Case { name: "householder", new: |draws| Ok(Box::new(Householder::new(&draws.raw)?)) },
    Case {
        name: "householder, from I",
        new: |draws| Ok(Box::new(Householder::rotation(&near_eye(draws)?)?)),
    },
    Case { name: "lowdin, polynomial", new: |draws| Ok(Box::new(Lowdin::polynomial(&near_eye(draws)?)?)) },
    Case { name: "relaxed", new: |draws| Ok(Box::new(Relaxed::new(&draws.raw, 0.1)?)) },
    Case { name: "unconstrained", new: |draws| Ok(Box::new(Unconstrained::new(&draws.raw)?)) },
    Case { name: "s-opt, cayley", new: |draws| stochastic(draws, |raw| Ok(Box::new(Cayley::new(raw)?))) },
    Case {
        name: "s-opt, gram_schmidt",
        new: |draws| stochastic(draws, |raw| Ok(Box::new(GramSchmidt::new(raw)?))),
    },
    Case { name: "descent", new: |draws| Ok(Box::new(Descent::new(&draws.neurons, DescentForm::Omega)?)) },
    Case {
        name: "descent, low rank",
        new: |draws| Ok(Box::new(Descent::new(&draws.neurons, DescentForm::LowRank)?)),
    },
    Case { name: "lowdin, near I", new: |draws| Ok(Box::new(Lowdin::new(&near_eye(draws)?)?)) },
    Case { name: "lowdin", new: |draws| Ok(Box::new(Lowdin::new(&draws.raw)?)) },
];

/// Those without a constraint on R.
const NOT_ORTHOGONAL: [&str; 2] = ["relaxed", "unconstrained"];

impl Case {
    /// What the rotation computes from the draws in this kind and place.
    ///
    /// # Errors
    /// libtorch's own.
    pub fn figures(&self, draws: &Draws, kind: Kind, device: Device) -> Result<Figures, CheckError> {
        let draws = draws.on(kind, device)?;
        rotations::figures((self.new)(&draws)?, &draws, !NOT_ORTHOGONAL.contains(&self.name))
    }
}

/// A matrix as after some updates from I: in the range of every form.
fn near_eye(draws: &Draws) -> Result<Tensor, Error> {
    let eye = Tensor::f_eye(draws.d, (draws.raw.kind(), draws.raw.device()))?;
    Ok(eye.f_add(&draws.raw.f_mul_scalar(0.05)?)?)
}

/// A round that turns every fourth dimension.
fn stochastic(
    draws: &Draws,
    inner: fn(&Tensor) -> Result<Box<dyn Rotation>, Error>,
) -> Result<Box<dyn Rotation>, Error> {
    let p = (draws.d / 4).max(1);
    let turned: Vec<i64> = (0..p).map(|index| 4 * index).collect();
    let raw = draws.raw.f_narrow(0, 0, p)?.f_narrow(1, 0, p)?;
    Ok(Box::new(Stochastic::new(&turned, draws.d, inner(&raw)?)?))
}
