//! A tuned arm: what was written for it, and its resolved form at each point.

use serde_json::json;

use super::points::levels;
use super::source::{ArmSource, written};
use super::{Point, RangeSpec, Sampler, Space, Tuning, path};
use crate::fields::Fields;
use crate::parts::{Base, Parts};
use crate::problem::{Problem, Problems, escaped};

/// An arm that was read with a tuning.
pub(crate) struct Tuned {
    /// The ranges of the arm, its own and those of all arms.
    pub(crate) space: Space,
    pub(crate) source: ArmSource,
    /// Resolved at the point of the first trial.
    pub(crate) parts: Parts,
}

/// Reads the ranges of an arm and checks that every trial can run. `None` after a mistake, which is recorded.
pub(crate) fn read_tuned(fields: &mut Fields<'_>, base: &Base<'_>, tuning: &Tuning) -> Option<Tuned> {
    let before = fields.mistakes();
    let own = fields.tables("tune", RangeSpec::read);
    let source = written(fields);
    let mut space = tuning.spec.space.clone();
    space.extend(own.clone());
    if !base.is_sound || !tuning.is_sound || fields.mistakes() > before {
        return None;
    }
    let arm = Candidate { base, tuning, space: &space, own: &own, source: &source };
    let parts = arm.read(fields);
    parts.map(|parts| Tuned { space, source, parts })
}

/// The arm of a trial: its point, and the arm at it. `None` if this version cannot resolve it.
pub(crate) fn at_trial(
    base: &Base<'_>,
    tuning: &Tuning,
    space: &Space,
    source: &ArmSource,
    trial: u64,
) -> Result<(Point, Parts), Problems> {
    let own = Space::new();
    let arm = Candidate { base, tuning, space, own: &own, source };
    let low = source.at(&arm.ends(0)).resolve(base, true)?;
    let point = arm.point(trial, &low);
    let parts = source.at(&point).resolve(base, true)?;
    Ok((point, parts))
}

/// An arm and its ranges while they are checked.
struct Candidate<'a> {
    base: &'a Base<'a>,
    tuning: &'a Tuning,
    space: &'a Space,
    /// The ranges that the arm itself has.
    own: &'a Space,
    source: &'a ArmSource,
}

impl Candidate<'_> {
    fn read(&self, fields: &mut Fields<'_>) -> Option<Parts> {
        let is_stored = fields.is_stored();
        if !is_stored && !self.may_be_tuned(fields) {
            return None;
        }
        let low = match self.source.at(&self.ends(0)).resolve(self.base, is_stored) {
            Ok(parts) => parts,
            Err(problems) => {
                problems.list.iter().for_each(|problem| self.report(fields, problem, None));
                return None;
            }
        };
        if !is_stored && !self.check(fields, &low) {
            return None;
        }
        let first = self.source.at(&self.point(0, &low)).resolve(self.base, is_stored);
        first.map_err(|problems| problems.list.iter().for_each(|one| self.report(fields, one, None))).ok()
    }

    /// Whether each path may name a field that the arm leaves open.
    fn may_be_tuned(&self, fields: &mut Fields<'_>) -> bool {
        let before = fields.mistakes();
        if self.space.is_empty() {
            fields.wrong("tune", "needs a range: give one to this arm, or in `tune.space` to every arm");
        }
        for path in self.space.keys() {
            if let Some(refusal) = path::refusal(path) {
                self.wrong(fields, path, "", &refusal);
            } else if self.source.sets(path) {
                let place = path::pointer(path);
                let detail =
                    format!("is tuned, so the arm cannot set it; remove it here or the range of `{path}`");
                fields.wrong_below(&place, detail);
            }
        }
        fields.mistakes() == before
    }

    /// Checks that intervals are those of numbers, every end of a range and every trial.
    fn check(&self, fields: &mut Fields<'_>, low: &Parts) -> bool {
        let before = fields.mistakes();
        for (path, range) in self.space {
            let leaf = low.value(&path::pointer(path));
            if range.listed().is_none() && !leaf.is_some_and(|leaf| leaf.is_number()) {
                self.wrong(fields, path, "", "is no number, so it has no `from` and `to`; give `values`");
                continue;
            }
            for (name, value) in range.ends() {
                let mut point = self.ends(0);
                point.insert(path.clone(), value);
                if let Err(problems) = self.source.at(&point).resolve(self.base, false) {
                    problems
                        .list
                        .iter()
                        .for_each(|one| self.report(fields, one, Some((path.as_str(), &name))));
                }
            }
        }
        if self.tuning.spec.sampler == Sampler::Grid
            && let Err(right) = levels(self.space, self.tuning.spec.trials)
        {
            fields.wrong_at("/tune/trials", right);
        }
        if fields.mistakes() > before {
            return false;
        }
        for trial in 0..self.tuning.spec.trials {
            let point = self.point(trial, low);
            if let Err(problems) = self.source.at(&point).resolve(self.base, false) {
                let Problem { pointer, detail } = &problems.list[0];
                let values = json!(point);
                fields.wrong(
                    "tune",
                    format!("makes an impossible trial {trial}, {values}: {pointer} {detail}"),
                );
                return false;
            }
        }
        self.check_validation(fields, low);
        fields.mistakes() == before
    }

    fn check_validation(&self, fields: &mut Fields<'_>, parts: &Parts) {
        if parts.train.data.validation > 0.0 {
            return;
        }
        let detail = "must be above 0, because trials are judged on held-out images; for example 0.1";
        if self.base.train.data.validation > 0.0 {
            fields.wrong_below("/train/data/validation", detail);
        } else {
            fields.wrong_at("/train/data/validation", detail);
        }
    }

    /// The point whose fields have the first values of their ranges.
    fn ends(&self, place: usize) -> Point {
        self.space.iter().map(|(path, range)| (path.clone(), range.ends()[place].1.clone())).collect()
    }

    fn point(&self, trial: u64, low: &Parts) -> Point {
        let is_whole = |path: &str| low.value(&path::pointer(path)).is_some_and(|leaf| leaf.is_u64());
        self.tuning.point(self.space, trial, is_whole)
    }

    /// Records a problem of the arm with some values. If the field is tuned, the mistake is in its range. A problem of
    /// another field with only the value `tried` changed is a mistake of that range, too.
    fn report(&self, fields: &mut Fields<'_>, problem: &Problem, tried: Option<(&str, &str)>) {
        let path = self.space.keys().find(|path| path::is_at(path, &problem.pointer));
        match (path, tried) {
            (Some(path), Some((same, name))) if path == same => {
                self.wrong(fields, path, name, &problem.detail)
            }
            (Some(path), _) => {
                let name = self.space[path].ends().swap_remove(0).0;
                let name = if problem.detail.starts_with("unknown field") { String::new() } else { name };
                self.wrong(fields, path, &name, &problem.detail);
            }
            (None, Some((path, name))) => {
                self.wrong(
                    fields,
                    path,
                    name,
                    &format!("does not fit: {} {}", problem.pointer, problem.detail),
                );
            }
            (None, None) => fields.wrong_below(&problem.pointer, problem.detail.clone()),
        }
    }

    fn wrong(&self, fields: &mut Fields<'_>, path: &str, name: &str, detail: &str) {
        let end = if name.is_empty() { String::new() } else { format!("/{name}") };
        let range = format!("{}{end}", escaped(path));
        if self.own.contains_key(path) {
            fields.wrong_below(&format!("/tune/{range}"), detail);
        } else {
            fields.wrong_at(&format!("/tune/space/{range}"), detail);
        }
    }
}
