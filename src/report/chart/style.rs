//! An arm has one colour, one line style and one mark in the whole report. The dashboard has the same rule, in
//! `web/src/arms.ts`, and the same colours, in `web/src/tokens.css`.

use std::fmt::Write;

use optlab_api_types::ArmSummary;

/// Number of colours for a few arms, and of hues for many methods.
const COLOURS: usize = 7;
const HUES: usize = 10;
/// More arms than this are told apart by method first.
pub(super) const MANY_ARMS: usize = 8;
const BASELINE: &str = "--arm-baseline";
const BASELINE_DASH: &str = "5 3";
const DASHES: [&str; 7] = ["none", "9 3", "2 2.5", "9 3 2 3", "14 4", "5 2 2 2 2 2", "1 4"];
/// What each shade mixes into the colour, and how much of the colour is left.
const SHADES: [Option<(&str, u8)>; 3] = [None, Some(("--ink", 60)), Some(("--panel", 60))];

/// The style of one arm.
#[derive(Debug, PartialEq)]
pub(super) struct ArmStyle {
    /// CSS of the colour.
    colour: String,
    /// Lengths of strokes and gaps.
    dash: &'static str,
    /// The mark on the line; `None` for a few arms, which colour and line style distinguish.
    pub(super) mark: Option<usize>,
}

/// The styles of the arms, in their order. The baseline is grey and dashed. Up to eight arms take colours in the order
/// of the spec. Of more arms, the method determines the hue and the mark, and the setting the shade and the line style.
pub(super) fn styles(arms: &[ArmSummary], baseline: Option<&str>) -> Vec<ArmStyle> {
    let reference = arms.iter().find(|arm| Some(arm.name.as_str()) == baseline);
    let is_reference = |arm: &ArmSummary| reference.is_some_and(|reference| reference.name == arm.name);
    let grey = || ArmStyle { colour: css(BASELINE, 0), dash: BASELINE_DASH, mark: None };
    if arms.len() <= MANY_ARMS {
        let mut next = 0..;
        let mut style = |arm: &ArmSummary| {
            if is_reference(arm) {
                return grey();
            }
            let index = next.next().unwrap_or_default();
            let dash = DASHES[(index + index / COLOURS) % DASHES.len()];
            ArmStyle { colour: css(&format!("--arm-{}", index % COLOURS), 0), dash, mark: None }
        };
        return arms.iter().map(&mut style).collect();
    }
    // Each method with the number of its last setting.
    let mut methods: Vec<(String, usize)> = Vec::new();
    let mut plain = 0;
    let mut style = |arm: &ArmSummary| {
        if is_reference(arm) {
            return grey();
        }
        // Other settings of the baseline's method are grey too, in other shades than the baseline.
        if reference.is_some_and(|reference| reference.method == arm.method) {
            plain += 1;
            let colour = css(BASELINE, 1 + (plain - 1) % 2);
            return ArmStyle { colour, dash: DASHES[(plain - 1) % DASHES.len()], mark: Some(0) };
        }
        let known = methods.iter().position(|(method, _)| *method == arm.method);
        let hue = known.unwrap_or(methods.len());
        match known {
            Some(hue) => methods[hue].1 += 1,
            None => methods.push((arm.method.clone(), 0)),
        }
        let setting = methods[hue].1;
        ArmStyle {
            colour: css(&format!("--arm-{}", hue % HUES), setting),
            dash: DASHES[(setting + hue / HUES) % DASHES.len()],
            mark: Some((hue + 1) % MARKS),
        }
    };
    arms.iter().map(&mut style).collect()
}

/// Rules by which the class `aN` has the colour and the line style of arm N.
pub(super) fn rules(styles: &[ArmStyle]) -> String {
    let mut css = String::new();
    for (index, ArmStyle { colour, dash, .. }) in styles.iter().enumerate() {
        let _ = writeln!(css, ".a{index} {{ color: {colour}; --dash: {dash}; }}");
    }
    css
}

fn css(property: &str, shade: usize) -> String {
    match SHADES[shade % SHADES.len()] {
        None => format!("var({property})"),
        Some((other, rest)) => format!("color-mix(in srgb, var({property}) {rest}%, var({other}))"),
    }
}

/// Number of different marks.
const MARKS: usize = 8;

/// The corners of a mark around the origin, of about the same area as a circle of radius 1.
fn corners(mark: usize) -> Vec<(f64, f64)> {
    let around = |radii: &[f64], count: usize, turn: f64| -> Vec<(f64, f64)> {
        let corner = |index: usize| {
            let angle = std::f64::consts::TAU * (index as f64 + turn) / count as f64;
            let radius = radii[index % radii.len()];
            (radius * angle.sin(), -radius * angle.cos())
        };
        (0..count).map(corner).collect()
    };
    let plus = || {
        let arm = [(-0.35, -1.1), (0.35, -1.1), (0.35, -0.35)];
        (0..4).flat_map(move |turn| arm.map(|point| turned(point, turn))).collect::<Vec<_>>()
    };
    match mark {
        0 => around(&[1.0], 16, 0.0),
        1 => around(&[1.2], 4, 0.5),
        2 => around(&[1.35], 3, 0.0),
        3 => around(&[1.3], 4, 0.0),
        4 => plus().into_iter().map(|(x, y)| ((x - y) / 2_f64.sqrt(), (x + y) / 2_f64.sqrt())).collect(),
        5 => plus(),
        6 => around(&[1.35], 3, 1.5),
        _ => around(&[1.45, 0.6], 10, 0.0),
    }
}

/// A point after this many quarter turns.
fn turned((x, y): (f64, f64), quarters: usize) -> (f64, f64) {
    match quarters {
        0 => (x, y),
        1 => (-y, x),
        2 => (-x, -y),
        _ => (y, -x),
    }
}

/// The outline of a mark around a point, as SVG path data.
pub(super) fn outline(mark: usize, (x, y): (f64, f64), radius: f64) -> String {
    let mut path = String::new();
    for (index, (dx, dy)) in corners(mark).into_iter().enumerate() {
        let letter = if index == 0 { 'M' } else { 'L' };
        let _ = write!(path, "{letter}{:.1} {:.1}", x + radius * dx, y + radius * dy);
    }
    path + "Z"
}
