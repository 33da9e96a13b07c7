//! The findings of the doctor.

use serde::Serialize;

/// One check.
#[derive(Serialize)]
pub(super) struct Finding {
    pub(super) verdict: Verdict,
    pub(super) what: String,
    /// The remedy.
    pub(super) cure: Option<String>,
}

#[derive(Clone, Copy, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Verdict {
    Ok,
    Missing,
    Broken,
    /// Missing, but obtained on demand.
    Later,
}

impl Verdict {
    /// Padded, so that the following column aligns.
    pub(super) fn label(self) -> &'static str {
        match self {
            Self::Ok => "[ok]     ",
            Self::Missing => "[missing]",
            Self::Broken => "[broken] ",
            Self::Later => "[later]  ",
        }
    }

    pub(super) fn finding(self, what: impl Into<String>) -> Finding {
        Finding { verdict: self, what: what.into(), cure: None }
    }
}

impl Finding {
    pub(super) fn cured_by(self, cure: impl Into<String>) -> Self {
        Self { cure: Some(cure.into()), ..self }
    }
}
