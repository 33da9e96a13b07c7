//! The Löwdin parametrisation, OPT (LS): R = (P P^T)^-1/2 P, the orthogonal matrix nearest to P.
//!
//! Source: Liu et al., CVPR 2021 (<https://arxiv.org/abs/2004.04690>), section "Unrolling Orthogonalization
//! Algorithms", Löwdin's symmetric orthogonalisation. With the singular values P = U Sigma Y^T,
//!
//! ```text
//! R = U Y^T,   W = R V = U (Y^T V)
//! ```
//!
//! and for G = dL/dW, with x / y entry by entry,
//!
//! ```text
//! B = (U^T G) (Y^T V)^T,   dL/dP = U [(B - B^T) / (sigma_i + sigma_j)] Y^T
//! ```
//!
//! which, unlike automatic differentiation through the singular vectors, has no differences of singular values: it is
//! finite for repeated ones, at orthogonal P too. On a GPU U, Sigma and Y come from the eigenvectors of P^T P, see
//! `eigen.rs`.
//!
//! The scale of P is a gauge: R does not depend on it, and the gradient is inversely proportional to it. A singular P
//! still gives an orthogonal R. Its gradient is finite if only one singular value is zero. det R is the sign of det P,
//! so R reflects the neurons when P crosses a singular matrix.

mod eigen;
mod series;

use std::cell::Cell;

use tch::{Kind, Tensor};

use self::series::Series;
use super::algorithm::Algorithm;
use super::{Pullback, Rotated, Rotation, check_frozen_weight, square, transpose_difference};
use crate::{Error, host};

/// R = the orthogonal matrix nearest to the raw parameter P, `[d, d]`.
#[derive(Debug)]
pub struct Lowdin {
    raw: Tensor,
    form: Form,
    algorithm: Algorithm,
}

/// The largest deviation from orthonormal columns that a reset leaves: some roundings of float32.
const ORTHOGONAL: f64 = 5e-6;

#[derive(Debug)]
enum Form {
    Exact,
    Polynomial {
        /// Of the last polynomial: on a GPU as many powers are computed before the host reads which is negligible. No
        /// result depends on it, so a checkpoint need not have it.
        degree: Cell<usize>,
    },
}

impl Lowdin {
    /// By singular values. Takes `raw` = P, `[d, d]`, not singular: N(0, 1) as published, or any multiple of I for
    /// R = I. A rotation reads on a CPU whether its vectors are finite; on a GPU, libtorch reads whether they converged.
    ///
    /// # Errors
    /// [`Error::RawShape`] unless `raw` is square and not empty.
    pub fn new(raw: &Tensor) -> Result<Self, Error> {
        Self::of_form(raw, Form::Exact)
    }

    /// By a polynomial in P^T P, which costs only products with n columns, for P near a multiple of an orthogonal
    /// matrix: several times as fast as singular values if n is a small part of d, no faster if n is d. Its degree is
    /// as small as P allows, from 1 right after a reset of P to at most 4.
    ///
    /// Training moves P away from there, within tens of steps while they are long; then `rotate` resets it to the
    /// nearest such multiple. This keeps R and ||P||, but not the metric of the gradient, 1 / (sigma_i + sigma_j), so
    /// it is a variant of the published form, which never resets P. Accepts any `raw` = P that [`new`](Self::new) does.
    /// Reads which power is negligible, so it waits for a GPU: once per call while the degree does not grow.
    ///
    /// # Errors
    /// [`Error::RawShape`] unless `raw` is square and not empty.
    pub fn polynomial(raw: &Tensor) -> Result<Self, Error> {
        Self::of_form(raw, Form::Polynomial { degree: Cell::new(1) })
    }

    fn of_form(raw: &Tensor, form: Form) -> Result<Self, Error> {
        Ok(Self { raw: square(raw)?, form, algorithm: Algorithm::of(raw.device()) })
    }

    /// Replaces the algorithm that was chosen by the device.
    #[must_use]
    pub fn with_algorithm(self, algorithm: Algorithm) -> Self {
        Self { algorithm, ..self }
    }

    /// By the series if that form was chosen and P is in its range.
    fn by_series(&self, rows: &Tensor) -> Result<Option<Rotated>, Error> {
        let Form::Polynomial { degree } = &self.form else { return Ok(None) };
        let expected = match self.algorithm {
            Algorithm::Cpu => 1,
            Algorithm::Gpu => degree.get(),
        };
        let Some(series) = Series::new(&self.raw, rows, expected)? else { return Ok(None) };
        degree.set(series.degree());
        Ok(Some(series.rotated()?))
    }

    /// By the series if possible, by singular values otherwise.
    fn turn(&self, rows: &Tensor) -> Result<Rotated, Error> {
        match self.by_series(rows)? {
            Some(rotated) => Ok(rotated),
            None => rotate_by_svd(singular_values(&self.raw, self.algorithm)?, rows),
        }
    }

    /// Resets P to c R, with the same R and the same norm.
    fn put_back(&self) -> Result<(), Error> {
        let scale = self.raw.f_norm()?.f_div_scalar((self.raw.size()[0] as f64).sqrt())?;
        let r = match polar_factor(&self.raw.f_div(&scale)?, self.algorithm)? {
            Some(r) => r,
            None => {
                let (left, _, right) = singular_values(&self.raw, self.algorithm)?;
                left.f_matmul(&right.f_tr()?)?
            }
        };
        self.raw.shallow_clone().f_copy_(&r.f_mul(&scale)?)?;
        Ok(())
    }
}

/// The orthogonal matrix nearest to `near`, by the iteration X <- X (3 I - X^T X) / 2 of Newton and Schulz, which
/// squares the distance each time; `None` if it does not converge, as for singular values above sqrt 3 or close to 0.
fn polar_factor(near: &Tensor, algorithm: Algorithm) -> Result<Option<Tensor>, Error> {
    const MOST: usize = 8;
    // Of several, the first orthogonal one is taken, so that the result is the same.
    let iterates_per_read = match algorithm {
        Algorithm::Cpu => 1,
        Algorithm::Gpu => 4,
    };
    let eye = Tensor::f_eye(near.size()[0], (near.kind(), near.device()))?;
    let mut x = near.shallow_clone();
    let (mut iterates, mut errors) = (Vec::new(), Vec::new());
    for number in 1..=MOST {
        let excess = x.f_tr()?.f_matmul(&x)?.f_sub_(&eye)?;
        errors.push(excess.f_abs()?.f_max()?);
        iterates.push(x.shallow_clone());
        if number.is_multiple_of(iterates_per_read) {
            let read = host::numbers(&Tensor::f_stack(&errors, 0)?)?;
            if let Some(first) = read.iter().position(|error| *error < ORTHOGONAL) {
                return Ok(Some(iterates.swap_remove(first)));
            }
            iterates.clear();
            errors.clear();
        }
        x = x.f_sub(&x.f_matmul(&excess.f_mul_scalar(0.5)?)?)?;
    }
    Ok(None)
}

impl Rotation for Lowdin {
    fn raw(&self) -> &Tensor {
        &self.raw
    }

    /// # Errors
    /// Those of the trait, and [`Error::NotFinite`], because a matrix that is not finite has no singular values.
    fn rotate(&self, frozen_weight: &Tensor) -> Result<Rotated, Error> {
        check_frozen_weight(&self.raw, frozen_weight)?;
        let _guard = tch::no_grad_guard();
        if let Form::Polynomial { degree } = &self.form {
            if let Some(rotated) = self.by_series(frozen_weight)? {
                return Ok(rotated);
            }
            self.put_back()?;
            degree.set(1);
        }
        self.turn(frozen_weight)
    }

    /// Does not reset P, because reading must not change it.
    fn matrix(&self) -> Result<Option<Tensor>, Error> {
        let _guard = tch::no_grad_guard();
        let eye = Tensor::f_eye(self.raw.size()[0], (self.raw.kind(), self.raw.device()))?;
        Ok(Some(self.turn(&eye)?.weight.f_tr()?.f_contiguous()?))
    }
}

/// U, the diagonal of Sigma, and Y.
fn singular_values(raw: &Tensor, algorithm: Algorithm) -> Result<(Tensor, Tensor, Tensor), Error> {
    match algorithm {
        Algorithm::Cpu => svd(raw),
        Algorithm::Gpu => match eigen::singular_values(raw) {
            Err(_) if !host::is_finite(raw)? => Err(Error::NotFinite),
            result => result,
        },
    }
}

/// LAPACK's divide and conquer sometimes fails, or returns NaN, if many singular values are equal up to rounding, as
/// those of a P near c R are. Finer rounding separates them.
fn svd(raw: &Tensor) -> Result<(Tensor, Tensor, Tensor), Error> {
    match raw.f_svd(true, true) {
        Ok(factors) if host::is_finite(&factors.0)? && host::is_finite(&factors.2)? => return Ok(factors),
        _ if !host::is_finite(raw)? => return Err(Error::NotFinite),
        _ => {}
    }
    let (left, values, right) = raw.f_to_kind(Kind::Double)?.f_svd(true, true)?;
    let kind = raw.kind();
    Ok((left.f_to_kind(kind)?, values.f_to_kind(kind)?, right.f_to_kind(kind)?))
}

fn rotate_by_svd(
    (left, values, right): (Tensor, Tensor, Tensor),
    frozen_weight: &Tensor,
) -> Result<Rotated, Error> {
    let turned_right = frozen_weight.f_matmul(&right)?;
    let weight = turned_right.f_matmul(&left.f_tr()?)?;
    Ok(Rotated { weight, pullback: Box::new(Factors { left, values, right, turned_right }) })
}

#[derive(Debug)]
struct Factors {
    /// U, `[d, d]`.
    left: Tensor,
    /// The diagonal of Sigma, `[d]`.
    values: Tensor,
    /// Y, `[d, d]`.
    right: Tensor,
    /// (Y^T V)^T, `[n, d]`.
    turned_right: Tensor,
}

impl Pullback for Factors {
    fn gradient(&self, weight_gradient: &Tensor) -> Result<Tensor, Error> {
        let _guard = tch::no_grad_guard();
        let turned_left = weight_gradient.f_matmul(&self.left)?;
        let skew = transpose_difference(&self.turned_right.f_tr()?.f_matmul(&turned_left)?)?;
        let mut sums = self.values.f_unsqueeze(1)?.f_add(&self.values)?;
        // The diagonal of the numerator is 0, also for a singular value of 0.
        let quotients = skew.f_div(&sums.f_fill_diagonal_(1, false)?)?;
        Ok(self.left.f_matmul(&quotients)?.f_matmul(&self.right.f_tr()?)?)
    }

    fn frozen_gradient(&self, weight_gradient: &Tensor) -> Result<Tensor, Error> {
        let _guard = tch::no_grad_guard();
        Ok(weight_gradient.f_matmul(&self.left)?.f_matmul(&self.right.f_tr()?)?)
    }
}

#[cfg(test)]
mod tests {
    use tch::Kind;

    use super::*;
    use crate::draws::gaussian;
    use crate::transform::checks;

    /// R by its definition, for autograd: the inverse square root by eigenvalues.
    fn naive(raw: &Tensor) -> Tensor {
        let (values, vectors) = raw.matmul(&raw.tr()).linalg_eigh("L");
        (&vectors * values.rsqrt()).matmul(&vectors.tr()).matmul(raw)
    }

    fn rotation(raw: &Tensor) -> Box<dyn Rotation> {
        Box::new(Lowdin::new(raw).unwrap())
    }

    fn as_on_gpu(raw: &Tensor) -> Box<dyn Rotation> {
        Box::new(Lowdin::new(raw).unwrap().with_algorithm(Algorithm::Gpu))
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
        checks::gradient_agrees_with(naive, rotation, Tensor::shallow_clone);
        checks::gradient_agrees_with(naive, as_on_gpu, Tensor::shallow_clone);
        checks::gradient_agrees_at_large_sizes(naive, rotation, Tensor::shallow_clone);
        checks::gradient_agrees_at_large_sizes(naive, as_on_gpu, Tensor::shallow_clone);
    }

    #[test]
    fn keeps_energy() {
        checks::keeps_energy(rotation);
        checks::keeps_energy(as_on_gpu);
    }

    #[test]
    fn scale_is_a_gauge() {
        checks::scale_is_a_gauge(rotation);
        checks::scale_is_a_gauge(as_on_gpu);
    }

    #[test]
    fn pullback_keeps_its_factors() {
        checks::pullback_keeps_its_factors(rotation);
        checks::pullback_keeps_its_factors(as_on_gpu);
    }

    #[test]
    fn passes_on_values_that_are_not_finite() {
        checks::passes_on_values_that_are_not_finite(rotation, &checks::NOT_FINITE);
        checks::passes_on_values_that_are_not_finite(as_on_gpu, &checks::NOT_FINITE);
    }

    #[test]
    fn a_multiple_of_an_orthogonal_matrix_gives_that_matrix_and_a_finite_gradient() {
        // All singular values are equal there.
        let r = rotation(&gaussian(&[6, 6], 1, Kind::Double)).matrix().unwrap().unwrap();
        let (frozen_weight, weight_gradient) =
            (gaussian(&[4, 6], 2, Kind::Double), gaussian(&[4, 6], 3, Kind::Double));
        for rotation in [rotation, as_on_gpu] {
            let rotated = rotation(&(&r * 2.5)).rotate(&frozen_weight).unwrap();
            assert!(rotated.weight.allclose(&frozen_weight.matmul(&r.tr()), 1e-12, 1e-12, false));
            // By hand: sigma_i + sigma_j = 5, so the gradient is (M - R M^T R) / 5 with M = G V^T.
            let product = weight_gradient.tr().matmul(&frozen_weight);
            let expected = (&product - r.matmul(&product.tr()).matmul(&r)) / 5;
            let gradient = rotated.pullback.gradient(&weight_gradient).unwrap();
            assert!(gradient.allclose(&expected, 1e-12, 1e-12, false));
        }
    }

    #[test]
    fn determinant_has_the_sign_of_the_raw_one() {
        for seed in 0..8 {
            for d in [1, 2, 5, 8] {
                let raw = gaussian(&[d, d], seed, Kind::Double);
                let expected = Tensor::linalg_det(&raw).sign().double_value(&[]);
                for rotation in [rotation, as_on_gpu] {
                    let det =
                        Tensor::linalg_det(&rotation(&raw).matrix().unwrap().unwrap()).double_value(&[]);
                    assert!((det - expected).abs() < 1e-12, "d = {d} seed {seed}");
                }
            }
        }
    }

    #[test]
    fn is_orthogonal_without_full_rank_and_has_a_gradient_with_one_rank_less() {
        for rotation in [rotation, as_on_gpu] {
            for rank in 0..6 {
                let raw =
                    gaussian(&[6, rank], 1, Kind::Double).matmul(&gaussian(&[rank, 6], 2, Kind::Double));
                assert!(checks::error_of(rotation(&raw).as_ref()) < 1e-13, "rank {rank}");
            }
            let diagonal = Tensor::from_slice(&[3.0, 2.0, 1.0, 0.0]).diag(0);
            let pullback = rotation(&diagonal).rotate(&gaussian(&[3, 4], 3, Kind::Double)).unwrap().pullback;
            let gradient = pullback.gradient(&gaussian(&[3, 4], 4, Kind::Double)).unwrap();
            assert_eq!(gradient.isfinite().all().int64_value(&[]), 1);
        }
    }

    #[test]
    fn a_reset_is_the_same_with_fewer_reads() {
        let r = rotation(&gaussian(&[27, 27], 1, Kind::Float)).matrix().unwrap().unwrap();
        let mut reads = Vec::new();
        for deviation in [0.0, 1e-4, 0.02, 0.06] {
            let near = &r + gaussian(&[27, 27], 2, Kind::Float) * deviation;
            let of = |algorithm| {
                let before = host::reads();
                let factor = polar_factor(&near, algorithm).unwrap().expect("it converges");
                (host::reads() - before, factor)
            };
            let ((of_cpu, expected), (of_gpu, factor)) = (of(Algorithm::Cpu), of(Algorithm::Gpu));
            assert_eq!(factor, expected, "{deviation}");
            assert_eq!(of_gpu, of_cpu.div_ceil(4), "{deviation}");
            reads.push(of_cpu);
        }
        println!("{reads:?}");
        assert!(reads[0] == 1 && reads[3] > 4, "{reads:?}");
        let zero = Tensor::zeros([3, 3], tch::kind::FLOAT_CPU);
        assert!(polar_factor(&zero, Algorithm::Gpu).unwrap().is_none());
    }

    #[test]
    fn rejects_wrong_shapes() {
        checks::rejects_wrong_shapes(|raw| Lowdin::new(raw).map(|r| Box::new(r) as Box<dyn Rotation>));
    }
}
