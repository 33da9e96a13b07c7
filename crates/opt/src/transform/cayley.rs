//! The Cayley parametrisation, OPT (CP): R = (I + S)(I - S)^-1 with S skew.
//!
//! Source: Liu et al., CVPR 2021 (<https://arxiv.org/abs/2004.04690>), section "Orthogonal Parameterization". Three
//! conventions circulate; the one above is ours everywhere, and det R = 1. It needs no inverse: as
//! I + S = 2I - (I - S), with X = (I - S)^-1 V
//!
//! ```text
//! W = R V = 2X - V
//! ```
//!
//! and for G = dL/dW, from dX = (I - S)^-1 dS X,
//!
//! ```text
//! Y = (I - S)^-T 2G,   dL/dS = Y X^T - X Y^T (its skew form)
//! ```
//!
//! both by one LU factorisation of I - S, whose symmetric part is I. Rounding in float32 leaves max |R^T R - I| at
//! about 2e-6 for d = 2048 and A ~ N(0, 1); it grows with d and with the norm of S.

use tch::Tensor;

use super::algorithm::Algorithm;
use super::lu::Lu;
use super::{Pullback, Rotated, Rotation, Warning, check_frozen_weight, square, transpose_difference};
use crate::{Error, host};

/// Spectral norm of the skew matrix above which [`Rotation::warning`] returns a warning.
const LARGE_SKEW_NORM: f64 = 100.0;

/// Iterations that distinguish 50 from 100; the estimate is a lower bound for any number.
const POWER_ITERATIONS: usize = 20;

/// R = (I + S)(I - S)^-1. The raw parameter is the whole S, `[d, d]`.
///
/// S is exactly skew and stays so, because the gradient is exactly skew and the elementwise steps of optimizers are odd
/// functions. Its upper triangle changes as if it were the only parameter.
#[derive(Debug)]
pub struct Cayley {
    skew: Tensor,
    algorithm: Algorithm,
}

impl Cayley {
    /// Takes S = triu(A, 1) - triu(A, 1)^T from `raw` = A, `[d, d]`; a skew matrix is taken as it is.
    ///
    /// The usual initial values: A = 0 (R = I, recommended), A ~ N(0, 1/d), and A ~ N(0, 1) as published, for which R
    /// is near -I and its gradient about 0.03 of the one at zero.
    ///
    /// # Errors
    /// [`Error::RawShape`] unless `raw` is square and not empty.
    pub fn new(raw: &Tensor) -> Result<Self, Error> {
        let upper = square(raw)?.f_triu(1)?;
        Ok(Self { skew: upper.f_sub(&upper.f_tr()?)?, algorithm: Algorithm::of(raw.device()) })
    }

    /// Replaces the algorithm that [`new`](Self::new) chose by the device.
    #[must_use]
    pub fn with_algorithm(self, algorithm: Algorithm) -> Self {
        Self { algorithm, ..self }
    }

    /// Estimate of the largest singular value of S, from below, by power iteration from a fixed start.
    fn spectral_norm(&self) -> Result<f64, Error> {
        let _guard = tch::no_grad_guard();
        let size = self.skew.size()[0];
        // Cosines of 0, 1, 2, ...: in practice, no leading vector of a trained matrix is orthogonal to this.
        let start = Tensor::f_arange(size, (self.skew.kind(), self.skew.device()))?.f_cos()?;
        let mut norm = start.f_norm()?;
        let mut vector = start.f_div(&norm)?;
        for _ in 0..POWER_ITERATIONS {
            let image = self.skew.f_mv(&vector)?;
            norm = image.f_norm()?;
            // An image of 0 stays 0.
            vector = image.f_div(&norm.f_clamp_min(f64::from(f32::MIN_POSITIVE))?)?;
        }
        Ok(host::number(&norm)?)
    }
}

impl Rotation for Cayley {
    fn raw(&self) -> &Tensor {
        &self.skew
    }

    fn rotate(&self, frozen_weight: &Tensor) -> Result<Rotated, Error> {
        check_frozen_weight(&self.skew, frozen_weight)?;
        let _guard = tch::no_grad_guard();
        let eye = Tensor::f_eye(self.skew.size()[0], (self.skew.kind(), self.skew.device()))?;
        // (I + S)^T is I - S in LAPACK's column order. It is never singular: its eigenvalues are 1 - i t.
        let lu = Lu::new(&eye.f_add(&self.skew)?.f_tr()?, self.algorithm)?;
        let xs = lu.divide_by_transpose(frozen_weight)?;
        let weight = xs.f_mul_scalar(2)?.f_sub_(frozen_weight)?;
        Ok(Rotated { weight, pullback: Box::new(Factors { lu, xs }) })
    }

    fn warning(&self) -> Result<Option<Warning>, Error> {
        let norm = self.spectral_norm()?;
        Ok((norm > LARGE_SKEW_NORM).then_some(Warning::LargeSkewNorm { norm }))
    }
}

#[derive(Debug)]
struct Factors {
    /// Of I - S.
    lu: Lu,
    /// X^T, `[n, d]`.
    xs: Tensor,
}

impl Factors {
    /// Y^T = (2 G)^T (I - S)^-1, `[n, d]`.
    fn solve_back(&self, weight_gradient: &Tensor) -> Result<Tensor, Error> {
        self.lu.divide(&weight_gradient.f_mul_scalar(2)?)
    }
}

impl Pullback for Factors {
    fn gradient(&self, weight_gradient: &Tensor) -> Result<Tensor, Error> {
        let _guard = tch::no_grad_guard();
        let ys = self.solve_back(weight_gradient)?;
        // One product and its transpose, not one product [Y, -X] [X, Y]^T of twice the length, which would round the
        // two triangles differently, so that S would drift away from skew.
        transpose_difference(&self.xs.f_tr()?.f_matmul(&ys)?)
    }

    fn frozen_gradient(&self, weight_gradient: &Tensor) -> Result<Tensor, Error> {
        let _guard = tch::no_grad_guard();
        // R^T = 2 (I - S)^-T - I.
        Ok(self.solve_back(weight_gradient)?.f_sub_(weight_gradient)?)
    }
}

#[cfg(test)]
mod tests {
    use tch::{Device, Kind};

    use super::*;
    use crate::draws::gaussian;
    use crate::transform::checks;

    /// R by its definition, for autograd.
    fn naive(raw: &Tensor) -> Tensor {
        let upper = raw.triu(1);
        let skew = &upper - upper.tr();
        let eye = Tensor::eye(raw.size()[0], (raw.kind(), raw.device()));
        (&eye + &skew).matmul(&(&eye - &skew).inverse())
    }

    fn rotation(raw: &Tensor) -> Box<dyn Rotation> {
        Box::new(Cayley::new(raw).unwrap())
    }

    fn as_on_gpu(raw: &Tensor) -> Box<dyn Rotation> {
        Box::new(Cayley::new(raw).unwrap().with_algorithm(Algorithm::Gpu))
    }

    #[test]
    fn is_orthogonal() {
        checks::is_orthogonal(rotation);
        checks::is_orthogonal(as_on_gpu);
    }

    #[test]
    fn agrees_with_the_definition() {
        checks::agrees_with(naive, rotation);
        checks::agrees_with(naive, as_on_gpu);
    }

    #[test]
    fn gradient_agrees_with_autograd() {
        // The naive gradient lives on the upper triangle; ours mirrors it.
        checks::gradient_agrees_with(naive, rotation, |gradient| gradient.triu(1));
        checks::gradient_agrees_with(naive, as_on_gpu, |gradient| gradient.triu(1));
    }

    #[test]
    fn gradient_agrees_with_autograd_at_large_sizes() {
        checks::gradient_agrees_at_large_sizes(naive, rotation, |gradient| gradient.triu(1));
        checks::gradient_agrees_at_large_sizes(naive, as_on_gpu, |gradient| gradient.triu(1));
    }

    #[test]
    fn pullback_keeps_its_factors() {
        checks::pullback_keeps_its_factors(rotation);
        checks::pullback_keeps_its_factors(as_on_gpu);
    }

    #[test]
    fn passes_on_values_that_are_not_finite() {
        checks::passes_on_values_that_are_not_finite(rotation, &[f64::NAN]);
        checks::passes_on_values_that_are_not_finite(as_on_gpu, &[f64::NAN]);
    }

    /// If elimination only meets the infinite pivot, it is exact: the plane rotates by pi.
    #[test]
    fn an_infinite_entry_gives_its_limit_or_nothing_finite() {
        let mut limits = 0;
        for (row, column) in [(0, 1), (2, 5), (3, 4)] {
            let [at_infinity, near_it] = [f64::INFINITY, 1e10].map(|value| {
                let raw = gaussian(&[6, 6], 1, Kind::Double);
                let _ = raw.get(row).get(column).fill_(value);
                rotation(&raw).matrix().unwrap().unwrap()
            });
            let is_limit = at_infinity.allclose(&near_it, 1e-8, 1e-8, false);
            assert!(is_limit || at_infinity.isfinite().all().int64_value(&[]) == 0, "{row}, {column}");
            limits += u32::from(is_limit);
        }
        assert!(limits > 0);
    }

    #[test]
    fn keeps_energy() {
        checks::keeps_energy(rotation);
        checks::keeps_energy(as_on_gpu);
    }

    #[test]
    fn determinant_is_one() {
        for d in checks::SIZES {
            let r = rotation(&gaussian(&[d, d], d as u64, Kind::Double)).matrix().unwrap().unwrap();
            assert!((Tensor::linalg_det(&r).double_value(&[]) - 1.0).abs() < 1e-9, "d = {d}");
        }
    }

    #[test]
    fn zero_is_the_identity() {
        let r = Cayley::new(&Tensor::zeros([5, 5], (Kind::Float, Device::Cpu)))
            .unwrap()
            .matrix()
            .unwrap()
            .unwrap();
        assert_eq!(r, Tensor::eye(5, (Kind::Float, Device::Cpu)));
    }

    #[test]
    fn raw_stays_skew_to_the_last_bit() {
        let cayley = Cayley::new(&gaussian(&[27, 27], 1, Kind::Float)).unwrap();
        let (frozen_weight, target) =
            (gaussian(&[8, 27], 2, Kind::Float), gaussian(&[8, 27], 3, Kind::Float));
        let mut momentum = cayley.raw().zeros_like();
        for _ in 0..200 {
            let rotated = cayley.rotate(&frozen_weight).unwrap();
            let gradient = rotated.pullback.gradient(&(&rotated.weight - &target)).unwrap();
            momentum = momentum * 0.9 + gradient + cayley.raw() * 5e-4;
            let _ = cayley.raw().shallow_clone().g_sub_(&(&momentum * 0.01));
        }
        assert_eq!((cayley.raw() + cayley.raw().tr()).abs().max().double_value(&[]), 0.0);
        // A resumed run therefore starts from the same matrix.
        assert_eq!(Cayley::new(cayley.raw()).unwrap().raw(), cayley.raw());
    }

    #[test]
    fn warns_of_a_large_norm_only() {
        // The skew matrix [[0, t], [-t, 0]] has norm t.
        for (t, warns) in [(0.0, false), (99.0, false), (101.0, true)] {
            let raw = Tensor::from_slice(&[0.0, t, 0.0, 0.0]).view([2, 2]);
            assert_eq!(Cayley::new(&raw).unwrap().warning().unwrap().is_some(), warns, "norm {t}");
        }
        let cayley = Cayley::new(&(gaussian(&[64, 64], 4, Kind::Float) * 20)).unwrap();
        let gram = cayley.raw().tr().matmul(cayley.raw());
        let exact = gram.linalg_eigvalsh("L").max().double_value(&[]).sqrt();
        let estimate = cayley.spectral_norm().unwrap();
        assert!((0.8 * exact..1.001 * exact).contains(&estimate), "{estimate} for {exact}");
    }

    #[test]
    fn rejects_wrong_shapes() {
        checks::rejects_wrong_shapes(|raw| Cayley::new(raw).map(|r| Box::new(r) as Box<dyn Rotation>));
    }
}
