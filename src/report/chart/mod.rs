//! Charts as SVG: one series of an experiment, each arm with its mean and band. Colours are those of the document, so
//! that a chart follows the theme.

mod level;
mod limits;
mod line;
mod style;
mod ticks;

use std::fmt::Write;

use maud::{Markup, html};
use optlab_api_types::{ArmSummary, Curves};
use optlab_domain::{counted, series};

use self::limits::Fit;
use self::line::{Line, Range, limits_of};

use self::style::{ArmStyle, MANY_ARMS, outline, rules, styles};

const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 320.0;
const LEFT: f64 = 72.0;
const RIGHT: f64 = 16.0;
const TOP: f64 = 8.0;
const BOTTOM: f64 = 44.0;
/// Minimum distance between two numbers of an axis.
const X_SPACE: f64 = 80.0;
const Y_SPACE: f64 = 40.0;
/// Marks on each line.
const MARKS: usize = 5;

/// The arms of an experiment with their styles.
pub(super) struct Arms<'a> {
    names: Vec<&'a str>,
    styles: Vec<ArmStyle>,
}

impl<'a> Arms<'a> {
    pub(super) fn new(arms: &'a [ArmSummary], baseline: Option<&str>) -> Self {
        Self { names: arms.iter().map(|arm| arm.name.as_str()).collect(), styles: styles(arms, baseline) }
    }

    /// The rules of the arms' classes.
    pub(super) fn rules(&self) -> String {
        rules(&self.styles)
    }

    /// A piece of the arm's line, and its name.
    pub(super) fn name(&self, name: &str) -> Markup {
        let index = self.place(name);
        let mark = index.and_then(|index| Some((index, self.styles[index].mark?)));
        html! {
            @if let Some(index) = index {
                svg class={ "swatch a" (index) } viewBox="0 0 24 10" aria-hidden="true" {
                    path class="line" d="M0 5L24 5" {}
                    @if let Some((_, mark)) = mark { path class="mark" d=(outline(mark, (12.0, 5.0), 3.0)) {} }
                }
            }
            (name)
        }
    }

    fn place(&self, name: &str) -> Option<usize> {
        self.names.iter().position(|known| *known == name)
    }
}

/// A chart with its heading and a note on what its axis leaves out. `number` distinguishes it from the others, `steps` is
/// the length of the longest run.
pub(super) fn chart(number: usize, curves: &Curves, arms: &Arms<'_>, steps: i64) -> Markup {
    let lines = lines(curves, arms);
    let end = lines.iter().filter_map(|line| line.x.last()).fold(steps.max(1) as f64, |end, &x| end.max(x));
    let log = curves.series.ends_with("/loss");
    let mut fit = if log { limits::logarithmic(&lines, end) } else { limits::linear(&lines, end) };
    let levels = level::levels(curves);
    fit.range = levels.iter().fold(fit.range, |range, level| limits::reaching(range, level.value));
    let note = note(&fit, &lines);
    let frame = Frame { x: (0.0, end), y: fit.range, log };
    let title = title(&curves.series);
    let unit = Some(curves.unit.as_str()).filter(|unit| !unit.is_empty());
    let y_title = unit.map_or_else(|| title.clone(), |unit| format!("{title} ({unit})"));
    html! {
        figure data-series=(curves.series) {
            h3 { (title) @if log { " (logarithmic)" } }
            @if lines.is_empty() {
                p class="quiet" { "No points yet." }
            } @else {
                svg class="chart" viewBox={ "0 0 " (WIDTH) " " (HEIGHT) } role="img" aria-label={ (title) " of each arm by step" } {
                    (frame.axes(&y_title))
                    clipPath id={ "inside-" (number) } {
                        rect x=(LEFT) y=(TOP) width=(frame.width()) height=(frame.height()) {}
                    }
                    (level::draw(&levels, &frame))
                    g clip-path={ "url(#inside-" (number) ")" } {
                        @if lines.len() <= MANY_ARMS { @for line in &lines { (frame.band(line, lines.len())) } }
                        @for line in &lines { (frame.mean(line)) }
                        @for (index, line) in lines.iter().enumerate() {
                            (frame.marks(line, index as f64 / lines.len() as f64, arms))
                            (frame.outside(line))
                        }
                    }
                }
            }
            @if let Some(note) = note { figcaption class="quiet" { (note) } }
        }
    }
}

/// The series in words.
fn title(name: &str) -> String {
    match name {
        series::ENERGY_MEAN => "hyperspherical energy".to_owned(),
        name => name.replace(['/', '_'], " "),
    }
}

fn lines(curves: &Curves, arms: &Arms<'_>) -> Vec<Line> {
    let drawn = curves.arms.iter().filter(|curve| !curve.band.steps.is_empty());
    let mut lines: Vec<Line> =
        drawn.filter_map(|curve| Some(Line::new(arms.place(&curve.arm)?, &curve.band))).collect();
    let limits = limits_of(&curves.unit, &lines);
    lines.iter_mut().for_each(|line| line.limits = limits);
    lines
}

fn note(fit: &Fit, lines: &[Line]) -> Option<String> {
    let arms = counted(fit.apart, "arm");
    let apart = (fit.apart > 0).then(|| {
        format!(
            "The axis is fitted without {arms} far from the others; triangles mark lines that end outside."
        )
    });
    let cut = fit.cut.then(|| "The axis leaves out the warm-up.".to_owned());
    let bands =
        (lines.len() > MANY_ARMS).then(|| format!("No bands, because there are more than {MANY_ARMS} arms."));
    let notes: Vec<String> = [apart, cut, bands].into_iter().flatten().collect();
    (!notes.is_empty()).then(|| notes.join(" "))
}

/// Maps values to the drawing.
struct Frame {
    x: Range,
    y: Range,
    log: bool,
}

impl Frame {
    fn width(&self) -> f64 {
        WIDTH - LEFT - RIGHT
    }

    fn height(&self) -> f64 {
        HEIGHT - TOP - BOTTOM
    }

    fn at_x(&self, x: f64) -> f64 {
        LEFT + self.width() * (x - self.x.0) / (self.x.1 - self.x.0)
    }

    /// Far values are drawn just outside, because browsers do not draw at any distance.
    fn at_y(&self, value: f64) -> f64 {
        let scale = |value: f64| if self.log { value.max(f64::MIN_POSITIVE).ln() } else { value };
        let (low, high) = (scale(self.y.0), scale(self.y.1));
        let share = (scale(value) - low) / (high - low);
        TOP + self.height() * (1.0 - share.clamp(-5.0, 6.0))
    }

    fn axes(&self, y_title: &str) -> Markup {
        let (right, bottom) = (WIDTH - RIGHT, HEIGHT - BOTTOM);
        let x = ticks::linear(self.x, self.width() / X_SPACE);
        let y = if self.log { ticks::logarithmic } else { ticks::linear }(self.y, self.height() / Y_SPACE);
        let middle = TOP + self.height() / 2.0;
        html! {
            @for (tick, label) in x.iter().zip(ticks::labels(&x)) {
                @let at = rounded(self.at_x(*tick));
                line class="grid" x1=(at) x2=(at) y1=(TOP) y2=(bottom) {}
                text x=(at) y=(bottom + 16.0) text-anchor="middle" { (label) }
            }
            @for (tick, label) in y.iter().zip(ticks::labels(&y)) {
                @let at = rounded(self.at_y(*tick));
                line class="grid" x1=(LEFT) x2=(right) y1=(at) y2=(at) {}
                text x=(LEFT - 8.0) y=(at) dy="0.35em" text-anchor="end" { (label) }
            }
            text x=(LEFT + self.width() / 2.0) y=(HEIGHT - 8.0) text-anchor="middle" { "step" }
            text transform={ "translate(14 " (middle) ") rotate(-90)" } text-anchor="middle" { (y_title) }
        }
    }

    fn band(&self, line: &Line, lines: usize) -> Markup {
        // Overlapping bands get fainter with their number.
        let faint = (3.0 / lines as f64).min(1.0);
        html! {
            @for run in line.banded() {
                @let upper = run.clone().map(|index| (line.x[index], line.high(index)));
                @let lower = run.rev().map(|index| (line.x[index], line.low(index)));
                path class={ "band a" (line.arm) } style={ "--faint: " (rounded(faint)) } d={ (self.path(upper.chain(lower))) "Z" } {}
            }
        }
    }

    fn mean(&self, line: &Line) -> Markup {
        let shown = |index: &usize| !self.log || line.mean[*index] > 0.0;
        html! {
            @for (piece, all_seeds) in line.pieces() {
                @let points = piece.filter(shown).map(|index| (line.x[index], line.mean[index]));
                path class={ "line a" (line.arm) @if !all_seeds { " fewer" } } d=(self.path(points)) {}
            }
            // One or two points are marked, because their line is hardly visible.
            @if line.x.len() <= 2 {
                @for index in (0..line.x.len()).filter(shown) {
                    circle class={ "mark a" (line.arm) } cx=(rounded(self.at_x(line.x[index]))) cy=(rounded(self.at_y(line.mean[index]))) r="2.5" {}
                }
            }
        }
    }

    /// Marks on a line, which begin at another place on each.
    fn marks(&self, line: &Line, shift: f64, arms: &Arms<'_>) -> Markup {
        let mark = arms.styles[line.arm].mark;
        let place = |number: usize| {
            let from = (number as f64 + shift) * self.x.1 / MARKS as f64;
            let index = line.x.iter().position(|x| *x >= from)?;
            (self.y.0..=self.y.1).contains(&line.mean[index]).then_some(index)
        };
        let mut at: Vec<usize> = (0..MARKS).filter_map(place).collect();
        at.dedup();
        html! {
            @if let Some(mark) = mark {
                @for index in at {
                    @let centre = (self.at_x(line.x[index]), self.at_y(line.mean[index]));
                    path class={ "mark a" (line.arm) } d=(outline(mark, centre, 2.75)) {}
                }
            }
        }
    }

    /// A triangle at the edge beyond which a line ends.
    fn outside(&self, line: &Line) -> Markup {
        let (Some(&x), Some(&value)) = (line.x.last(), line.mean.last()) else { return html! {} };
        let (at, bottom) = (self.at_x(x).min(WIDTH - RIGHT - 5.0), HEIGHT - BOTTOM);
        let (edge, inward) = if value > self.y.1 { (TOP, 7.0) } else { (bottom, -7.0) };
        let is_outside = !(self.y.0..=self.y.1).contains(&value);
        html! {
            @if is_outside {
                path class={ "mark a" (line.arm) } d={ "M" (rounded(at)) " " (edge) "l-4.5 " (inward) "h9Z" } {}
            }
        }
    }

    fn path(&self, points: impl Iterator<Item = (f64, f64)>) -> String {
        let mut path = String::new();
        for (index, (x, value)) in points.enumerate() {
            let letter = if index == 0 { 'M' } else { 'L' };
            let _ = write!(path, "{letter}{} {}", rounded(self.at_x(x)), rounded(self.at_y(value)));
        }
        path
    }
}

/// A length with one decimal, which is finer than a pixel.
fn rounded(length: f64) -> f64 {
    (10.0 * length).round() / 10.0
}
