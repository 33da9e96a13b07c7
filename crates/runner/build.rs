//! Compiles `shim.cpp`, and bakes two facts about libtorch into the binaries of this package: its folder, as an rpath, so
//! that they start without LD_LIBRARY_PATH, and its version.

use std::path::{Path, PathBuf};
use std::{env, fs};

const SHIM: &str = "src/libtorch/shim.cpp";

fn main() {
    println!("cargo:rerun-if-env-changed=LIBTORCH");
    // .libtorch is a link into the user's cache folder: the binary names the target, and so outlives the clone.
    let folder = env::var_os("LIBTORCH").and_then(|libtorch| fs::canonicalize(libtorch).ok());
    if let Some(folder) = &folder {
        println!("cargo:rustc-link-arg=-Wl,-rpath,{}/lib", folder.display());
    }
    compile_shim(folder.as_deref());
    let version = folder.and_then(|folder| version(&folder)).unwrap_or_else(|| "unknown".to_owned());
    println!("cargo:rustc-env=OPTLAB_LIBTORCH={version}");
}

/// As torch-sys compiles its own C++. Its crate has named the libraries of libtorch to the linker.
fn compile_shim(libtorch: Option<&Path>) {
    println!("cargo:rerun-if-changed={SHIM}");
    println!("cargo:rerun-if-env-changed=LIBTORCH_CXX11_ABI");
    let abi = env::var("LIBTORCH_CXX11_ABI").unwrap_or_else(|_| "1".to_owned());
    // libtorch in /usr is found without it.
    let include = libtorch.map(|folder| folder.join("include"));
    cc::Build::new()
        .cpp(true)
        .std("c++17")
        .define("_GLIBCXX_USE_CXX11_ABI", abi.as_str())
        .define("GLOG_USE_GLOG_EXPORT", None)
        // As headers of the system, whose warnings are not shown.
        .flags(include.iter().flat_map(|folder| [Path::new("-isystem"), folder.as_path()]))
        .file(SHIM)
        .compile("optlab_shim");
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
