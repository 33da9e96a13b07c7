//! Bakes two facts about libtorch into the binaries of this package: its folder, as an rpath, so that they start
//! without LD_LIBRARY_PATH, and its version.

use std::path::{Path, PathBuf};
use std::{env, fs};

fn main() {
    println!("cargo:rerun-if-env-changed=LIBTORCH");
    // .libtorch is a link into the user's cache folder: the binary names the target, and so outlives the clone.
    let folder = env::var_os("LIBTORCH").and_then(|libtorch| fs::canonicalize(libtorch).ok());
    if let Some(folder) = &folder {
        println!("cargo:rustc-link-arg=-Wl,-rpath,{}/lib", folder.display());
    }
    let version = folder.and_then(|folder| version(&folder)).unwrap_or_else(|| "unknown".to_owned());
    println!("cargo:rustc-env=OPTLAB_LIBTORCH={version}");
}

/// Major, minor and patch from libtorch's own header: it has no function that tells them at run time to C.
fn version(folder: &Path) -> Option<String> {
    let header: PathBuf = folder.join("include/torch/headeronly/version.h");
    println!("cargo:rerun-if-changed={}", header.display());
    let text = fs::read_to_string(header).ok()?;
    let number = |part: &str| {
        let define = format!("#define TORCH_VERSION_{part} ");
        text.lines().find_map(|line| line.strip_prefix(&define)).map(str::trim)
    };
    Some(format!("{}.{}.{}", number("MAJOR")?, number("MINOR")?, number("PATCH")?))
}
