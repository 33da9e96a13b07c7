//! The transforms that keep a learned matrix orthogonal, with their options.

use serde::{Deserialize, Serialize};
use strum::{Display, IntoStaticStr, VariantArray};

use crate::fields::Fields;

/// The transforms, by the names of Liu et al. (CVPR 2021), section 4.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, Display)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "transform", rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum TransformSpec {
    /// OPT (GS): Gram-Schmidt on the rows of a square matrix.
    GramSchmidt {
        /// Initial value of the matrix.
        init: RotationInit,
    },
    /// OPT (HR): the orthogonal factor of a square matrix by Householder reflections.
    Householder {
        /// Initial value of the matrix.
        init: RotationInit,
    },
    /// OPT (LS): the orthogonal matrix nearest to a square one.
    Lowdin {
        /// Initial value of the matrix.
        init: RotationInit,
        /// The computation.
        form: LowdinForm,
    },
    /// OPT (CP): the Cayley transform of a skew matrix.
    Cayley {
        /// Initial value of the skew matrix.
        init: RotationInit,
    },
    /// OPT (OGD): steps along the orthogonal group, from R = I.
    Descent {
        /// The form of a step.
        form: DescentForm,
    },
    /// OPT (OR): no constraint, but a penalty of `beta` times the Frobenius norm of R R^T - I per layer.
    Relaxed {
        /// Initial value of R.
        init: RotationInit,
        /// Factor of the penalty.
        beta: f64,
    },
    /// UPT: no constraint and no penalty, as a control for the value of orthogonality.
    Unconstrained {
        /// Initial value of R.
        init: RotationInit,
    },
}

/// Initial value of a raw parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, IntoStaticStr, VariantArray)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum RotationInit {
    /// The value for which R = I.
    Identity,
    /// Standard normal entries, as published.
    Gaussian,
    /// Normal entries of variance 1/d.
    Scaled,
}

/// The computation of the nearest orthogonal matrix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, IntoStaticStr, VariantArray)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum LowdinForm {
    /// By a singular value decomposition.
    Exact,
    /// By a polynomial while the matrix is near a multiple of an orthogonal one; otherwise as `exact`.
    Polynomial,
}

/// The form of a step along the orthogonal group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, IntoStaticStr, VariantArray)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum DescentForm {
    /// Two fixed-point passes with a d x d momentum, closest to the published code.
    Omega,
    /// An exact Cayley step with the same momentum as d x n factors: fast if n is below d/2.
    LowRank,
}

/// Reads the options of one transform; the first word is the default initial value.
type Read = fn(&mut Fields<'_>, RotationInit) -> TransformSpec;

/// The scale of the first three affects only the effective learning rate, so they start as published. Cayley starts at
/// R = I, because the gradient of a Gaussian start is some thirty times smaller. The last two also do, because a
/// Gaussian R makes every neuron sqrt(d) times as long.
const TRANSFORMS: [(&str, (RotationInit, Read)); 7] = [
    (
        "gram_schmidt",
        (RotationInit::Gaussian, |fields, init| TransformSpec::GramSchmidt { init: read_init(fields, init) }),
    ),
    (
        "householder",
        (RotationInit::Gaussian, |fields, init| TransformSpec::Householder { init: read_init(fields, init) }),
    ),
    ("lowdin", (RotationInit::Gaussian, read_lowdin)),
    (
        "cayley",
        (RotationInit::Identity, |fields, init| TransformSpec::Cayley { init: read_init(fields, init) }),
    ),
    ("descent", (RotationInit::Identity, read_descent)),
    (
        "relaxed",
        (RotationInit::Identity, |fields, init| TransformSpec::Relaxed {
            init: read_init(fields, init),
            beta: fields.number("beta", Some(0.1), 1e-6..=1e6),
        }),
    ),
    (
        "unconstrained",
        (RotationInit::Identity, |fields, init| TransformSpec::Unconstrained {
            init: read_init(fields, init),
        }),
    ),
];

fn read_init(fields: &mut Fields<'_>, default: RotationInit) -> RotationInit {
    fields.choice("init", Some(default))
}

/// A polynomial needs a matrix near a multiple of an orthogonal one, which a Gaussian is not.
fn read_lowdin(fields: &mut Fields<'_>, default: RotationInit) -> TransformSpec {
    let form = fields.choice("form", Some(LowdinForm::Exact));
    let default = if form == LowdinForm::Polynomial { RotationInit::Identity } else { default };
    let init = read_init(fields, default);
    if form == LowdinForm::Polynomial && init != RotationInit::Identity {
        fields.wrong(
            "init",
            "must be `identity` with form = \"polynomial\", which needs a start near an orthogonal matrix",
        );
    }
    TransformSpec::Lowdin { init, form }
}

fn read_descent(fields: &mut Fields<'_>, default: RotationInit) -> TransformSpec {
    let form = fields.choice("form", Some(DescentForm::Omega));
    if read_init(fields, default) != RotationInit::Identity {
        fields.wrong("init", "must be `identity`: descent steps the weight itself, from R = I");
    }
    TransformSpec::Descent { form }
}

impl TransformSpec {
    /// `rounds`: whether the rotation restarts in each round, which must be at R = I.
    pub(crate) fn read(fields: &mut Fields<'_>, rounds: bool) -> Self {
        fields.belong(&["form"], "transform = \"lowdin\" or \"descent\"");
        fields.belong(&["beta"], "transform = \"relaxed\"");
        let Some((init, read)) = fields.chosen("transform", None, &TRANSFORMS) else {
            // The intended transform may have any of these.
            for name in ["init", "form", "beta"] {
                fields.has(name);
            }
            return Self::Cayley { init: RotationInit::Identity };
        };
        let transform = read(fields, if rounds { RotationInit::Identity } else { init });
        if rounds && transform.init() != RotationInit::Identity {
            fields.wrong(
                "init",
                "must be `identity` with `stochastic`: every round starts where the last one ended",
            );
        }
        transform
    }

    /// Initial value of the raw parameter.
    pub fn init(self) -> RotationInit {
        match self {
            Self::GramSchmidt { init }
            | Self::Householder { init }
            | Self::Lowdin { init, .. }
            | Self::Cayley { init }
            | Self::Relaxed { init, .. }
            | Self::Unconstrained { init } => init,
            Self::Descent { .. } => RotationInit::Identity,
        }
    }
}
