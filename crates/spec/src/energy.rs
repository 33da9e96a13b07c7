//! The hyperspherical energy that is plotted, and the least that it can be.

use serde::{Deserialize, Serialize};

use crate::fields::Fields;

/// The energy that is plotted (Liu et al., NeurIPS 2018, section 3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EnergySpec {
    /// s of the kernel z^-s; 0 means log(1/z).
    pub power: u8,
    /// A neuron and its mirror image count as one direction.
    pub half_space: bool,
    /// Updates between two points. Step 0 and the end always have points.
    pub every_steps: u64,
}

/// A lower bound of an energy. It is never 0.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LeastEnergy {
    /// The bound.
    pub value: f64,
    /// Whether some neurons have this energy. Otherwise, every energy is higher.
    pub reachable: bool,
}

impl EnergySpec {
    pub(crate) fn read(fields: &mut Fields<'_>) -> Self {
        Self {
            power: fields.integer("power", Some(1), 0..=2) as u8,
            half_space: fields.flag("half_space", false),
            every_steps: fields.integer("every_steps", Some(50), 1..=1_000_000),
        }
    }

    /// The lower bound of the mean energy of `n` neurons of length `d`; `None` without a pair of neurons.
    ///
    /// f_s is convex and decreasing in the squared distance z^2, so by Jensen's inequality the mean of f_s is at least
    /// that of the mean of z^2. Over the pairs of n unit vectors, whose sum has a length of at least 0, the mean of z^2 is
    /// at most 2n/(n - 1). The regular simplex has this distance between all of its vertices; it exists for n <= d + 1.
    /// In half-space, z^2 and 4 - z^2 belong to each pair and have the mean 2. Orthonormal neurons have this distance
    /// from each other and from each other's mirrors; they exist for n <= d.
    pub fn least(&self, n: u64, d: u64) -> Option<LeastEnergy> {
        if n < 2 {
            return None;
        }
        let neurons = n as f64;
        let (squared, reachable) = match self.half_space {
            true => (2.0, n <= d),
            false => (2.0 * neurons / (neurons - 1.0), n <= d + 1),
        };
        let value = match self.power {
            0 => -0.5 * squared.ln(),
            power => squared.powf(-0.5 * f64::from(power)),
        };
        Some(LeastEnergy { value, reachable })
    }
}

impl LeastEnergy {
    /// How far `energy` is above the bound, in percent of the bound's size.
    pub fn excess(&self, energy: f64) -> f64 {
        100.0 * (energy - self.value) / self.value.abs()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn least(power: u8, half_space: bool, n: u64, d: u64) -> LeastEnergy {
        EnergySpec { power, half_space, every_steps: 1 }.least(n, d).unwrap()
    }

    #[test]
    fn the_bound_is_the_energy_of_a_simplex_or_of_orthonormal_neurons() {
        let root = f64::sqrt;
        for (power, half_space, n, expected) in [
            // Opposite neurons, a triangle, a tetrahedron.
            (1, false, 2, 1.0 / 2.0),
            (1, false, 3, 1.0 / root(3.0)),
            (2, false, 4, 3.0 / 8.0),
            (0, false, 3, -root(3.0).ln()),
            (1, true, 3, 1.0 / root(2.0)),
            (2, true, 3, 1.0 / 2.0),
            (0, true, 3, -root(2.0).ln()),
        ] {
            let LeastEnergy { value, .. } = least(power, half_space, n, 3);
            assert!((value - expected).abs() < 1e-15, "power {power}, {n} neurons: {value} for {expected}");
        }
        assert_eq!(EnergySpec { power: 1, half_space: false, every_steps: 1 }.least(1, 3), None);
    }

    #[test]
    fn the_bound_can_be_reached_if_the_arrangement_exists() {
        for (half_space, most) in [(false, 28), (true, 27)] {
            assert!(least(1, half_space, most, 27).reachable);
            assert!(!least(1, half_space, most + 1, 27).reachable);
        }
    }

    #[test]
    fn the_excess_is_positive_also_where_energies_are_negative() {
        let below_zero = least(0, false, 32, 27);
        assert!(below_zero.value < 0.0);
        let energy = below_zero.value * 0.9;
        assert!((below_zero.excess(energy) - 10.0).abs() < 1e-9, "{}", below_zero.excess(energy));
        assert_eq!(LeastEnergy { value: 0.5, reachable: true }.excess(0.55).round(), 10.0);
    }
}
