//! No constraint, UPT: R is a free matrix.
//!
//! Source: Liu et al., CVPR 2021 (<https://arxiv.org/abs/2004.04690>), the ablation that shows what orthogonality is
//! worth: as many parameters as OPT, but none of its geometry.
//!
//! ```text
//! W = R V,   dL/dR = G V^T,   dL/dV = R^T G
//! ```

use tch::Tensor;

use super::{Pullback, Rotated, Rotation, canonical, check_frozen_weight, square};
use crate::Error;

/// R is the raw parameter itself, `[d, d]`, and not kept orthogonal.
#[derive(Debug)]
pub struct Unconstrained {
    raw: Tensor,
}

impl Unconstrained {
    /// Takes `raw` = R, `[d, d]`: N(0, 1) as published, or I.
    ///
    /// # Errors
    /// [`Error::RawShape`] unless `raw` is square and not empty.
    pub fn new(raw: &Tensor) -> Result<Self, Error> {
        Ok(Self { raw: square(raw)? })
    }

    /// W^T, `[n, d]`, and what its gradients need.
    pub(super) fn turn(&self, frozen_weight: &Tensor) -> Result<(Tensor, Factors), Error> {
        check_frozen_weight(&self.raw, frozen_weight)?;
        let _guard = tch::no_grad_guard();
        let weight = frozen_weight.f_matmul(&self.raw.f_tr()?)?;
        Ok((weight, Factors { raw: canonical(&self.raw)?, frozen_weight: canonical(frozen_weight)? }))
    }
}

impl Rotation for Unconstrained {
    fn raw(&self) -> &Tensor {
        &self.raw
    }

    fn rotate(&self, frozen_weight: &Tensor) -> Result<Rotated, Error> {
        let (weight, factors) = self.turn(frozen_weight)?;
        Ok(Rotated { weight, pullback: Box::new(factors) })
    }
}

/// Copies, because the optimizer steps the raw parameter, and perhaps the neurons, in place.
#[derive(Debug)]
pub(super) struct Factors {
    /// R, `[d, d]`.
    pub(super) raw: Tensor,
    /// V^T, `[n, d]`.
    frozen_weight: Tensor,
}

impl Pullback for Factors {
    fn gradient(&self, weight_gradient: &Tensor) -> Result<Tensor, Error> {
        let _guard = tch::no_grad_guard();
        Ok(weight_gradient.f_tr()?.f_matmul(&self.frozen_weight)?)
    }

    fn frozen_gradient(&self, weight_gradient: &Tensor) -> Result<Tensor, Error> {
        let _guard = tch::no_grad_guard();
        Ok(weight_gradient.f_matmul(&self.raw)?)
    }
}

#[cfg(test)]
mod tests {
    use tch::Kind;

    use super::*;
    use crate::draws::gaussian;
    use crate::transform::checks;

    fn free(raw: &Tensor) -> Box<dyn Rotation> {
        Box::new(Unconstrained::new(raw).unwrap())
    }

    #[test]
    fn agrees_with_the_definition_and_its_gradient_with_autograd() {
        checks::agrees_with(Tensor::shallow_clone, free);
        checks::gradient_agrees_with(Tensor::shallow_clone, free, Tensor::shallow_clone);
        checks::gradient_agrees_at_large_sizes(Tensor::shallow_clone, free, Tensor::shallow_clone);
    }

    #[test]
    fn the_matrix_is_the_raw_parameter() {
        let raw = gaussian(&[5, 5], 1, Kind::Float);
        assert_eq!(free(&raw).matrix().unwrap().unwrap(), raw);
    }

    #[test]
    fn pullback_keeps_its_factors() {
        checks::pullback_keeps_its_factors(free);
    }

    #[test]
    fn passes_on_values_that_are_not_finite() {
        checks::passes_on_values_that_are_not_finite(free, &checks::NOT_FINITE);
    }

    #[test]
    fn rejects_wrong_shapes() {
        checks::rejects_wrong_shapes(|raw| Unconstrained::new(raw).map(|r| Box::new(r) as Box<dyn Rotation>));
    }
}
