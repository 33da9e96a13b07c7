//! Has the program rebuilt when the dashboard that it embeds has changed.

use std::path::Path;

fn main() {
    // A folder that is missing would count as changed in every build; its parent tells when it appears.
    let built = Path::new("web/dist");
    println!("cargo:rerun-if-changed={}", if built.exists() { "web/dist" } else { "web" });
}
