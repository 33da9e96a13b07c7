//! What a training step costs: every arm on the networks of docs/benchmarks.md, by turns.

pub mod arms;
pub mod networks;
pub mod trainer;
pub mod rounds;
pub mod peer;
pub mod layer;

pub use arms::ARMS;
pub use networks::{NETWORKS, Network, TINY_NETWORKS};
pub use peer::Peer;
pub use rounds::{Contestant, Cost, Measured, Stepper, compare, median};
pub use trainer::Trainer;
