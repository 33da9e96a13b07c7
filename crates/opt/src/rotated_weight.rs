//! The weight of an OPT layer: frozen neurons under a learned rotation.

use tch::Tensor;

use crate::transform::canonical;
use crate::{Error, OwnStep, Rotated, Rotation, State, gram_drift, orthogonality_error};

/// W = R V, computed once per step and reused until the raw parameter changes.
///
/// A step is: forward and backward through [`value`](Self::value), [`raw_gradient`](Self::raw_gradient), an
/// in-place change of [`raw`](Self::raw) by any optimizer or by [`own_step`](Self::own_step),
/// [`refresh`](Self::refresh). Several backward passes
/// between refreshes add up, as they do for any leaf.
#[derive(Debug)]
pub struct RotatedWeight {
    /// V^T as drawn, the reference for the drift after later merges.
    drawn: Tensor,
    /// V^T under the present rotation.
    frozen_weight: Tensor,
    rotation: Box<dyn Rotation>,
    rotated: Rotated,
    /// libtorch's count of in-place changes to the raw parameter, when `rotated` was made.
    raw_version: i64,
}

impl RotatedWeight {
    /// Freezes a copy of `frozen_weight`, `[n, d]`, under a rotation of d dimensions.
    ///
    /// # Errors
    /// Those of [`Rotation::rotate`].
    pub fn new(frozen_weight: &Tensor, rotation: Box<dyn Rotation>) -> Result<Self, Error> {
        let frozen_weight = canonical(frozen_weight)?;
        let rotated = rotate_to_leaf(rotation.as_ref(), &frozen_weight)?;
        let raw_version = rotation.raw().f_internal_version()?;
        Ok(Self { drawn: canonical(&frozen_weight)?, frozen_weight, rotation, rotated, raw_version })
    }

    /// W^T, `[n, d]`: a leaf that collects the gradient of the loss.
    ///
    /// # Panics
    /// In debug builds, if the raw parameter was changed without a [`refresh`](Self::refresh): such a layer
    /// would train on a weight that no longer exists. (A change of learned neurons is not detected.)
    pub fn value(&self) -> &Tensor {
        debug_assert_eq!(
            self.rotation.raw().internal_version(),
            self.raw_version,
            "the raw parameter changed: call refresh after each step"
        );
        &self.rotated.weight
    }

    /// The parameter to step: `[d, d]`; `[n, d]` for [`Descent`](crate::Descent), and of the rotated dimensions only,
    /// `[p, p]`, for [`Stochastic`](crate::Stochastic).
    pub fn raw(&self) -> &Tensor {
        self.rotation.raw()
    }

    /// dL/draw, in the raw parameter's shape, from the gradient that `backward` left at [`value`](Self::value).
    ///
    /// # Errors
    /// [`Error::NoGradient`] if `backward` has not reached it since the last refresh.
    pub fn raw_gradient(&self) -> Result<Tensor, Error> {
        self.rotated.pullback.gradient(&self.weight_gradient()?)
    }

    /// dL/dV^T, `[n, d]`, for a step of [`frozen_weight`](Self::frozen_weight) if the neurons are learned as well.
    ///
    /// # Errors
    /// As [`raw_gradient`](Self::raw_gradient), and [`Error::NoRotation`].
    pub fn frozen_gradient(&self) -> Result<Tensor, Error> {
        self.rotated.pullback.frozen_gradient(&self.weight_gradient()?)
    }

    /// dL/dW^T, `[n, d]`.
    ///
    /// # Errors
    /// [`Error::NoGradient`].
    pub fn weight_gradient(&self) -> Result<Tensor, Error> {
        let gradient = self.rotated.weight.f_grad()?;
        if gradient.defined() { Ok(gradient) } else { Err(Error::NoGradient) }
    }

    /// The rotation, if it steps its own raw parameter. Then no optimizer may step it.
    pub fn own_step(&mut self) -> Option<&mut dyn OwnStep> {
        self.rotation.own_step()
    }

    /// Freezes W in its present state and continues with another rotation of it, which `next` creates from the new V^T,
    /// `[n, d]`. A round of stochastic OPT ends in this way.
    ///
    /// # Errors
    /// Those of `next`, of [`Rotation::settle`] and of [`Rotation::rotate`].
    pub fn merge(
        &mut self,
        next: impl FnOnce(&Tensor) -> Result<Box<dyn Rotation>, Error>,
    ) -> Result<(), Error> {
        self.rotation.settle()?;
        self.refresh()?;
        self.frozen_weight = canonical(&self.merged())?;
        self.rotation = next(&self.frozen_weight)?;
        self.refresh()
    }

    /// Everything on which the next step depends, by name: the raw parameter, the neurons, and the state of the
    /// rotation. To resume, copy it into a weight of the same drawn neurons under an equal rotation, and call
    /// [`refresh`](Self::refresh). That weight continues as this one would, bit for bit on the same machine.
    pub fn state(&mut self) -> Vec<(&'static str, State<'_>)> {
        let raw = State::Tensor(self.rotation.raw().shallow_clone());
        let neurons = State::Tensor(self.frozen_weight.shallow_clone());
        [("raw", raw), ("neurons", neurons)].into_iter().chain(self.rotation.memory()).collect()
    }

    /// The deviation of this weight from a rotation of its neurons, caused by rounding: max |R^T R - I|, or the
    /// [`gram_drift`] since the start if R is never formed. Reads from the device.
    ///
    /// # Errors
    /// libtorch's own.
    pub fn orthogonality_error(&self) -> Result<f64, Error> {
        match self.rotation.matrix()? {
            Some(r) => orthogonality_error(&r),
            None => gram_drift(&self.rotated.weight, &self.drawn),
        }
    }

    /// Computes W from the raw parameter, as a new leaf without a gradient.
    ///
    /// # Errors
    /// Those of [`Rotation::rotate`](crate::Rotation::rotate).
    pub fn refresh(&mut self) -> Result<(), Error> {
        self.rotated = rotate_to_leaf(self.rotation.as_ref(), &self.frozen_weight)?;
        self.raw_version = self.rotation.raw().f_internal_version()?;
        Ok(())
    }

    /// The rotation, for its matrix and warning.
    pub fn rotation(&self) -> &dyn Rotation {
        self.rotation.as_ref()
    }

    /// V^T, `[n, d]`: the neurons as they were drawn, or as the last merge left them.
    pub fn frozen_weight(&self) -> &Tensor {
        &self.frozen_weight
    }

    /// W^T as the plain weight, `[n, d]`, of an equivalent ordinary layer, outside any graph.
    pub fn merged(&self) -> Tensor {
        self.value().detach()
    }
}

fn rotate_to_leaf(rotation: &dyn Rotation, frozen_weight: &Tensor) -> Result<Rotated, Error> {
    let Rotated { weight, pullback } = rotation.rotate(frozen_weight)?;
    // The pullback may hold the same tensor. Detached, the leaf has its own flag and gradient.
    Ok(Rotated { weight: weight.f_detach()?.f_set_requires_grad(true)?, pullback })
}

#[cfg(test)]
mod tests {
    use tch::Kind;

    use super::*;
    use crate::draws::gaussian;
    use crate::{Cayley, GramSchmidt};

    fn weights() -> [RotatedWeight; 2] {
        let (frozen_weight, raw) = (gaussian(&[3, 5], 1, Kind::Double), gaussian(&[5, 5], 2, Kind::Double));
        let rotations: [Box<dyn Rotation>; 2] =
            [Box::new(Cayley::new(&raw).unwrap()), Box::new(GramSchmidt::new(&raw).unwrap())];
        rotations.map(|rotation| RotatedWeight::new(&frozen_weight, rotation).unwrap())
    }

    #[test]
    fn gradient_needs_a_backward_pass_and_a_refresh_forgets_it() {
        for mut weight in weights() {
            assert!(matches!(weight.raw_gradient(), Err(Error::NoGradient)));
            weight.value().square().sum(Kind::Double).backward();
            assert!(weight.raw_gradient().is_ok());
            weight.refresh().unwrap();
            assert!(matches!(weight.raw_gradient(), Err(Error::NoGradient)));
        }
    }

    #[test]
    fn backward_passes_add_up() {
        for weight in weights() {
            let backward = || weight.value().select(0, 0).sum(Kind::Double).backward();
            backward();
            let once = weight.raw_gradient().unwrap();
            backward();
            assert!(weight.raw_gradient().unwrap().allclose(&(once * 2), 1e-12, 1e-14, false));
        }
    }

    #[test]
    fn lengths_have_no_gradient() {
        // ||W||^2 does not depend on R.
        for weight in weights() {
            weight.value().square().sum(Kind::Double).backward();
            assert!(weight.raw_gradient().unwrap().abs().max().double_value(&[]) < 1e-12);
        }
    }

    #[test]
    #[cfg(debug_assertions)]
    #[should_panic(expected = "call refresh after each step")]
    fn a_stale_weight_is_rejected() {
        let [weight, _] = weights();
        let _ = weight.raw().shallow_clone().g_mul_scalar_(2.0);
        weight.value();
    }

    #[test]
    fn carried_tensors_have_canonical_strides() {
        // A row taken from a column: contiguous for libtorch, but with strides [2, 2].
        let frozen_weight = gaussian(&[5, 2], 1, Kind::Float).tr().narrow(0, 0, 1);
        let raw = gaussian(&[5, 5], 2, Kind::Float).tr();
        let weight = RotatedWeight::new(&frozen_weight, Box::new(Cayley::new(&raw).unwrap())).unwrap();
        assert_eq!(weight.frozen_weight().stride(), [5, 1]);
        assert_eq!(weight.raw().stride(), [5, 1]);
        assert_eq!(GramSchmidt::new(&raw).unwrap().raw().stride(), [5, 1]);
    }
}
