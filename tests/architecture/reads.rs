//! Reads of tensors by the host, which make a GPU wait, are in one module, which counts them.

use std::fs;

use super::imports::sources;
use super::map::root;

/// The module, and the modules of `crates/opt` that only its tests have.
const HOST: &str = "crates/opt/src/host.rs";
const ONLY_IN_TESTS: [&str; 2] = ["crates/opt/src/draws.rs", "crates/opt/src/transform/checks.rs"];

/// What reads a tensor's values.
const READS: [&str; 17] = [
    "double_value(",
    "int64_value(",
    "copy_data",
    "f32::try_from(",
    "f64::try_from(",
    "i64::try_from(",
    "bool::try_from(",
    "Vec::try_from(",
    ">::try_from(&",
    "to(Device::Cpu",
    "to_device(Device::Cpu",
    "to_device_(Device::Cpu",
    "equal(",
    "allclose(",
    "is_nonzero(",
    ".nonzero(",
    "f_nonzero(",
];

/// The lines of code before the tests of the module.
fn code(text: &str) -> impl Iterator<Item = &str> {
    let before = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
    before.lines().filter(|line| !line.trim_start().starts_with("//"))
}

#[test]
fn only_one_module_reads_tensors() {
    let mut found = Vec::new();
    for path in
        ["crates/opt/src", "crates/runner/src"].iter().flat_map(|folder| sources(&root().join(folder)))
    {
        let name = path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned();
        if ONLY_IN_TESTS.contains(&name.as_str()) {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        let reads = code(&text).filter(|line| READS.iter().any(|read| line.contains(read)));
        found.extend(reads.map(|line| (name.clone(), line.trim().to_owned())));
    }
    let (inside, outside): (Vec<_>, Vec<_>) = found.into_iter().partition(|(path, _)| path == HOST);
    assert!(outside.is_empty(), "use {HOST} for {outside:#?}");
    assert!(inside.len() >= 7, "{inside:?}");
}
