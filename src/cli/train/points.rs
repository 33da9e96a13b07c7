//! `metrics.csv`: the points of a run.

use std::collections::BTreeMap;
use std::path::Path;
use std::str;

use anyhow::{Context, ensure};
use optlab_domain::series;

use super::files::POINTS;
use crate::cli::input;
use crate::store::TimedPoint;

/// The first line.
pub(super) const HEADER: &str = "series,step,value,time_ms";

/// The curves of a run by the names of their series.
pub(super) type Curves = BTreeMap<String, Vec<TimedPoint>>;

/// Reads the points in `folder`. Also returns the bytes of the file.
pub(super) fn read(folder: &Path) -> anyhow::Result<(Curves, Vec<u8>)> {
    let path = folder.join(POINTS);
    let bytes = input::regular(&path)?;
    let curves = parse(&bytes).with_context(|| path.display().to_string())?;
    Ok((curves, bytes))
}

fn parse(bytes: &[u8]) -> anyhow::Result<Curves> {
    let mut lines = str::from_utf8(bytes)?.lines();
    ensure!(lines.next() == Some(HEADER), "the first line is not `{HEADER}`");
    let mut curves = Curves::new();
    for (number, line) in (2..).zip(lines) {
        let (series, point) =
            point(line).with_context(|| format!("line {number} is not a point: {line:?}"))?;
        let curve = curves.entry(series.to_owned()).or_default();
        let follows = curve.last().is_none_or(|last| last.step < point.step);
        ensure!(follows, "line {number}: step {} of {series} is out of order", point.step);
        curve.push(point);
    }
    Ok(curves)
}

fn point(line: &str) -> Option<(&str, TimedPoint)> {
    let mut cells = line.split(',');
    let series = cells.next().filter(|name| series::is_known(name))?;
    let step = cells.next()?.parse().ok()?;
    let value = cells.next()?.parse().ok().filter(|value: &f64| value.is_finite())?;
    let time_ms = cells.next()?.parse().ok()?;
    cells.next().is_none().then_some((series, TimedPoint { step, value, time_ms }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_damaged_line_is_named() {
        let read = |lines: &str| parse(format!("{HEADER}\n{lines}").as_bytes());
        let curves = read("train/loss,1,2.5,7\ntest/accuracy,0,10,7\ntrain/loss,2,1e-3,8\n").unwrap();
        assert_eq!(curves["train/loss"].iter().map(|point| point.value).collect::<Vec<_>>(), [2.5, 1e-3]);
        for (lines, says) in [
            ("train/loss,1,2.5,7\ntrain/loss,2,1.", "line 3 is not a point"),
            ("train/loss,1,NaN,7", "line 2 is not a point"),
            ("mine/loss,1,1,7", "line 2 is not a point"),
            ("train/loss,1,1,7,8", "line 2 is not a point"),
            ("train/loss,2,1,7\ntrain/loss,2,1,7", "line 3: step 2 of train/loss is out of order"),
        ] {
            assert!(read(lines).unwrap_err().to_string().contains(says), "{lines}");
        }
        assert!(parse(b"").is_err());
    }
}
