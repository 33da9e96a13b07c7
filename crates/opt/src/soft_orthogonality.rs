//! Penalties that pull a trained weight towards orthogonal neurons, for comparison with OPT.
//!
//! Source: Bansal, Chen and Wang, "Can We Gain More from Orthogonality Regularizations in Training Deep CNNs?", NeurIPS
//! 2018, <https://arxiv.org/abs/1810.09102>. With neurons as the columns of W, M = W^T W - I is 0 where they are
//! orthonormal. With more neurons than dimensions, that is impossible, and M = W W^T - I, the smaller of the two, which
//! has the same eigenvalues except n - d of -1, and is 0 for a tight frame.

use tch::Tensor;

use crate::Error;

/// Lower bound of a length by which a vector is divided.
const SHORTEST: f64 = 1e-12;

/// ||M||_F^2 of `weight`, `[n, ...]`, as a scalar on its graph: "soft orthogonality".
///
/// # Errors
/// [`Error::NeuronsShape`] unless there is a neuron with an entry.
pub fn frobenius_penalty(weight: &Tensor) -> Result<Tensor, Error> {
    let rows = fewer_rows(weight)?;
    let eye = Tensor::f_eye(rows.size()[0], (rows.kind(), rows.device()))?;
    Ok(rows.f_matmul(&rows.f_tr()?)?.f_sub(&eye)?.f_square()?.f_sum(rows.kind())?)
}

/// The spectral norm of M, of `weight`, `[n, ...]`, as a scalar on its graph: "spectral restricted isometry property"
/// (SRIP).
///
/// It is estimated from below by two steps of the power iteration from `start`, `[min(n, d)]`, which must not be 0 and
/// which training draws again each time: u = M start / ||M start||, then ||M u||. The gradient treats u as a constant,
/// which is exact for an eigenvector.
///
/// # Errors
/// [`Error::NeuronsShape`] unless there is a neuron with an entry, [`Error::StartShape`].
pub fn srip_penalty(weight: &Tensor, start: &Tensor) -> Result<Tensor, Error> {
    let rows = fewer_rows(weight)?;
    let (expected, size) = (rows.size()[0], start.size());
    if size != [expected] {
        return Err(Error::StartShape { expected, size });
    }
    let direction = {
        let _guard = tch::no_grad_guard();
        let image = deviation(&rows, start)?;
        image.f_div(&image.f_norm()?.f_clamp_min(SHORTEST)?)?
    };
    Ok(deviation(&rows, &direction)?.f_norm()?)
}

/// M `vector`, without forming M.
fn deviation(rows: &Tensor, vector: &Tensor) -> Result<Tensor, Error> {
    Ok(rows.f_mv(&rows.f_tr()?.f_mv(vector)?)?.f_sub(vector)?)
}

/// W^T, or W if it has fewer rows: M is its product with its transpose, minus I.
fn fewer_rows(weight: &Tensor) -> Result<Tensor, Error> {
    if weight.dim() < 2 || weight.numel() == 0 {
        return Err(Error::NeuronsShape { size: weight.size() });
    }
    let neurons = weight.f_flatten(1, -1)?;
    Ok(if neurons.size()[0] <= neurons.size()[1] { neurons } else { neurons.f_tr()? })
}

#[cfg(test)]
mod tests {
    use tch::{Device, Kind};

    use super::*;
    use crate::Cayley;
    use crate::draws::gaussian;
    use crate::transform::Rotation;

    const SIZES: [(i64, i64); 5] = [(1, 1), (4, 7), (6, 6), (7, 4), (1, 5)];

    fn weight(n: i64, d: i64, kind: Kind) -> Tensor {
        gaussian(&[n, d], 1, kind) * (2.0 / d as f64).sqrt()
    }

    fn start(n: i64, d: i64, kind: Kind) -> Tensor {
        gaussian(&[n.min(d)], 2, kind)
    }

    /// The matrix M.
    fn matrix(weight: &Tensor) -> Tensor {
        let (n, d) = (weight.size()[0], weight.size()[1]);
        let gram = if n <= d { weight.matmul(&weight.tr()) } else { weight.tr().matmul(weight) };
        gram - Tensor::eye(n.min(d), (weight.kind(), Device::Cpu))
    }

    /// The contribution of a matrix A in dM to the gradient of the weight, (A + A^T) W.
    fn times_weight(a: &Tensor, weight: &Tensor) -> Tensor {
        let symmetric = a + a.tr();
        if weight.size()[0] <= weight.size()[1] {
            symmetric.matmul(weight)
        } else {
            weight.matmul(&symmetric)
        }
    }

    fn with_gradient(weight: &Tensor, penalty: impl Fn(&Tensor) -> Tensor) -> (f64, Tensor) {
        let leaf = weight.copy().set_requires_grad(true);
        let value = penalty(&leaf);
        assert_eq!((value.size(), value.kind()), (vec![], weight.kind()));
        value.backward();
        (value.double_value(&[]), leaf.grad())
    }

    fn assert_close(ours: (f64, Tensor), expected: (f64, Tensor), bound: f64) {
        assert!((ours.0 - expected.0).abs() <= bound * expected.0, "{} for {}", ours.0, expected.0);
        let error = (ours.1 - &expected.1).norm().double_value(&[]);
        assert!(error <= bound * expected.1.norm().double_value(&[]), "gradient off by {error}");
    }

    #[test]
    fn frobenius_agrees_with_its_closed_form() {
        for (kind, bound) in [(Kind::Double, 1e-12), (Kind::Float, 1e-5)] {
            for (n, d) in SIZES {
                let exact = weight(n, d, kind).to_kind(Kind::Double);
                let m = matrix(&exact);
                let expected =
                    (m.square().sum(Kind::Double).double_value(&[]), times_weight(&(m * 2), &exact));
                let ours = with_gradient(&weight(n, d, kind), |weight| frobenius_penalty(weight).unwrap());
                assert_close(ours, expected, bound);
            }
        }
    }

    #[test]
    fn srip_agrees_with_its_closed_form() {
        for (kind, bound) in [(Kind::Double, 1e-12), (Kind::Float, 1e-4)] {
            for (n, d) in SIZES {
                let exact = weight(n, d, kind).to_kind(Kind::Double);
                let start = start(n, d, kind);
                let m = matrix(&exact);
                let u = m.mv(&start.to_kind(Kind::Double));
                let u = &u / u.norm();
                let image = m.mv(&u);
                let norm = image.norm();
                let expected = (norm.double_value(&[]), times_weight(&(image / norm).outer(&u), &exact));
                let ours = with_gradient(&weight(n, d, kind), |weight| srip_penalty(weight, &start).unwrap());
                assert_close(ours, expected, bound);
            }
        }
    }

    #[test]
    fn srip_is_the_spectral_norm_from_below_and_exact_from_its_vector() {
        for (n, d) in [(6, 20), (20, 6), (12, 12)] {
            let weight = weight(n, d, Kind::Double);
            let (values, vectors) = matrix(&weight).linalg_eigh("L");
            let leading = values.abs().argmax(0, false).int64_value(&[]);
            let norm = values.get(leading).abs().double_value(&[]);
            let from = |start: &Tensor| srip_penalty(&weight, start).unwrap().double_value(&[]);
            let estimate = from(&start(n, d, Kind::Double));
            assert!((0.5 * norm..=norm * (1.0 + 1e-12)).contains(&estimate), "{estimate} for {norm}");
            assert!((from(&vectors.select(1, leading)) - norm).abs() < 1e-12 * norm);
        }
    }

    #[test]
    fn orthonormal_neurons_have_no_penalty_and_doubled_ones_a_known_one() {
        let raw = gaussian(&[6, 6], 1, Kind::Double);
        let r = Cayley::new(&raw).unwrap().matrix().unwrap().unwrap();
        for rows in [r.narrow(0, 0, 4), r.narrow(1, 0, 4)] {
            let start = gaussian(&[4], 2, Kind::Double);
            let penalties = |weight: &Tensor| {
                [frobenius_penalty(weight).unwrap(), srip_penalty(weight, &start).unwrap()]
                    .map(|penalty| penalty.double_value(&[]))
            };
            let [frobenius, srip] = penalties(&rows);
            assert!(frobenius < 1e-24 && srip < 1e-12, "{frobenius} {srip}");
            // M = 4 I - I, with four eigenvalues.
            let [frobenius, srip] = penalties(&(rows * 2));
            assert!((frobenius - 36.0).abs() < 1e-12 && (srip - 3.0).abs() < 1e-12, "{frobenius} {srip}");
        }
        // The gradient is 0 too, because nothing is rounded.
        let eye = Tensor::eye(3, (Kind::Float, Device::Cpu));
        let start = gaussian(&[3], 1, Kind::Float);
        let (_, gradient) = with_gradient(&eye, |weight| srip_penalty(weight, &start).unwrap());
        assert_eq!(gradient, eye.zeros_like());
    }

    #[test]
    fn takes_filters_of_a_convolution_as_neurons_and_rejects_wrong_shapes() {
        let filters = gaussian(&[6, 2, 3, 3], 1, Kind::Float);
        let start = gaussian(&[6], 2, Kind::Float);
        let rows = filters.view([6, 18]);
        assert_eq!(frobenius_penalty(&filters).unwrap(), frobenius_penalty(&rows).unwrap());
        assert_eq!(srip_penalty(&filters, &start).unwrap(), srip_penalty(&rows, &start).unwrap());
        let message = srip_penalty(&rows.tr(), &gaussian(&[18], 2, Kind::Float)).unwrap_err().to_string();
        assert_eq!(message, "the power iteration must start from a vector [6], got [18]");
        for bad in [&[3][..], &[0, 3], &[3, 0]] {
            let message =
                frobenius_penalty(&Tensor::zeros(bad, tch::kind::FLOAT_CPU)).unwrap_err().to_string();
            assert_eq!(message, format!("neurons must be the rows of a non-empty [n, d], got {bad:?}"));
        }
    }
}
