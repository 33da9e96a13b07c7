//! Claims such as `opt-cayley < baseline @ 0.95`, which must hold for a command to succeed.

use std::fmt;
use std::str::FromStr;

use optlab_api_types::{ArmResult, Comparison, Difference};

use crate::stats;

const EXAMPLE: &str = "a claim looks like `opt-cayley < baseline @ 0.95`";

/// One arm's figures are lower, or higher, than another's.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Claim {
    left: String,
    relation: Relation,
    right: String,
    /// 0.95 allows the claim to hold by chance in 5% of experiments with equal arms.
    level: f64,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Relation {
    Lower,
    Higher,
}

/// Whether a claim holds, and why.
pub(super) struct Outcome {
    pub(super) holds: bool,
    pub(super) sentence: String,
}

/// Why a text is not a claim.
#[derive(Debug, thiserror::Error)]
pub(super) enum ClaimError {
    #[error("no level: {EXAMPLE}")]
    NoLevel,
    #[error("needs one `<` or one `>`: {EXAMPLE}")]
    NoRelation,
    #[error("the level is not a number: {EXAMPLE}")]
    LevelIsNotANumber,
    #[error("the level must be between 0 and 1, such as 0.95, is {0}")]
    ImpossibleLevel(f64),
    #[error("`{0}` is not a name of an arm: {EXAMPLE}")]
    NotAName(String),
    #[error("`{0}` cannot differ from itself")]
    SameArm(String),
}

/// A claim names an arm that the experiments lack.
#[derive(Debug, thiserror::Error)]
#[error("there is no arm `{name}`; there is {known}")]
pub(super) struct UnknownArm {
    name: String,
    known: String,
}

impl FromStr for Claim {
    type Err = ClaimError;

    fn from_str(text: &str) -> Result<Self, ClaimError> {
        let (arms, level) = text.split_once('@').ok_or(ClaimError::NoLevel)?;
        let (place, relation) = match (arms.find('<'), arms.find('>')) {
            (Some(place), None) => (place, Relation::Lower),
            (None, Some(place)) => (place, Relation::Higher),
            _ => return Err(ClaimError::NoRelation),
        };
        let level: f64 = level.trim().parse().map_err(|_| ClaimError::LevelIsNotANumber)?;
        if !(level > 0.0 && level < 1.0) {
            return Err(ClaimError::ImpossibleLevel(level));
        }
        let [left, right] = [&arms[..place], &arms[place + 1..]].map(|name| name.trim().to_owned());
        for name in [&left, &right] {
            // The slash is between an experiment and its arm.
            let is_name = |c: char| c.is_ascii_alphanumeric() || "._-/".contains(c);
            if name.is_empty() || !name.chars().all(is_name) {
                return Err(ClaimError::NotAName(name.clone()));
            }
        }
        if left == right {
            return Err(ClaimError::SameArm(left));
        }
        Ok(Self { left, relation, right, level })
    }
}

impl fmt::Display for Claim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let relation = match self.relation {
            Relation::Lower => '<',
            Relation::Higher => '>',
        };
        write!(f, "{} {relation} {} @ {}", self.left, self.right, self.level)
    }
}

impl Claim {
    /// The claim with the names of arms as answers of the server have them.
    pub(super) fn named(&self, name: impl Fn(&str) -> String) -> Self {
        Self { left: name(&self.left), right: name(&self.right), ..*self }
    }

    /// The arm with which it compares.
    pub(super) fn right(&self) -> &str {
        &self.right
    }

    /// Checks the claim in a comparison with [`right`](Self::right).
    ///
    /// # Errors
    /// If the other arm is not among the compared ones.
    pub(super) fn outcome(&self, comparison: &Comparison) -> Result<Outcome, UnknownArm> {
        let arm = comparison.arms.iter().find(|arm| arm.arm == self.left);
        let arm = arm.ok_or_else(|| {
            let arms: Vec<&str> = comparison.arms.iter().map(|arm| arm.arm.as_str()).collect();
            UnknownArm { name: self.left.clone(), known: arms.join(", ") }
        })?;
        let difference = match (&arm.difference, &arm.cannot_tell) {
            (Some(difference), None) => difference,
            (_, why) => {
                let why = why.as_deref().unwrap_or("there is nothing to compare");
                return Ok(Outcome { holds: false, sentence: format!("cannot tell whether {self}: {why}") });
            }
        };
        let holds = self.holds(difference);
        let verb = if holds { "holds" } else { "does not hold" };
        let sentence = format!("{self} {verb}: {}", self.evidence(comparison, arm, difference));
        Ok(Outcome { holds, sentence })
    }

    /// The p-value is not adjusted, because the claim was named before the figures were seen.
    fn holds(&self, difference: &Difference) -> bool {
        let points_there = match self.relation {
            Relation::Lower => difference.mean < 0.0,
            Relation::Higher => difference.mean > 0.0,
        };
        points_there && difference.p_value < 1.0 - self.level
    }

    fn evidence(&self, comparison: &Comparison, arm: &ArmResult, difference: &Difference) -> String {
        let &Difference { n, mean, std, p_value, .. } = difference;
        let [low, high] = stats::interval(n, mean, std, self.level);
        let metric = comparison.metric;
        let [mean, low, high] = [mean, low, high].map(|value| metric.shown_difference(value));
        let percent = (self.level * 1e6).round() / 1e4;
        let p = if p_value < 0.001 { "p < 0.001".to_owned() } else { format!("p = {p_value:.3}") };
        let left_out = comparison.missing.iter().filter(|cell| [&arm.arm, &self.right].contains(&&cell.arm));
        let left_out = match left_out.count() {
            0 => String::new(),
            cells => format!("; {cells} of their jobs are missing"),
        };
        format!(
            "{} differs by {mean} ({percent}% interval {low} to {high}, {p} for this claim alone, {n} pairs{left_out})",
            metric.heading()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claim_is_read_strictly() {
        let claim: Claim = "opt-cayley<base.line_1 @ 0.990".parse().unwrap();
        assert_eq!(claim.to_string(), "opt-cayley < base.line_1 @ 0.99");
        let claim: Claim = "4/opt < wide.r/baseline @ 0.9".parse().unwrap();
        let named = claim.named(|arm| arm.replace("wide.r", "7"));
        assert_eq!(named.to_string(), "4/opt < 7/baseline @ 0.9");
        assert_eq!("a > b @ .9".parse::<Claim>().unwrap().relation, Relation::Higher);
        for (text, says) in [
            ("a < b", "no level"),
            ("a b @ 0.95", "one `<` or one `>`"),
            ("a <> b @ 0.95", "one `<` or one `>`"),
            ("a < b < c @ 0.95", "`b < c` is not a name"),
            ("a <= b @ 0.95", "`= b` is not a name"),
            (" < b @ 0.95", "`` is not a name"),
            ("a < b @ 95", "between 0 and 1, such as 0.95, is 95"),
            ("a < b @ 1", "between 0 and 1"),
            ("a < b @ 0", "between 0 and 1"),
            ("a < b @ nan", "between 0 and 1"),
            ("a < b @ high", "not a number"),
            ("a < b @ 0.9 @ 0.9", "not a number"),
            ("a < a @ 0.9", "cannot differ from itself"),
        ] {
            let error = text.parse::<Claim>().unwrap_err().to_string();
            assert!(error.contains(says), "{text}: {error}");
        }
    }

    #[test]
    fn a_claim_holds_by_direction_and_level() {
        let difference: Difference = serde_json::from_value(serde_json::json!({
            "n": 5, "mean": -0.8, "std": 0.5, "low": -1.4, "high": -0.2, "bootstrap_low": -1.2, "bootstrap_high": -0.4,
            "p_value": 0.023, "p_adjusted": 0.046, "significant": true, "effect_size": -1.6, "seeds_needed": 6,
            "sign_flip": { "p_value": 0.0625, "p_adjusted": 0.125, "least_p": 0.0625, "exact": true },
        }))
        .unwrap();
        let holds = |text: &str| text.parse::<Claim>().unwrap().holds(&difference);
        assert!(holds("a < b @ 0.95") && holds("a < b @ 0.97"));
        assert!(!holds("a < b @ 0.98") && !holds("a > b @ 0.95"));
    }
}
