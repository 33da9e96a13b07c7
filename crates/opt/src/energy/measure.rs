//! Measures the energy in float64, from the Gram matrix of the directions.

use tch::{Kind, Tensor};

use super::config::EnergyConfig;
use super::pairs::{count_distances, count_neurons, upper_sum};
use crate::{Error, host};

/// Maximum number of entries of the Gram matrix in memory: 32 MiB of float64.
const BLOCK_ENTRIES: i64 = 1 << 22;

/// Below this squared distance, 2 - 2 cos has lost more than half of float64's digits.
const NEAR: f64 = 1e-6;

/// Mean energy of the pairs of neurons (rows) of `weight`, `[n, ...]`, computed in float64; it has no unit. Reads from the
/// device.
///
/// Neurons that coincide (or, in half-space, oppose) have infinite energy, which is returned as such; if rounding
/// separates them, it is large instead. A weight that is not finite gives NaN.
///
/// # Errors
/// [`Error::NoPairs`] for fewer than two neurons, [`Error::ZeroNeuron`] for one without a direction.
pub fn hyperspherical_energy(weight: &Tensor, config: &EnergyConfig) -> Result<f64, Error> {
    let _guard = tch::no_grad_guard();
    let neurons = count_neurons(weight)?;
    let sum = pair_sum(&directions(weight)?, config, (BLOCK_ENTRIES / neurons).max(1))?;
    Ok(sum / count_distances(neurons, config))
}

/// The neurons scaled to length one, `[n, d]`, in float64.
pub(super) fn directions(weight: &Tensor) -> Result<Tensor, Error> {
    let rows = weight.f_detach()?.f_flatten(1, -1)?.f_to_kind(Kind::Double)?;
    let norms = rows.f_norm_scalaropt_dim(2, 1, true)?;
    if host::number(&norms.f_min()?)? == 0.0 {
        return Err(Error::ZeroNeuron { row: host::integer(&norms.f_argmin(0, false)?)? });
    }
    Ok(rows.f_div(&norms)?)
}

/// The sum over pairs i < j, the Gram matrix taken `block_rows` rows at a time.
fn pair_sum(directions: &Tensor, config: &EnergyConfig, block_rows: i64) -> Result<f64, Error> {
    let neurons = directions.size()[0];
    let mut sum = 0.0;
    for start in (0..neurons).step_by(block_rows as usize) {
        // Every pair occurs once, above the diagonal; rows before this block are left out.
        let rest = directions.f_narrow(0, start, neurons - start)?;
        let block = rest.f_narrow(0, 0, block_rows.min(neurons - start))?;
        let cosines = block.f_matmul(&rest.f_tr()?)?;
        let squared = squared_distances(&cosines, &block, &rest)?;
        sum += host::number(&upper_sum(&squared, config.power)?)?;
        if config.half_space {
            let squared = squared_distances(&cosines.f_neg()?, &block, &rest.f_neg()?)?;
            sum += host::number(&upper_sum(&squared, config.power)?)?;
        }
    }
    Ok(sum)
}

/// z^2 = 2 - 2 cos between rows of `block` and of `rest`, or by subtraction if some pair is too close. The
/// diagonal, where a neuron meets itself, is set to 1.
fn squared_distances(cosines: &Tensor, block: &Tensor, rest: &Tensor) -> Result<Tensor, Error> {
    const WITHOUT_GRAM: i64 = 2;
    let mut squared = cosines.f_mul_scalar(-2)?.f_add_scalar(2)?.f_fill_diagonal_(1, false)?;
    if host::number(&squared.f_min()?)? < NEAR {
        squared = Tensor::f_cdist(block, rest, 2.0, WITHOUT_GRAM)?.f_square()?.f_fill_diagonal_(1, false)?;
    }
    Ok(squared)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::draws::gaussian;

    fn whole(power: u32) -> EnergyConfig {
        EnergyConfig { power, half_space: false }
    }

    fn half(power: u32) -> EnergyConfig {
        EnergyConfig { power, half_space: true }
    }

    fn every_config() -> impl Iterator<Item = EnergyConfig> {
        (0..=2).flat_map(|power| [whole(power), half(power)])
    }

    fn energy(rows: &[&[f64]], config: &EnergyConfig) -> Result<f64, Error> {
        let size = [rows.len() as i64, rows[0].len() as i64];
        hyperspherical_energy(&Tensor::from_slice(&rows.concat()).view(size), config)
    }

    fn f_s(z: f64, power: u32) -> f64 {
        if power == 0 { -z.ln() } else { z.powi(-(power as i32)) }
    }

    /// By the definition: over every ordered pair of vectors, mirrors included, except a neuron and its own mirror.
    fn naive(weight: &Tensor, config: &EnergyConfig) -> f64 {
        let rows: Vec<Vec<f64>> = weight.to_kind(Kind::Double).try_into().unwrap();
        let signs: &[f64] = if config.half_space { &[1.0, -1.0] } else { &[1.0] };
        let vectors: Vec<(usize, Vec<f64>)> = (rows.iter().enumerate())
            .flat_map(|(i, row)| {
                let norm = row.iter().map(|x| x * x).sum::<f64>().sqrt();
                signs.iter().map(move |sign| (i, row.iter().map(|x| sign * x / norm).collect()))
            })
            .collect();
        let (mut sum, mut pairs) = (0.0, 0);
        for (i, a) in &vectors {
            for (_, b) in vectors.iter().filter(|(j, _)| i != j) {
                sum += f_s(a.iter().zip(b).map(|(x, y)| (x - y).powi(2)).sum::<f64>().sqrt(), config.power);
                pairs += 1;
            }
        }
        sum / f64::from(pairs)
    }

    fn assert_close(ours: f64, expected: f64, relative: f64) {
        assert!((ours - expected).abs() <= relative * expected.abs(), "{ours} for {expected}");
    }

    #[test]
    fn agrees_with_a_double_loop_for_any_block_size() {
        for config in every_config() {
            for (n, d) in [(2, 3), (7, 27), (40, 5), (65, 64)] {
                let weight = gaussian(&[n, d], 1, Kind::Double);
                let expected = naive(&weight, &config);
                assert_close(hyperspherical_energy(&weight, &config).unwrap(), expected, 1e-12);
                let distances = (n * (n - 1)) as f64 * if config.half_space { 1.0 } else { 0.5 };
                for block_rows in [1, 3, n] {
                    let sum = pair_sum(&directions(&weight).unwrap(), &config, block_rows).unwrap();
                    assert_close(sum / distances, expected, 1e-12);
                }
            }
        }
    }

    #[test]
    fn has_its_closed_form_on_known_arrangements() {
        let right_angle: [&[f64]; 2] = [&[3.0, 0.0], &[0.0, 0.5]];
        let sine = 0.75f64.sqrt();
        let simplex: [&[f64]; 3] = [&[1.0, 0.0], &[-0.5, sine], &[-0.5, -sine]];
        let cross: [&[f64]; 4] = [&[1.0, 0.0], &[-1.0, 0.0], &[0.0, 1.0], &[0.0, -1.0]];
        for power in 0..=2 {
            let [at_1, at_root_2, at_root_3, at_2] = [1f64, 2.0, 3.0, 4.0].map(|z| f_s(z.sqrt(), power));
            assert_close(energy(&right_angle, &whole(power)).unwrap(), at_root_2, 1e-15);
            assert_close(energy(&right_angle, &half(power)).unwrap(), at_root_2, 1e-15);
            // Vertices of the triangle are sqrt 3 apart, and 1 from each other's mirrors.
            assert_close(energy(&simplex, &whole(power)).unwrap(), at_root_3, 1e-14);
            assert_close(energy(&simplex, &half(power)).unwrap(), (at_root_3 + at_1) / 2.0, 1e-14);
            // Of the 6 pairs of the square, 4 are sides and 2 diagonals; its opposite vertices are one direction.
            let expected = (4.0 * at_root_2 + 2.0 * at_2) / 6.0;
            assert_close(energy(&cross, &whole(power)).unwrap(), expected, 1e-15);
            assert_eq!(energy(&cross, &half(power)).unwrap(), f64::INFINITY);
        }
    }

    #[test]
    fn is_accurate_at_small_angles() {
        for (angle, relative) in [(1e-2f64, 1e-11), (1e-4, 1e-11), (1e-8, 1e-11)] {
            let (sine, cosine) = angle.sin_cos();
            for power in 0..=2 {
                let expected = f_s(2.0 * (angle / 2.0).sin(), power);
                assert_close(
                    energy(&[&[1.0, 0.0], &[cosine, sine]], &whole(power)).unwrap(),
                    expected,
                    relative,
                );
                // The mirror of an almost opposite neuron is just as close.
                let expected = (expected + f_s(2.0 * (angle / 2.0).cos(), power)) / 2.0;
                assert_close(
                    energy(&[&[1.0, 0.0], &[-cosine, -sine]], &half(power)).unwrap(),
                    expected,
                    relative,
                );
            }
        }
    }

    #[test]
    fn is_infinite_where_neurons_coincide() {
        let coinciding: [&[f64]; 3] = [&[0.3, 0.1], &[0.7, -1.0], &[0.6, 0.2]];
        for config in every_config() {
            assert_eq!(energy(&coinciding, &config).unwrap(), f64::INFINITY, "{config:?}");
        }
    }

    #[test]
    fn takes_filters_of_a_convolution_as_neurons() {
        let filters = gaussian(&[6, 2, 3, 3], 1, Kind::Float);
        let config = EnergyConfig::default();
        let rows = hyperspherical_energy(&filters.view([6, 18]), &config).unwrap();
        assert_eq!(hyperspherical_energy(&filters, &config).unwrap(), rows);
    }

    #[test]
    fn rejects_neurons_without_energy() {
        let config = EnergyConfig::default();
        assert!(matches!(energy(&[&[1.0, 2.0]], &config), Err(Error::NoPairs { .. })));
        let bias = Tensor::from_slice(&[1.0, 2.0]);
        assert!(matches!(hyperspherical_energy(&bias, &config), Err(Error::NoPairs { .. })));
        let zero: [&[f64]; 3] = [&[1.0, 0.0], &[0.0, 0.0], &[0.0, 0.0]];
        assert!(matches!(energy(&zero, &config), Err(Error::ZeroNeuron { row: 1 })));
        assert!(energy(&[&[1.0, f64::NAN], &[1.0, 0.0]], &config).unwrap().is_nan());
    }
}
