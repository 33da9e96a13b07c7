//! libtorch after the runner has set it up. A process can do so only once, so this is the only test of its file.

use optlab_runner::libtorch::{self, shim};

#[test]
fn the_set_up_makes_convolutions_repeatable() {
    assert!(!shim::are_convolutions_repeatable().unwrap());
    libtorch::prepare();
    assert!(shim::are_convolutions_repeatable().unwrap());
}
