//! The step with factors of Omega as momentum: the exact Cayley transform Q, by the identity of Sherman, Morrison and
//! Woodbury.
//!
//! ```text
//! m <- 0.9 m - G,   Omega = (m W^T - W m^T) / 2 = U_1 U_2^T / 2,   U_1 = [m, -W],   U_2 = [W, m]
//! a = min(rate, 1 / (||Omega||_F + 1e-8)),   K = U_2^T U_1
//! Q = I + a/2 U_1 (I - a/4 K)^-1 U_2^T,   [m, W] <- Q [m, W]
//! ```
//!
//! Q commutes with Omega, so rotating m together with W leaves Omega unchanged, and 0.9 of it goes into the next step,
//! as in the other form. (Without this rotation, m would contain the W of earlier steps, and any part of G along W
//! would accelerate W without a slope.)
//!
//! No matrix is larger than `[2n, d]`. One Gram matrix of [m, W] has all blocks: with its halves exchanged it is U_2^T
//! [m, W], and with the right half also negated it is K. As tr(Omega^2) = tr(K^2) / 4 and Omega is skew,
//! ||Omega||_F^2 = -tr(K^2) / 4. I - a/4 K is never singular: its determinant is that of I - a/2 Omega, at least 1.

use tch::Tensor;

use super::published::{EPSILON, MOMENTUM};
use crate::Error;

/// `weight` is W^T, `momentum` m^T, `gradient` G^T, all `[n, d]`. Never waits for the device.
pub fn step(weight: &mut Tensor, momentum: &mut Tensor, gradient: &Tensor, rate: f64) -> Result<(), Error> {
    let n = weight.size()[0];
    let options = (weight.kind(), weight.device());
    let _ = momentum.f_mul_scalar_(MOMENTUM)?.f_sub_(gradient)?;
    let both = Tensor::f_cat(&[&*momentum, &*weight], 0)?;
    let exchanged = both.f_matmul(&both.f_tr()?)?.f_roll([n], [0])?;
    let signs = Tensor::f_ones([2 * n], options)?;
    let _ = signs.f_narrow(0, n, n)?.f_neg_()?;
    let k = exchanged.f_mul(&signs)?;

    // If Omega vanishes, rounding can make the square of the norm negative.
    let norm = k.f_mul(&k.f_tr()?)?.f_sum(k.kind())?.f_neg()?.f_clamp_min(0)?.f_sqrt()?.f_mul_scalar(0.5)?;
    let a = norm.f_add_scalar(EPSILON)?.f_reciprocal()?.f_clamp_max(rate)?;
    let system = Tensor::f_eye(2 * n, options)?.f_sub(&k.f_mul(&a.f_mul_scalar(0.25)?)?)?;
    let (solved, _) = Tensor::f_linalg_solve_ex(&system, &exchanged, true, false)?;
    let factors = solved.f_mul(&signs.f_unsqueeze(1)?)?.f_mul_(&a.f_mul_scalar(0.5)?)?;
    let turned = both.f_addmm(&factors.f_tr()?, &both)?;
    momentum.f_copy_(&turned.f_narrow(0, 0, n)?)?;
    weight.f_copy_(&turned.f_narrow(0, n, n)?)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use tch::{Device, Kind};

    use super::*;
    use crate::draws::gaussian;

    const RATE: f64 = 0.02;

    /// Three steps with `[d, d]` matrices and an inverse.
    fn naive(frozen_weight: &Tensor, target: &Tensor) -> Tensor {
        let (mut w, target) = (frozen_weight.tr(), target.tr());
        let eye = Tensor::eye(w.size()[0], (w.kind(), Device::Cpu));
        let mut omega = eye.zeros_like();
        for _ in 0..3 {
            let gradient = &w - &target;
            omega = omega * 0.9 - (gradient.matmul(&w.tr()) - w.matmul(&gradient.tr())) * 0.5;
            let half_step = &omega * (0.5 * RATE.min(1.0 / (omega.norm().double_value(&[]) + EPSILON)));
            w = (&eye - &half_step).inverse().matmul(&(&eye + &half_step)).matmul(&w);
        }
        w.tr()
    }

    fn ours(frozen_weight: &Tensor, target: &Tensor) -> Tensor {
        let (mut weight, mut momentum) = (frozen_weight.copy(), frozen_weight.zeros_like());
        for _ in 0..3 {
            let gradient = &weight - target;
            step(&mut weight, &mut momentum, &gradient, RATE).unwrap();
        }
        weight
    }

    #[test]
    fn agrees_with_the_matrix_form_on_either_side_of_the_cap() {
        for (n, d) in [(1, 1), (3, 5), (6, 6), (9, 4), (1, 8)] {
            let frozen_weight = gaussian(&[n, d], 1, Kind::Double);
            for scale in [0.1, 100.0] {
                let target = gaussian(&[n, d], 2, Kind::Double) * scale;
                let error = (ours(&frozen_weight, &target) - naive(&frozen_weight, &target)).norm();
                assert!(error.double_value(&[]) < 1e-9, "n = {n} d = {d} scale {scale}: {error}");
            }
        }
    }
}
