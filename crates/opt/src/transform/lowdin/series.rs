//! The Löwdin transform of a P near a multiple of an orthogonal matrix, by products with n columns alone.
//!
//! With c^2 = ||P||_F^2 / d, F = P / c and E = F^T F - I, the binomial series of (I + E)^-1/2 gives
//!
//! ```text
//! R V = F H,   H = a_0 V + a_1 E V + ... + a_4 E^4 V
//! ```
//!
//! It is truncated after the first power that is negligible in every column: after E V right after a reset, after E^4 V
//! at the edge of the guard. In float32, W then has a relative error of some 1e-7 and the gradient of 1e-5; in float64
//! at most as much. The adjoint is that of the truncated series, here at E^4, with c fixed, on which R does not depend.
//! With V_j = E^j V, A_i = E^i F^T G and H_i = a_{i+1} V_0 + ... + a_4 V_{3-i}, the gradient at E is the sum of A_i
//! H_i^T over i, and so, E having two factors F,
//!
//! ```text
//! c dL/dP = G H^T + sum over i < 4 of [(F A_i) H_i^T + (F H_i) A_i^T]
//! ```
//!
//! as one product of nine blocks of n columns. All F A_i and F V_j are by-products of the powers.

use std::mem;

use tch::{Kind, Tensor};

use crate::transform::{Pullback, Rotated};
use crate::{Error, host};

/// a_k = (-1)^k binomial(2k, k) / 4^k.
const COEFFICIENTS: [f64; 5] = [1.0, -1.0 / 2.0, 3.0 / 8.0, -5.0 / 16.0, 35.0 / 128.0];

/// The highest power of E.
const MOST: usize = COEFFICIENTS.len() - 1;

/// The fraction of a column that the last power may leave: that of an E with ||E|| = 0.05. In float32, the first power
/// that leaves no more is the last.
const GUARD: f64 = 0.05 * 0.05 * 0.05 * 0.05;

/// The same for an earlier power in float64, where a smaller fraction would be lost in rounding.
const NEGLIGIBLE: f64 = 1e-12;

/// X, E X, E^2 X and so on of some columns X, and F times each; all as rows, `[n, d]`.
#[derive(Debug)]
struct Powers {
    powers: Vec<Tensor>,
    images: Vec<Tensor>,
}

impl Powers {
    fn new(factor: &Tensor, rows: Tensor) -> Result<Self, Error> {
        let image = rows.f_matmul(&factor.f_tr()?)?;
        Ok(Self { powers: vec![rows], images: vec![image] })
    }

    /// The last power of E.
    fn degree(&self) -> usize {
        self.powers.len() - 1
    }

    /// Adds the next power.
    fn raise(&mut self, factor: &Tensor) -> Result<(), Error> {
        let last = self.degree();
        let power = self.images[last].f_matmul(factor)?.f_sub_(&self.powers[last])?;
        self.images.push(power.f_matmul(&factor.f_tr()?)?);
        self.powers.push(power);
        Ok(())
    }

    /// The powers of the first columns, up to `degree`.
    fn first(&self, columns: i64, degree: usize) -> Result<Self, Error> {
        let first = |tensors: &[Tensor]| -> Result<Vec<Tensor>, Error> {
            tensors[..=degree].iter().map(|tensor| Ok(tensor.f_narrow(0, 0, columns)?)).collect()
        };
        Ok(Self { powers: first(&self.powers)?, images: first(&self.images)? })
    }

    /// Whether the power of `degree` left at most `fraction` of every column, on the device.
    fn has_shrunk_to(&self, fraction: f64, degree: usize) -> Result<Tensor, Error> {
        let length = |k: usize| self.powers[k].f_norm_scalaropt_dim(2, 1, false);
        Ok(length(degree)?.f_le_tensor(&length(0)?.f_mul_scalar(fraction)?)?.f_all()?)
    }
}

/// The sum of coefficients times tensors, as many as there are of both.
fn combine(coefficients: &[f64], tensors: &[Tensor]) -> Result<Tensor, Error> {
    let mut sum = tensors[0].f_mul_scalar(coefficients[0])?;
    for (coefficient, tensor) in coefficients.iter().zip(tensors).skip(1) {
        let _ = sum.f_add_(&tensor.f_mul_scalar(*coefficient)?)?;
    }
    Ok(sum)
}

/// The factors of W, and its pullback.
#[derive(Debug)]
pub(super) struct Series {
    /// c.
    scale: Tensor,
    /// F, `[d, d]`.
    factor: Tensor,
    /// The powers of V.
    neurons: Powers,
}

impl Series {
    /// The powers of V up to the first negligible one, or `None` if E is too large, or not finite. Reads from the
    /// device which it is: once for the first powers, up to the `expected` one, and once for each further one. The
    /// expectation does not change the result.
    ///
    /// They are a power iteration from n + 1 starts at once. The start besides the neurons covers directions outside
    /// their span: E may grow along them, and gradients are not confined to the span.
    pub(super) fn new(raw: &Tensor, frozen_weight: &Tensor, expected: usize) -> Result<Option<Self>, Error> {
        let scale = raw.f_norm()?.f_div_scalar((raw.size()[0] as f64).sqrt())?;
        let factor = raw.f_div(&scale)?;
        let size = frozen_weight.size();
        // Cosines of 0, 1, 2, ...: practically no leading vector is orthogonal to these.
        let probe = Tensor::f_arange(size[1], (raw.kind(), raw.device()))?.f_cos()?.f_unsqueeze(0)?;
        let mut starts = Powers::new(&factor, Tensor::f_cat(&[frozen_weight, &probe], 0)?)?;
        let mut shrunk = Vec::new();
        for degree in 1..=MOST {
            starts.raise(&factor)?;
            let early = degree < MOST && raw.kind() == Kind::Double;
            shrunk.push(starts.has_shrunk_to(if early { NEGLIGIBLE } else { GUARD }, degree)?);
            if degree < expected {
                continue;
            }
            let first = degree + 1 - shrunk.len();
            let shrunk = host::booleans(&Tensor::f_stack(&mem::take(&mut shrunk), 0)?)?;
            if let Some(index) = shrunk.iter().position(|&shrunk| shrunk) {
                let neurons = starts.first(size[0], first + index)?;
                return Ok(Some(Self { scale, neurons, factor }));
            }
        }
        Ok(None)
    }

    /// The last power of E in use.
    pub(super) fn degree(&self) -> usize {
        self.neurons.degree()
    }

    /// W.
    pub(super) fn rotated(self) -> Result<Rotated, Error> {
        let weight = combine(&COEFFICIENTS, &self.neurons.images)?;
        Ok(Rotated { weight, pullback: Box::new(self) })
    }

    /// The powers of F^T G.
    fn turned_back(&self, weight_gradient: &Tensor, degree: usize) -> Result<Powers, Error> {
        let mut back = Powers::new(&self.factor, weight_gradient.f_matmul(&self.factor)?)?;
        for _ in 0..degree {
            back.raise(&self.factor)?;
        }
        Ok(back)
    }
}

impl Pullback for Series {
    fn gradient(&self, weight_gradient: &Tensor) -> Result<Tensor, Error> {
        let _guard = tch::no_grad_guard();
        let degree = self.degree();
        let back = self.turned_back(weight_gradient, degree - 1)?;
        let mut left = vec![weight_gradient.shallow_clone()];
        let mut right = vec![combine(&COEFFICIENTS, &self.neurons.powers)?];
        for i in 0..degree {
            let coefficients = &COEFFICIENTS[i + 1..=degree];
            left.push(back.images[i].shallow_clone());
            right.push(combine(coefficients, &self.neurons.powers)?);
            left.push(combine(coefficients, &self.neurons.images)?);
            right.push(back.powers[i].shallow_clone());
        }
        let product = Tensor::f_cat(&left, 0)?.f_tr()?.f_matmul(&Tensor::f_cat(&right, 0)?)?;
        Ok(product.f_div(&self.scale)?)
    }

    fn frozen_gradient(&self, weight_gradient: &Tensor) -> Result<Tensor, Error> {
        let _guard = tch::no_grad_guard();
        combine(&COEFFICIENTS, &self.turned_back(weight_gradient, self.degree())?.powers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::draws::gaussian;
    use crate::transform::checks;
    use crate::{Lowdin, Rotation};

    /// 1.7 times an orthogonal matrix, with a deviation for which ||E|| is near `excess`.
    fn conditioned(d: i64, excess: f64, kind: Kind) -> Tensor {
        let r = Lowdin::new(&gaussian(&[d, d], d as u64, kind)).unwrap().matrix().unwrap().unwrap();
        let deviation = gaussian(&[d, d], 50 + d as u64, kind) * (excess / (2.0 * (2.0 * d as f64).sqrt()));
        (r + deviation) * 1.7
    }

    fn series(raw: &Tensor, frozen_weight: &Tensor) -> Option<Series> {
        Series::new(raw, frozen_weight, 1).unwrap()
    }

    fn norm_of_excess(raw: &Tensor) -> f64 {
        let gram = raw.tr().matmul(raw);
        let scale = gram.trace() / raw.size()[0] as f64;
        let values = (gram / scale).linalg_eigvalsh("L") - 1;
        values.abs().max().double_value(&[])
    }

    fn relative(ours: &Tensor, expected: &Tensor) -> f64 {
        ((ours - expected).norm() / expected.norm()).double_value(&[])
    }

    #[test]
    fn the_guard_covers_directions_outside_the_neurons_span() {
        // Neurons along the first axes, and E = 3 along the last one.
        let frozen_weight = Tensor::eye(6, tch::kind::DOUBLE_CPU).narrow(0, 0, 2);
        let raw = Tensor::eye(6, tch::kind::DOUBLE_CPU);
        assert!(series(&raw, &frozen_weight).is_some());
        let _ = raw.get(5).g_mul_scalar_(2.0);
        assert!(series(&raw, &frozen_weight).is_none());
    }

    #[test]
    fn agrees_with_the_exact_form_within_the_guard() {
        for d in checks::SIZES.into_iter().chain(checks::LARGE_SIZES) {
            for n in [1, d.min(96), d.min(96) + 7] {
                let raw = conditioned(d, 0.03, Kind::Double);
                let (frozen_weight, weight_gradient) =
                    (gaussian(&[n, d], 3, Kind::Double), gaussian(&[n, d], 4, Kind::Double));
                let ours = series(&raw, &frozen_weight).expect("within the guard").rotated().unwrap();
                let exact = Lowdin::new(&raw).unwrap().rotate(&frozen_weight).unwrap();
                let error = relative(&ours.weight, &exact.weight);
                assert!(error < 1e-7, "W, d = {d} n = {n}: {error}");
                let [ours, exact] = [ours, exact].map(|rotated| rotated.pullback);
                let turned_back =
                    |pullback: &dyn Pullback| pullback.frozen_gradient(&weight_gradient).unwrap();
                let error = relative(&turned_back(ours.as_ref()), &turned_back(exact.as_ref()));
                assert!(error < 1e-7, "neurons, d = {d} n = {n}: {error}");
                if d > 1 {
                    let gradient = |pullback: &dyn Pullback| pullback.gradient(&weight_gradient).unwrap();
                    let error = relative(&gradient(ours.as_ref()), &gradient(exact.as_ref()));
                    assert!(error < 1e-5, "raw, d = {d} n = {n}: {error}");
                }
            }
        }
    }

    #[test]
    fn gradient_is_that_of_the_series() {
        let sizes = [(4, 1), (5, 5), (27, 8), (64, 16), (16, 40)];
        // Excesses at which the series is truncated after each of its powers.
        let excesses = [(0.03, 4), (5e-5, 3), (3e-7, 2), (1e-13, 1)];
        for ((d, n), (excess, degree)) in sizes.into_iter().flat_map(|size| excesses.map(|e| (size, e))) {
            let raw = conditioned(d, excess, Kind::Double).set_requires_grad(true);
            let frozen_weight = gaussian(&[n, d], 3, Kind::Double).set_requires_grad(true);
            let weight_gradient = gaussian(&[n, d], 4, Kind::Double);
            let factors = series(&raw.detach(), &frozen_weight.detach()).expect("within the guard");
            assert_eq!(factors.degree(), degree, "d = {d} n = {n} excess = {excess}");
            let eye = Tensor::eye(d, (Kind::Double, raw.device()));
            let factor = &raw / (raw.detach().norm() / (d as f64).sqrt());
            let excess = factor.tr().matmul(&factor) - &eye;
            let series = COEFFICIENTS[..=factors.degree()]
                .iter()
                .rev()
                .fold(Tensor::zeros_like(&excess), |sum, a| sum.matmul(&excess) + &eye * *a);
            (frozen_weight.matmul(&factor.matmul(&series).tr()) * &weight_gradient)
                .sum(Kind::Double)
                .backward();
            let frozen_gradient = factors.frozen_gradient(&weight_gradient).unwrap();
            let error = relative(&frozen_gradient, &frozen_weight.grad());
            assert!(error < 1e-12, "d = {d} n = {n} excess = {excess}: {error}");
            let error = relative(&factors.gradient(&weight_gradient).unwrap(), &raw.grad());
            assert!(error < 1e-11, "d = {d} n = {n} excess = {excess}: {error}");
        }
    }

    #[test]
    fn the_expected_degree_saves_reads_and_changes_no_bit() {
        let (frozen_weight, weight_gradient) =
            (gaussian(&[8, 27], 3, Kind::Double), gaussian(&[8, 27], 4, Kind::Double));
        for (excess, degree) in [(0.03, 4), (5e-5, 3), (3e-7, 2), (1e-13, 1)] {
            let raw = conditioned(27, excess, Kind::Double);
            let of_expected = |expected: usize| {
                let before = host::reads();
                let series = Series::new(&raw, &frozen_weight, expected).unwrap().expect("within the guard");
                assert_eq!(series.degree(), degree);
                let reads = host::reads() - before;
                assert_eq!(reads, 1 + degree.saturating_sub(expected) as u64, "{expected} for {degree}");
                let Rotated { weight, pullback } = series.rotated().unwrap();
                (weight, pullback.gradient(&weight_gradient).unwrap())
            };
            let results = [1, 2, 3, 4].map(of_expected);
            assert!(results.iter().all(|result| *result == results[0]), "excess {excess}");
        }
    }

    #[test]
    fn is_orthogonal_in_float32() {
        for d in checks::SIZES.into_iter().chain(checks::LARGE_SIZES) {
            let rotation = Lowdin::polynomial(&conditioned(d, 0.03, Kind::Float)).unwrap();
            let error = checks::error_of(&rotation);
            println!("d = {d}: orthogonality error {error:.1e}");
            assert!(error < 5e-6, "d = {d}: {error}");
        }
    }

    #[test]
    fn the_guard_accepts_near_and_rejects_far_matrices() {
        for d in [16, 64, 144] {
            for n in [1, d / 4, d] {
                let frozen_weight = gaussian(&[n, d], 3, Kind::Float);
                for (excess, near) in [(0.0, true), (0.03, true), (0.1, false), (1.0, false)] {
                    let raw = conditioned(d, excess, Kind::Float);
                    let taken = series(&raw, &frozen_weight).is_some();
                    assert_eq!(taken, near, "d = {d} n = {n}: ||E|| = {}", norm_of_excess(&raw));
                }
            }
        }
    }

    #[test]
    fn a_reset_keeps_rotation_and_norm() {
        for d in [1, 2, 27, 64] {
            let raw = gaussian(&[d, d], 1 + d as u64, Kind::Double);
            let (frozen_weight, weight_gradient) =
                (gaussian(&[8, d], 2, Kind::Double), gaussian(&[8, d], 3, Kind::Double));
            let (exact, ours) = (Lowdin::new(&raw).unwrap(), Lowdin::polynomial(&raw).unwrap());
            let rotated = ours.rotate(&frozen_weight).unwrap();
            let expected = exact.rotate(&frozen_weight).unwrap().weight;
            assert!(rotated.weight.allclose(&expected, 1e-12, 1e-12, false), "d = {d}");
            assert!((ours.raw().norm() / raw.norm() - 1).abs().double_value(&[]) < 1e-12, "d = {d}");
            // The gradient is that at the P which the optimizer will step.
            let expected = Lowdin::new(ours.raw()).unwrap().rotate(&frozen_weight).unwrap().pullback;
            let [gradient, expected] =
                [rotated.pullback, expected].map(|pullback| pullback.gradient(&weight_gradient).unwrap());
            assert!(gradient.allclose(&expected, 1e-11, 1e-11, false), "d = {d}");
        }
    }

    #[test]
    fn reading_does_not_reset_it() {
        let raw = gaussian(&[27, 27], 1, Kind::Float);
        let rotation = Lowdin::polynomial(&raw).unwrap();
        let r = rotation.matrix().unwrap().unwrap();
        assert_eq!(*rotation.raw(), raw);
        assert_eq!(r, Lowdin::new(&raw).unwrap().matrix().unwrap().unwrap());
    }

    #[test]
    fn zero_is_not_reset_and_still_gives_an_orthogonal_matrix() {
        let rotation = Lowdin::polynomial(&Tensor::zeros([4, 4], tch::kind::FLOAT_CPU)).unwrap();
        let frozen_weight = Tensor::eye(4, tch::kind::FLOAT_CPU);
        let r = rotation.rotate(&frozen_weight).unwrap().weight;
        assert!(r.matmul(&r.tr()).allclose(&frozen_weight, 1e-6, 1e-6, false));
    }

    #[test]
    fn pullback_keeps_its_factors() {
        checks::pullback_keeps_its_factors(|raw| Box::new(Lowdin::polynomial(raw).unwrap()));
    }

    #[test]
    fn a_value_that_is_not_finite_is_an_error() {
        let raw = gaussian(&[5, 5], 1, Kind::Float);
        let _ = raw.get(2).get(3).fill_(f64::NAN);
        let rotated = Lowdin::polynomial(&raw).unwrap().rotate(&gaussian(&[3, 5], 2, Kind::Float));
        assert!(matches!(rotated, Err(Error::NotFinite)));
    }

    #[test]
    fn a_multiple_of_the_identity_is_the_identity() {
        let eye = Tensor::eye(5, (Kind::Float, tch::Device::Cpu));
        assert!(
            Lowdin::polynomial(&(&eye * 3))
                .unwrap()
                .matrix()
                .unwrap()
                .unwrap()
                .allclose(&eye, 1e-6, 1e-6, false)
        );
    }
}
