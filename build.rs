//! Has the program rebuilt when what it embeds has changed: the dashboard and the migrations.

use std::path::Path;

fn main() {
    // A folder that is missing would count as changed in every build; its parent tells when it appears.
    let built = Path::new("web/dist");
    println!("cargo:rerun-if-changed=migrations");
    println!("cargo:rerun-if-changed={}", if built.exists() { "web/dist" } else { "web" });
}
