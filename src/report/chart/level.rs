//! The least possible energies of a chart: dashed lines that belong to no arm. The dashboard has the same rule, in
//! `web/src/chart/levels.ts` and `paint.ts`.

use maud::{Markup, html};
use optlab_api_types::Curves;

use super::{BOTTOM, Frame, HEIGHT, LEFT, RIGHT, WIDTH, rounded, ticks};

/// Minimum distance between two names.
const NAMES_APART: f64 = 13.0;

/// A value that the energies of some arms cannot be below.
#[derive(Debug, PartialEq)]
pub(super) struct Level {
    pub(super) value: f64,
    name: &'static str,
}

/// The bounds of the arms, the lowest first. Equal ones are one line.
pub(super) fn levels(curves: &Curves) -> Vec<Level> {
    let name = |reachable| if reachable { "least possible" } else { "lower bound, cannot be reached" };
    let bounds = curves.arms.iter().filter_map(|curve| curve.bound);
    let mut levels: Vec<Level> =
        bounds.map(|bound| Level { value: bound.least, name: name(bound.reachable) }).collect();
    levels.sort_by(|a, b| a.value.total_cmp(&b.value).then(a.name.cmp(b.name)));
    levels.dedup();
    levels
}

/// The lines, with their names above them. A line below the chart has only a name, at the lower edge.
pub(super) fn draw(levels: &[Level], frame: &Frame) -> Markup {
    let mut free = f64::INFINITY;
    let mut drawn = Vec::new();
    for Level { value, name } in levels.iter().filter(|level| level.value <= frame.y.1) {
        let below = *value < frame.y.0;
        let at = if below { HEIGHT - BOTTOM } else { frame.at_y(*value) };
        // A name that would cover another one is left out.
        let is_named = at <= free;
        if is_named {
            free = at - NAMES_APART;
        }
        let text = if below { format!("↓ {name} {}", ticks::fixed(*value, 4)) } else { (*name).to_owned() };
        drawn.push((rounded(at), !below, is_named.then_some(text)));
    }
    html! {
        @for (at, inside, name) in drawn {
            @if inside { line class="level" x1=(LEFT) x2=(WIDTH - RIGHT) y1=(at) y2=(at) {} }
            @if let Some(name) = name { text x=(LEFT + 6.0) y=(at - 5.0) { (name) } }
        }
    }
}

#[cfg(test)]
mod tests {
    use optlab_api_types::{ArmCurve, Band, EnergyBound};

    use super::*;

    /// A chart from 0.6 to 0.8 of arms with these bounds.
    fn drawn(bounds: &[Option<(f64, bool)>]) -> String {
        let bound = |(least, reachable)| EnergyBound { least, reachable, excess: None };
        let arm = |(index, given): (usize, &Option<_>)| ArmCurve {
            arm: index.to_string(),
            method: String::new(),
            band: Band::default(),
            bound: given.map(bound),
        };
        let arms = bounds.iter().enumerate().map(arm).collect();
        let series = "energy/mean".to_owned();
        let curves = Curves { series, unit: String::new(), higher_is_better: None, width: 1, arms };
        let frame = Frame { x: (0.0, 100.0), y: (0.6, 0.8), log: false };
        draw(&levels(&curves), &frame).into_string()
    }

    #[test]
    fn each_bound_is_drawn_once() {
        assert_eq!(drawn(&[None]), "");
        let middle = r#"<line class="level" x1="72" x2="624" y1="142" y2="142"></line><text x="78" y="137">"#;
        assert_eq!(
            drawn(&[Some((0.7, true)), None, Some((0.7, true))]),
            format!("{middle}least possible</text>")
        );
        let unreachable = format!("{middle}lower bound, cannot be reached</text>");
        assert_eq!(drawn(&[Some((0.7, false))]), unreachable);
        let close = drawn(&[Some((0.7, true)), Some((0.701, true))]);
        assert_eq!((close.matches("<line").count(), close.matches("<text").count()), (2, 1), "{close}");
    }

    #[test]
    fn a_bound_below_the_chart_is_named_at_its_edge() {
        assert_eq!(drawn(&[Some((0.5, true))]), r#"<text x="78" y="271">↓ least possible 0.5000</text>"#);
        assert_eq!(drawn(&[Some((0.9, true))]), "", "the chart is below it");
    }
}
