//! Which experiment is run: the largest whose data set is on this machine.

use optlab_data::{Library, State};

/// A recipe, what is changed in it, and how many of its jobs train at once.
#[derive(Debug, PartialEq)]
pub struct Plan {
    /// Name of the experiment and of its folder, by which a later run finds both.
    pub name: &'static str,
    pub recipe: &'static str,
    pub data: &'static str,
    /// The queue trains every arm with a seed before it begins the next seed.
    pub arms: &'static [&'static str],
    /// As `--set` takes them.
    pub changes: &'static [&'static str],
    pub slots: usize,
}

/// Those that need files, the most wanted first. Every arm of a seed trains at once.
const WITH_FILES: [Plan; 2] = [
    Plan {
        name: "cifar100-cnn6",
        recipe: "cifar100-cnn6",
        data: "cifar-100",
        arms: &["baseline", "opt-gram-schmidt", "opt-cayley", "opt-descent", "unconstrained", "s-opt"],
        changes: &[],
        slots: 6,
    },
    Plan {
        name: "fashion-mnist-variants",
        recipe: "fashion-mnist-variants",
        data: "fashion-mnist",
        arms: &["baseline", "soft-orthogonal", "opt-lowdin-polynomial", "opt-cayley", "opt-descent", "s-opt"],
        // Five seeds do not suffice for a verdict over five arms.
        changes: &["seeds=[0,1,2,3,4,5,6,7,8,9]"],
        slots: 6,
    },
];

/// Without files.
const DIGITS: Plan = Plan {
    name: "digits-mlp",
    recipe: "digits-mlp",
    data: "digits",
    arms: &["baseline", "opt-cayley", "opt-gram-schmidt"],
    changes: &[],
    slots: 3,
};

/// For a CPU.
const TINY: Plan = Plan {
    name: "digits-mlp-tiny",
    arms: &["baseline", "opt-cayley"],
    changes: &["train.epochs=4", "seeds=[0,1]"],
    slots: 2,
    ..DIGITS
};

/// The plan, and for each data set that a larger one needs, why it cannot be used.
pub fn choose(library: &Library, tiny: bool) -> (Plan, Vec<(&'static str, String)>) {
    let mut missing = Vec::new();
    if tiny {
        return (TINY, missing);
    }
    for plan in WITH_FILES {
        let state = optlab_data::find(plan.data).map(|dataset| library.state(dataset));
        let why = match state {
            Some(State::Present(_) | State::BuiltIn) => return (plan, missing),
            Some(State::Altered(file)) => format!("truncated or altered: {}", file.display()),
            Some(State::Absent(_)) | None => "not on this machine".to_owned(),
        };
        missing.push((plan.data, why));
    }
    (DIGITS, missing)
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};
    use std::path::Path;

    use optlab_spec::arms::names;
    use optlab_spec::recipes;

    use super::*;

    fn library(folder: &Path) -> Library {
        Library { given: Some(folder.to_owned()), cache: folder.join("none"), ..Library::from_env() }
    }

    /// Files with the official sizes, which is what a library looks at first.
    fn put(folder: &Path, files: &[(&str, u64)]) {
        for (name, bytes) in files {
            let path = folder.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            File::create(path).unwrap().set_len(*bytes).unwrap();
        }
    }

    #[test]
    fn the_largest_experiment_whose_data_is_here_is_chosen() {
        let folder = tempfile::tempdir().unwrap();
        let chosen = |tiny| choose(&library(folder.path()), tiny);
        let absent = "not on this machine".to_owned();
        let (plan, missing) = chosen(false);
        assert_eq!((plan, missing.len()), (DIGITS, 2));

        let files = optlab_data::find("fashion-mnist").unwrap().files();
        let files: Vec<_> =
            files.iter().map(|file| (format!("fashion-mnist/{}", file.name), file.bytes)).collect();
        put(folder.path(), &files.iter().map(|(name, bytes)| (name.as_str(), *bytes)).collect::<Vec<_>>());
        let (plan, missing) = chosen(false);
        assert_eq!((plan.data, missing), ("fashion-mnist", vec![("cifar-100", absent)]));

        let parts = [("cifar-100-binary/train.bin", 153_700_000), ("cifar-100-binary/test.bin", 30_740_000)];
        put(folder.path(), &parts);
        assert_eq!((chosen(false).0.data, chosen(true).0), ("cifar-100", TINY));
        put(folder.path(), &[("cifar-100-binary/test.bin", 30_000_000)]);
        let (plan, missing) = chosen(false);
        assert_eq!(plan.data, "fashion-mnist");
        assert!(missing[0].1.starts_with("truncated or altered: "), "{missing:?}");
    }

    #[test]
    fn every_plan_has_arms_and_the_data_of_its_recipe() {
        for plan in WITH_FILES.into_iter().chain([DIGITS, TINY]) {
            let spec = recipes::find(plan.recipe).unwrap().value();
            for arm in plan.arms {
                assert!(names(&spec).contains(arm), "{}: {arm}", plan.name);
            }
            assert_eq!(spec["train"]["data"]["name"], plan.data, "{}", plan.name);
        }
    }
}
