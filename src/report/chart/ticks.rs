//! Positions and texts of the numbers of an axis.

use super::line::Range;

/// Multiples of 1, 2 or 5 times a power of ten, at most about `most` in a range.
pub(super) fn linear((low, high): Range, most: f64) -> Vec<f64> {
    let least = (high - low) / most.max(1.0);
    if !(least > 0.0 && least.is_finite()) {
        return vec![low];
    }
    let power = 10_f64.powf(least.log10().floor());
    let distance = [1.0, 2.0, 5.0, 10.0].map(|factor| factor * power);
    let distance = distance.into_iter().find(|step| *step >= least * (1.0 - 1e-9)).unwrap_or(10.0 * power);
    let first = (low / distance - 1e-9).ceil() as i64;
    let last = (high / distance + 1e-9).floor() as i64;
    (first..=last).map(|index| index as f64 * distance).collect()
}

/// Powers of ten, thinned out if there are many. A range with fewer than two has 1, 2 and 5 times a power or, if that are
/// fewer than three, ordinary ticks.
pub(super) fn logarithmic((low, high): Range, most: f64) -> Vec<f64> {
    let (first, last) = ((low.log10() - 1e-9).ceil() as i32, (high.log10() + 1e-9).floor() as i32);
    if last - first < 1 {
        let finer = (first - 1..=first + 1).flat_map(|power| {
            [1.0, 2.0, 5.0].map(|factor| {
                if power < 0 { factor / 10_f64.powi(-power) } else { factor * 10_f64.powi(power) }
            })
        });
        let inside: Vec<f64> = finer.filter(|tick| (low..=high).contains(tick)).collect();
        if inside.len() > 2 {
            return inside;
        }
        return linear((low, high), most).into_iter().filter(|tick| *tick > 0.0).collect();
    }
    let stride = (f64::from(last - first + 1) / most.max(2.0)).ceil() as usize;
    (first..=last).step_by(stride).map(|power| 10_f64.powi(power)).collect()
}

/// The texts of the numbers: with equal decimals if they are evenly spaced, as powers otherwise.
pub(super) fn labels(ticks: &[f64]) -> Vec<String> {
    let [first, second, ..] = ticks else { return ticks.iter().map(|&tick| short(tick)).collect() };
    let distance = second - first;
    let is_even = ticks.windows(2).all(|pair| (pair[1] - pair[0] - distance).abs() < 1e-6 * distance);
    let largest = ticks.iter().fold(0.0, |largest: f64, tick| largest.max(tick.abs()));
    if !is_even || distance < 1e-5 || largest >= 1e7 {
        return ticks.iter().map(|&tick| short(tick)).collect();
    }
    let decimals = (0..6).find(|&decimals| {
        let scaled = distance * 10_f64.powi(decimals);
        (scaled - scaled.round()).abs() < 1e-6
    });
    ticks.iter().map(|&tick| fixed(tick, decimals.unwrap_or(6) as usize)).collect()
}

fn short(tick: f64) -> String {
    match tick.abs() {
        0.0 => "0".to_owned(),
        1e-3..1e6 => (tick as f32).to_string().replace('-', "−"),
        _ => format!("{:e}", tick as f32).replace('-', "−"),
    }
}

/// A number with a minus sign, and with separated thousands.
pub(super) fn fixed(tick: f64, decimals: usize) -> String {
    let text = format!("{:.decimals$}", tick.abs());
    let (whole, rest) = text.split_at(text.find('.').unwrap_or(text.len()));
    let mut grouped = String::new();
    for (index, digit) in whole.char_indices() {
        if index > 0 && (whole.len() - index) % 3 == 0 {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    let sign = if tick < 0.0 && text.bytes().any(|byte| (b'1'..=b'9').contains(&byte)) { "−" } else { "" };
    format!("{sign}{grouped}{rest}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(ticks: &[f64]) -> String {
        labels(ticks).join(" ")
    }

    #[test]
    fn numbers_are_round_and_have_equal_decimals() {
        assert_eq!(shown(&linear((0.0, 2700.0), 6.0)), "0 500 1,000 1,500 2,000 2,500");
        assert_eq!(shown(&linear((96.9, 98.2), 5.0)), "97.0 97.5 98.0");
        assert_eq!(shown(&linear((-0.02, 0.021), 4.0)), "−0.02 0.00 0.02");
        assert_eq!(shown(&linear((3.0, 3.0), 4.0)), "3");
    }

    #[test]
    fn logarithmic_axes_have_powers_of_ten() {
        assert_eq!(shown(&logarithmic((2e-4, 30.0), 6.0)), "0.001 0.01 0.1 1 10");
        assert_eq!(shown(&logarithmic((1e-12, 1e3), 4.0)), "1e−12 1e−8 1e−4 1");
        assert_eq!(shown(&logarithmic((0.03, 0.6), 6.0)), "0.05 0.1 0.2 0.5");
        assert_eq!(shown(&logarithmic((0.3, 0.9), 4.0)), "0.4 0.6 0.8");
    }
}
