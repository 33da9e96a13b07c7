//! Energy as a term of the loss: "MHE" and "half-space MHE" as regularisers.

use tch::{Kind, Tensor};

use super::config::EnergyConfig;
use super::pairs::{count_distances, count_neurons, upper_sum};
use crate::{Algorithm, Error, host};

/// Above this cosine, 2 - 2 cos has lost some of float32's few digits.
const NEAR: f64 = 0.98;

/// Lower bound of squared distances: neurons at a millionth of their length.
const SMALLEST: f64 = 1e-12;

/// Lower bound of lengths, so that a zero neuron does not divide by zero.
const SHORTEST: f64 = 1e-12;

/// Entries of neurons subtracted at once: 16 MiB of float32.
const CHUNK_ENTRIES: i64 = 1 << 22;

/// What [`hyperspherical_energy`](super::hyperspherical_energy) measures of `weight`, `[n, ...]`, as a scalar on its
/// graph and in its kind.
///
/// Neurons that coincide (or, in half-space, oppose) have large instead of infinite energy and no gradient, because
/// there is no direction; neither does a zero neuron have one. A weight that is not finite gives NaN. Reads from the device
/// which neurons are close, except in float32 on a GPU.
///
/// # Errors
/// [`Error::NoPairs`] for fewer than two neurons.
pub fn energy_penalty(weight: &Tensor, config: &EnergyConfig) -> Result<Tensor, Error> {
    penalty_by(Algorithm::of(weight.device()), weight, config)
}

fn penalty_by(algorithm: Algorithm, weight: &Tensor, config: &EnergyConfig) -> Result<Tensor, Error> {
    let neurons = count_neurons(weight)?;
    let rows = weight.f_flatten(1, -1)?;
    let lengths = rows.f_norm_scalaropt_dim(2, 1, true)?.f_clamp_min(SHORTEST)?;
    let directions = rows.f_div(&lengths)?;
    let cosines = directions.f_matmul(&directions.f_tr()?)?;
    let squared = |sign| squared_distances(algorithm, &directions, &cosines, sign);
    let mut sum = upper_sum(&squared(1.0)?, config.power)?;
    if config.half_space {
        sum = sum.f_add(&upper_sum(&squared(-1.0)?, config.power)?)?;
    }
    Ok(sum.f_div_scalar(count_distances(neurons, config))?)
}

/// z^2 = 2 - 2 cos above the diagonal, 1 elsewhere, to each neuron (`sign` 1) or to its mirror (-1).
///
/// For near pairs only the value is replaced. The gradient of 2 - 2 w_i w_j, -2 w_j at w_i, is as good as that of
/// the difference, 2 (w_i - w_j): they differ along w_i, which normalisation takes away.
fn squared_distances(
    algorithm: Algorithm,
    directions: &Tensor,
    cosines: &Tensor,
    sign: f64,
) -> Result<Tensor, Error> {
    let below = cosines.f_ones_like()?.f_tril(0)?.f_to_kind(Kind::Bool)?;
    let squared = cosines.f_mul_scalar(-2.0 * sign)?.f_add_scalar(2)?.f_masked_fill(&below, 1)?;
    let correction = match (algorithm, directions.kind()) {
        (Algorithm::Gpu, Kind::Float) => correction_by_products(directions, &squared, sign)?,
        _ => correction_by_differences(directions, &squared, sign)?,
    };
    Ok(squared.f_add(&correction)?.f_clamp_min(SMALLEST)?)
}

/// The correction of the squared distances of close pairs, outside the graph, to |w_i|^2 + |w_j|^2 - 2 w_i w_j in
/// float64, which of neurons in float32 is as good as the difference. Nothing is read by the host.
fn correction_by_products(directions: &Tensor, squared: &Tensor, sign: f64) -> Result<Tensor, Error> {
    let _guard = tch::no_grad_guard();
    let directions = directions.f_to_kind(Kind::Double)?;
    let products = directions.f_matmul(&directions.f_tr()?)?;
    let lengths = products.f_diagonal(0, 0, 1)?;
    let sums = lengths.f_unsqueeze(1)?.f_add(&lengths)?;
    let correction =
        sums.f_sub(&products.f_mul_scalar(2.0 * sign)?)?.f_sub(squared)?.f_to_kind(Kind::Float)?;
    Ok(correction.f_where_scalarother(&squared.f_lt(2.0 - 2.0 * NEAR)?, 0)?)
}

/// The same by subtraction of the neurons. Waits for the device, to find close pairs.
fn correction_by_differences(directions: &Tensor, squared: &Tensor, sign: f64) -> Result<Tensor, Error> {
    let _guard = tch::no_grad_guard();
    let mut correction = squared.f_zeros_like()?;
    let near = host::nonzero(&squared.f_lt(2.0 - 2.0 * NEAR)?)?;
    // Bounds the memory, however many pairs are close.
    for pairs in near.f_split((CHUNK_ENTRIES / directions.size()[1]).max(1), 0)? {
        let [i, j] = [pairs.f_select(1, 0)?, pairs.f_select(1, 1)?];
        let others = directions.f_index_select(0, &j)?.f_mul_scalar_(sign)?;
        let differences = directions.f_index_select(0, &i)?.f_sub_(&others)?;
        let by_subtraction = differences.f_norm_scalaropt_dim(2, 1, false)?.f_square()?;
        let by_cosine = squared.f_index(&[Some(&i), Some(&j)])?;
        let values = by_subtraction.f_sub(&by_cosine)?;
        let _ = correction.f_index_put_(&[Some(&i), Some(&j)], &values, false)?;
    }
    Ok(correction)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::draws::gaussian;
    use crate::hyperspherical_energy;

    const ALGORITHMS: [Algorithm; 2] = [Algorithm::Cpu, Algorithm::Gpu];

    fn every_config() -> impl Iterator<Item = EnergyConfig> {
        (0..=2).flat_map(|power| [false, true].map(|half_space| EnergyConfig { power, half_space }))
    }

    /// By the definition, in float64: differences of all pairs i < j, and with mirrors also sums.
    fn naive(weight: &Tensor, config: &EnergyConfig) -> Tensor {
        let directions = weight / weight.norm_scalaropt_dim(2, [1], true);
        let n = weight.size()[0];
        let pairs = Tensor::triu_indices(n, n, 1, (Kind::Int64, tch::Device::Cpu));
        let [a, b] = [0, 1].map(|end| directions.index_select(0, &pairs.get(end)));
        let f_s = |difference: Tensor| {
            let z = difference.norm_scalaropt_dim(2, [1], false);
            if config.power == 0 { -z.log() } else { z.pow_tensor_scalar(-i64::from(config.power)) }
        };
        let whole = f_s(&a - &b);
        if config.half_space {
            ((whole + f_s(&a + &b)) / 2).mean(Kind::Double)
        } else {
            whole.mean(Kind::Double)
        }
    }

    /// Value and gradient at `weight`.
    fn with_gradient(weight: &Tensor, energy: impl Fn(&Tensor) -> Tensor) -> (f64, Tensor) {
        let leaf = weight.detach().copy().set_requires_grad(true);
        let value = energy(&leaf);
        value.backward();
        (value.double_value(&[]), leaf.grad())
    }

    /// Neurons where the last almost equals the first, and the last but one almost equals its mirror.
    fn crowded(angle: f64) -> Tensor {
        let weight = gaussian(&[9, 6], 1, Kind::Double);
        let length = weight.get(0).norm().double_value(&[]);
        let aside = gaussian(&[2, 6], 2, Kind::Double) * (angle * length / 6f64.sqrt());
        weight.get(8).copy_(&(weight.get(0) * 2 + aside.get(0)));
        weight.get(7).copy_(&(aside.get(1) - weight.get(0)));
        weight
    }

    #[test]
    fn value_is_the_energy_and_gradient_that_of_the_definition() {
        for config in every_config() {
            for (weight, relative) in [
                (gaussian(&[2, 3], 1, Kind::Double), 1e-5),
                (gaussian(&[40, 27], 1, Kind::Double), 1e-5),
                (gaussian(&[12, 4], 1, Kind::Double), 1e-5),
                (crowded(0.1), 1e-5),
                (crowded(1e-2), 1e-4),
                (crowded(1e-3), 1e-3),
            ] {
                let (expected, expected_gradient) = with_gradient(&weight, |weight| naive(weight, &config));
                let measured = hyperspherical_energy(&weight, &config).unwrap();
                assert!((expected - measured).abs() < 1e-9 * measured.abs());
                for (kind, bound) in [(Kind::Double, 1e-8), (Kind::Float, relative)] {
                    for algorithm in ALGORITHMS {
                        let (energy, gradient) = with_gradient(&weight.to_kind(kind), |weight| {
                            penalty_by(algorithm, weight, &config).unwrap()
                        });
                        assert_eq!(gradient.kind(), kind);
                        assert!(
                            (energy - measured).abs() < bound * measured.abs(),
                            "{algorithm:?} {kind:?} {config:?}: {energy}"
                        );
                        let error = (&gradient - &expected_gradient).norm() / expected_gradient.norm();
                        assert!(
                            error.double_value(&[]) < bound,
                            "{algorithm:?} {kind:?} {config:?} {weight:?}: {error}"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn neurons_that_coincide_have_a_gradient() {
        let weight = gaussian(&[5, 6], 1, Kind::Float);
        weight.get(1).copy_(&(weight.get(0) * 2));
        weight.get(2).copy_(&-weight.get(0));
        let zero = gaussian(&[5, 6], 1, Kind::Float);
        let _ = zero.get(3).zero_();
        for (config, algorithm) in every_config().flat_map(|config| ALGORITHMS.map(|a| (config, a))) {
            for weight in [&weight, &zero] {
                let (energy, gradient) =
                    with_gradient(weight, |weight| penalty_by(algorithm, weight, &config).unwrap());
                assert!(energy.is_finite());
                assert_eq!(gradient.isfinite().all().int64_value(&[]), 1, "{config:?}");
                // Distant neurons still have gradients.
                assert!(gradient.get(4).abs().max().double_value(&[]) > 1e-6, "{config:?}");
            }
        }
        let nan = gaussian(&[3, 4], 1, Kind::Float) * f64::NAN;
        for algorithm in ALGORITHMS {
            let energy = penalty_by(algorithm, &nan, &EnergyConfig::default()).unwrap();
            assert!(energy.double_value(&[]).is_nan());
        }
    }

    #[test]
    fn takes_filters_as_neurons_and_rejects_neurons_without_energy() {
        let filters = gaussian(&[6, 2, 3, 3], 1, Kind::Float);
        let config = EnergyConfig::default();
        let rows = energy_penalty(&filters.view([6, 18]), &config).unwrap();
        assert_eq!(energy_penalty(&filters, &config).unwrap(), rows);
        assert!(matches!(energy_penalty(&filters.get(0).view([1, 18]), &config), Err(Error::NoPairs { .. })));
    }

    #[test]
    fn many_near_pairs_are_corrected_in_chunks() {
        // 2^21 entries per neuron leave two pairs per chunk, of six.
        let weight = gaussian(&[1, 1 << 21], 1, Kind::Float) + gaussian(&[4, 1 << 21], 2, Kind::Float) * 0.01;
        let config = EnergyConfig::default();
        let energy = energy_penalty(&weight, &config).unwrap().double_value(&[]);
        let measured = hyperspherical_energy(&weight, &config).unwrap();
        assert!((energy - measured).abs() < 1e-4 * measured, "{energy} for {measured}");
    }

    #[test]
    fn nothing_is_read_on_a_gpu() {
        let weight = gaussian(&[9, 6], 1, Kind::Float);
        let before = host::reads();
        for config in every_config() {
            let _ = penalty_by(Algorithm::Gpu, &weight, &config).unwrap();
        }
        assert_eq!(host::reads(), before);
    }
}
