//! Bakes the libtorch folder into the binaries of this package as an rpath, so that they start without LD_LIBRARY_PATH.

use std::{env, fs};

fn main() {
    println!("cargo:rerun-if-env-changed=LIBTORCH");
    let Some(libtorch) = env::var_os("LIBTORCH") else { return };
    // .libtorch is a link into the user's cache folder: the binary names the target, and so outlives the clone.
    if let Ok(folder) = fs::canonicalize(libtorch) {
        println!("cargo:rustc-link-arg=-Wl,-rpath,{}/lib", folder.display());
    }
}
