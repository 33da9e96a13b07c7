//! The experiments of `recipes/`, which are built in. To add one, write its file and name it here.

use serde_json::Value;

use crate::document::parse_toml;
use crate::problem::{Problems, alternatives, suggestion};

/// A built-in experiment.
#[derive(Clone, Copy, Debug)]
pub struct Recipe {
    /// The file's name without its ending, and the name of the experiment that it makes.
    pub name: &'static str,
    /// The file.
    pub toml: &'static str,
}

macro_rules! recipes {
    ($($name:literal),* $(,)?) => {
        /// All recipes, the demo first.
        pub const ALL: &[Recipe] = &[
            $(Recipe { name: $name, toml: include_str!(concat!("../../../recipes/", $name, ".toml")) }),*
        ];
    };
}

recipes![
    "digits-few",
    "digits-mlp",
    "mnist-mlp",
    "fashion-mnist-few",
    "fashion-mnist-mlp",
    "fashion-mnist-cnn6",
    "fashion-mnist-variants",
    "cifar100-cnn6",
    "cifar100-cnn9",
    "cifar100-resnet20",
    "cifar100-resnet32",
    "sopt-fractions",
    "energy-ablation",
    "orthogonality-ablation",
];

/// The recipe of this name.
///
/// # Errors
/// At `/recipe`, with the existing names, if there is none.
pub fn find(name: &str) -> Result<&'static Recipe, Problems> {
    let names = || ALL.iter().map(|recipe| recipe.name);
    ALL.iter().find(|recipe| recipe.name == name).ok_or_else(|| {
        let given: String = name.chars().take(100).collect();
        let hint = suggestion(name, names());
        Problems::one(
            "/recipe",
            format!("unknown recipe {given:?}; there is {}{hint}", alternatives(names())),
        )
    })
}

impl Recipe {
    /// The first paragraph of the comment at the file's head.
    pub fn description(&self) -> String {
        let head = self.toml.lines().map(|line| line.trim_start_matches('#').trim());
        head.take_while(|line| !line.is_empty()).collect::<Vec<_>>().join(" ")
    }

    /// The spec in the file, not resolved.
    pub fn value(&self) -> Value {
        parse_toml(self.toml).expect("recipes are tested")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ExperimentSpec;

    #[test]
    fn every_recipe_is_a_valid_experiment_of_its_own_name() {
        for recipe in ALL {
            let spec = ExperimentSpec::from_value(&recipe.value())
                .unwrap_or_else(|e| panic!("{}: {e}", recipe.name));
            assert_eq!(spec.name, recipe.name);
            assert!(recipe.description().len() > 40, "{}: describe its purpose", recipe.name);
        }
    }

    #[test]
    fn a_near_miss_is_suggested() {
        let error = find("digit-mlp").unwrap_err();
        assert!(error.to_string().contains("did you mean `digits-mlp`?"), "{error}");
    }
}
