//! The arms that are measured.

/// The baseline, every form of OPT, and the methods that OPT is compared with: a name, and the method as a spec has it.
pub const ARMS: [(&str, &str); 13] = [
    ("baseline", r#"{"kind": "baseline"}"#),
    ("cayley", r#"{"kind": "opt", "transform": "cayley"}"#),
    ("gram_schmidt", r#"{"kind": "opt", "transform": "gram_schmidt"}"#),
    ("householder", r#"{"kind": "opt", "transform": "householder"}"#),
    ("lowdin", r#"{"kind": "opt", "transform": "lowdin"}"#),
    ("lowdin, polynomial", r#"{"kind": "opt", "transform": "lowdin", "form": "polynomial"}"#),
    ("descent", r#"{"kind": "opt", "transform": "descent"}"#),
    ("descent, low rank", r#"{"kind": "opt", "transform": "descent", "form": "low_rank"}"#),
    ("relaxed", r#"{"kind": "opt", "transform": "relaxed"}"#),
    (
        "s-opt, p = d/4",
        r#"{"kind": "opt", "transform": "cayley", "stochastic": {"fraction": 0.25, "inner_steps": 750}}"#,
    ),
    ("mhe", r#"{"kind": "mhe"}"#),
    ("soft orthogonality", r#"{"kind": "soft_orthogonal", "weight": 0.01}"#),
    ("srip", r#"{"kind": "soft_orthogonal", "form": "srip", "weight": 0.01}"#),
];
