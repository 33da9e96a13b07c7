//! The range of the y axis: of most lines, without the warm-up where that is steep. The dashboard has the same rule, in
//! `web/src/chart/ranges.ts` and `bulk.ts`.

use std::collections::BTreeSet;

use super::line::{Line, Range};

/// The fraction of the run that counts as warm-up.
const WARM_UP: f64 = 0.2;
/// The axis leaves the warm-up out only where it would more than double the range.
const WORTH_CUTTING: f64 = 0.5;
/// A range below this fraction of its values is rounding, and is shown as a flat line.
const FLAT: f64 = 1e-4;
/// The lines keep at least this fraction of an axis that is extended to a bound.
const WORTH_REACHING: f64 = 1.0 / 6.0;
/// Margin between a bound and the end of the axis, as a fraction of the extended range.
const BOUND_MARGIN: f64 = 0.04;
/// Margin at both ends of the axis, as a fraction of the range.
const MARGIN: f64 = 0.06;

/// With this many lines or fewer, a line is left out only if it has run away, because each one counts more.
const FEW: usize = 8;
/// The range must shrink by this factor before lines are left out.
const WORTH_LEAVING_OUT: f64 = 4.0;
/// At most this part of the lines is left out.
const MOST: f64 = 0.25;

/// The range of an axis, and what it leaves out.
#[derive(Debug, PartialEq)]
pub(super) struct Fit {
    pub(super) range: Range,
    /// Whether the warm-up exceeds the range.
    pub(super) cut: bool,
    /// Number of lines that are far from the others.
    pub(super) apart: usize,
}

/// The range of a linear axis, for steps up to `end`.
pub(super) fn linear(lines: &[Line], end: f64) -> Fit {
    let Some(all) = extent(lines, (0.0, end)) else { return Fit { range: (0.0, 1.0), cut: false, apart: 0 } };
    let late = late_span(lines, end);
    let (bulk, apart) = bulk(lines, late, |value| value, ran_away);
    let fitted = extent(&bulk, (0.0, end)).unwrap_or(all);
    let later = late_extent(&bulk, late)
        .filter(|later| height(*later) > 0.0 && height(*later) < WORTH_CUTTING * height(fitted));
    Fit { range: pad(later.unwrap_or(fitted)), cut: later.is_some(), apart }
}

/// The range of a logarithmic axis: of the means above zero, and of the upper ends of their bands.
pub(super) fn logarithmic(lines: &[Line], end: f64) -> Fit {
    let lines: Vec<Line> = lines.iter().map(Line::positive).filter(|line| !line.x.is_empty()).collect();
    let plain: Vec<Line> = lines.iter().map(Line::without_band).collect();
    let (bulk, apart) = bulk(&plain, late_span(&plain, end), f64::ln, ran_away_on_logarithms);
    let kept = if bulk.is_empty() { &plain } else { &bulk };
    let Some((low, high)) = extent(kept, (0.0, end)) else {
        return Fit { range: (0.1, 1.0), cut: false, apart: 0 };
    };
    let is_kept = |line: &&Line| kept.iter().any(|other| other.arm == line.arm);
    let banded: Vec<Line> = lines.iter().filter(is_kept).cloned().collect();
    let high = extent(&banded, (0.0, end)).map_or(high, |(_, upper)| high.max(upper));
    let margin = (high / low).powf(MARGIN).max(1.0 + 10.0 * FLAT);
    Fit { range: (low / margin, high * margin), cut: false, apart }
}

/// Extends a linear axis to a bound unless the lines would become flat.
pub(super) fn reaching((low, high): Range, bound: f64) -> Range {
    let all = hull((low, high), (bound, bound));
    let margin = BOUND_MARGIN * height(all);
    let extended =
        (if bound < low { bound - margin } else { low }, if bound > high { bound + margin } else { high });
    if high - low >= WORTH_REACHING * height(extended) { extended } else { (low, high) }
}

/// The lowest and highest ends of the bands in a range of x.
fn extent(lines: &[Line], (from, to): Range) -> Option<Range> {
    let points = lines.iter().flat_map(|line| (0..line.x.len()).map(move |index| (line, index)));
    let seen = points.filter(|(line, index)| (from..=to).contains(&line.x[*index]));
    seen.map(|(line, index)| (line.low(index), line.high(index))).reduce(hull)
}

/// The same as `extent`, with the last point of every line, so that an arm that is behind stays visible.
fn late_extent(lines: &[Line], span: Range) -> Option<Range> {
    let lasts = lines.iter().filter_map(|line| {
        let last = line.x.iter().rposition(|x| *x <= span.1)?;
        Some((line.low(last), line.high(last)))
    });
    extent(lines, span).into_iter().chain(lasts).reduce(hull)
}

fn late_span(lines: &[Line], end: f64) -> Range {
    let last = lines.iter().filter_map(|line| line.x.last()).fold(0.0, |last: f64, &x| last.max(x));
    let end = end.min(last);
    (WARM_UP * end, end)
}

/// The lines that the axis is fitted to, in the scale of the axis, and the number of the others.
fn bulk(
    lines: &[Line],
    late: Range,
    scale: fn(f64) -> f64,
    ran_away: fn(Range, Range) -> bool,
) -> (Vec<Line>, usize) {
    let drawn: Vec<(&Line, Range)> = lines
        .iter()
        .filter_map(|line| {
            let (low, high) = late_extent(std::slice::from_ref(line), late)?;
            Some((line, (scale(low), scale(high))))
        })
        .collect();
    let ranges: Vec<Range> = drawn.iter().map(|(_, range)| *range).collect();
    let out = left_out(&ranges, ran_away);
    let kept = drawn.iter().enumerate().filter(|(index, _)| !out.contains(index));
    (kept.map(|(_, (line, _))| (*line).clone()).collect(), out.len())
}

/// The ranges that the axis leaves out: the fewest at both ends without which the others have much more space.
/// `ran_away` decides between few of them.
fn left_out(ranges: &[Range], ran_away: fn(Range, Range) -> bool) -> BTreeSet<usize> {
    let mut out = BTreeSet::new();
    if ranges.len() < 3 {
        return out;
    }
    let most = ((ranges.len() as f64 * MOST) as usize).max(1);
    // Each round leaves out the fewest that are worth it, and looks at the others again.
    while let Some(more) = fewest(ranges, &out, most, ran_away) {
        out.extend(more);
    }
    out
}

fn fewest(
    ranges: &[Range],
    out: &BTreeSet<usize>,
    most: usize,
    ran_away: fn(Range, Range) -> bool,
) -> Option<BTreeSet<usize>> {
    let mut by_low: Vec<usize> = (0..ranges.len()).filter(|index| !out.contains(index)).collect();
    let mut by_high = by_low.clone();
    by_low.sort_by(|&a, &b| ranges[a].0.total_cmp(&ranges[b].0));
    by_high.sort_by(|&a, &b| ranges[b].1.total_cmp(&ranges[a].1));
    let whole = |kept: &mut dyn Iterator<Item = usize>| kept.map(|index| ranges[index]).reduce(hull);
    let all = whole(&mut by_low.iter().copied())?;
    if height(all) == 0.0 {
        return None;
    }
    for number in 1..=most.saturating_sub(out.len()) {
        for below in 0..=number {
            let lowest = by_low.iter().take(below);
            let leave: BTreeSet<usize> = lowest.chain(by_high.iter().take(number - below)).copied().collect();
            let others = whole(&mut by_low.iter().copied().filter(|index| !leave.contains(index)))?;
            let is_worth = height(all) >= WORTH_LEAVING_OUT * height(others);
            if is_worth && (ranges.len() > FEW || ran_away(all, others)) {
                return Some(leave);
            }
        }
    }
    None
}

/// Whether values on a linear axis have run away: they are far larger than all others, not just worse.
fn ran_away(all: Range, others: Range) -> bool {
    height(all) > 10.0 * others.0.abs().max(others.1.abs())
}

/// The same for logarithms: a distance of three powers of ten.
fn ran_away_on_logarithms(all: Range, others: Range) -> bool {
    height(all) - height(others) > 3.0 * std::f64::consts::LN_10
}

fn pad((low, high): Range) -> Range {
    let size = low.abs().max(high.abs());
    let margin = if high - low < FLAT * size { size * 10.0 * FLAT } else { (high - low) * MARGIN };
    let margin = if margin == 0.0 { 0.5 } else { margin };
    (low - margin, high + margin)
}

fn hull(a: Range, b: Range) -> Range {
    (a.0.min(b.0), a.1.max(b.1))
}

fn height((low, high): Range) -> f64 {
    high - low
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(arm: usize, values: &[f64]) -> Line {
        let x = (0..values.len()).map(|step| step as f64).collect();
        let (std, n) = (vec![None; values.len()], vec![1; values.len()]);
        Line { arm, x, mean: values.to_vec(), std, n, limits: (f64::NEG_INFINITY, f64::INFINITY) }
    }

    #[test]
    fn an_arm_that_ran_away_does_not_flatten_the_others() {
        let lines = [line(0, &[1.0, 1.1, 1.2]), line(1, &[1.0, 1.2, 1.3]), line(2, &[1.0, 1e3, 1e6])];
        let Fit { range, apart, .. } = linear(&lines, 2.0);
        assert!(apart == 1 && range.1 < 2.0, "{range:?}");
        let worse = [line(0, &[1.0, 1.1]), line(1, &[1.0, 1.2]), line(2, &[3.0, 3.0])];
        assert_eq!(linear(&worse, 1.0).apart, 0, "it is worse, and has not run away");
        let logs = [line(0, &[0.5, 0.1]), line(1, &[0.5, 0.2]), line(2, &[0.5, 1e5])];
        let Fit { range, apart, .. } = logarithmic(&logs, 1.0);
        assert!(apart == 1 && range.0 > 0.0 && range.1 < 1.0, "{range:?}");
    }

    #[test]
    fn a_steep_warm_up_is_left_out_but_the_last_points_stay() {
        let accuracies: Vec<f64> =
            (0..20).map(|step| if step == 0 { 10.0 } else { 97.0 + f64::from(step) / 20.0 }).collect();
        let Fit { range, cut, .. } = linear(&[line(0, &accuracies)], 19.0);
        assert!(cut && range.0 > 90.0 && range.1 < 100.0, "{range:?}");
        let slow: Vec<f64> = (0..20).map(f64::from).collect();
        assert!(!linear(&[line(0, &slow)], 19.0).cut);
    }

    #[test]
    fn an_axis_reaches_a_bound_unless_the_lines_would_become_flat() {
        let (low, high) = reaching((0.7, 0.8), 0.65);
        assert!((low - 0.644).abs() < 1e-12 && high == 0.8, "{low}");
        assert_eq!(reaching((0.7, 0.8), 0.75), (0.7, 0.8));
        assert_eq!(reaching((0.79, 0.8), 0.65), (0.79, 0.8), "it is far below");
    }

    #[test]
    fn lines_without_a_range_have_an_axis() {
        assert_eq!(linear(&[], 10.0).range, (0.0, 1.0));
        assert_eq!(logarithmic(&[line(0, &[0.0, -1.0])], 1.0).range, (0.1, 1.0));
        let (low, high) = linear(&[line(0, &[0.7, 0.7])], 1.0).range;
        assert!(low < 0.7 && high > 0.7);
        assert_eq!(linear(&[line(0, &[0.0])], 1.0).range, (-0.5, 0.5));
    }
}
