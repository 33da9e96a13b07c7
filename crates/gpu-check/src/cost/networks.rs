//! The networks that are measured.

/// A network and the shape of its random data, as a spec has them.
#[derive(Clone, Copy, Debug)]
pub struct Network {
    /// Its name on the command line and for PyTorch's side.
    pub name: &'static str,
    /// Its name in a table.
    pub title: &'static str,
    /// The model.
    pub model: &'static str,
    /// Shape and classes.
    pub data: &'static str,
}

/// Those of docs/benchmarks.md.
pub const NETWORKS: [Network; 4] = [
    Network {
        name: "mlp",
        title: "mlp",
        model: r#"{"kind": "mlp", "hidden": [256, 256]}"#,
        data: r#"{"shape": [1, 28, 28], "classes": 10}"#,
    },
    Network {
        name: "cnn6",
        title: "cnn6 32/64/128",
        model: r#"{"kind": "cnn6", "width": 32}"#,
        data: r#"{"shape": [3, 32, 32], "classes": 100}"#,
    },
    Network {
        name: "cnn6-64",
        title: "cnn6 64/64/64",
        model: r#"{"kind": "cnn6", "widths": [64, 64, 64]}"#,
        data: r#"{"shape": [3, 32, 32], "classes": 100}"#,
    },
    Network {
        name: "resnet20",
        title: "resnet20",
        model: r#"{"kind": "resnet20", "width": 16}"#,
        data: r#"{"shape": [3, 32, 32], "classes": 10}"#,
    },
];

/// Small ones, which a test can afford.
pub const TINY_NETWORKS: [Network; 2] = [
    Network {
        name: "mlp-tiny",
        title: "mlp, tiny",
        model: r#"{"kind": "mlp", "hidden": [16]}"#,
        data: r#"{"shape": [1, 6, 6], "classes": 10}"#,
    },
    Network {
        name: "cnn6-tiny",
        title: "cnn6, tiny",
        model: r#"{"kind": "cnn6", "width": 2}"#,
        data: r#"{"shape": [1, 8, 8], "classes": 10}"#,
    },
];

impl Network {
    /// The network of this name.
    pub fn named(name: &str) -> Option<Self> {
        NETWORKS.into_iter().chain(TINY_NETWORKS).find(|network| network.name == name)
    }
}
