//! Data sets: their facts, their official files and their decoders.
//!
//! Each data set is one file of this crate. The spec is checked against its facts. The crate does not use libtorch,
//! so the service can list, download and verify data on a machine without it.

mod dataset;

mod cifar_10;
mod cifar_100;
mod digits;
mod fashion_mnist;
mod mnist;

mod library;

mod draw;
mod hold_out;

mod archive;
mod checksum;
mod fetch;

mod cifar;
mod idx;

mod error;

pub use archive::{Archive, Member};
pub use dataset::{Dataset, Normalisation, RemoteFile, Samples, Split};
pub use error::DataError;
pub use fetch::{Progress, Silent};
pub use hold_out::held_out;
pub use library::{Library, State};

/// All data sets. A new one is its file and a line here.
pub fn all() -> &'static [&'static dyn Dataset] {
    static ALL: &[&dyn Dataset] = &[
        &digits::Digits,
        &mnist::MNIST,
        &fashion_mnist::FASHION_MNIST,
        &cifar_10::CIFAR_10,
        &cifar_100::CIFAR_100,
    ];
    ALL
}

/// The data set of this name.
pub fn find(name: &str) -> Option<&'static dyn Dataset> {
    all().iter().copied().find(|dataset| dataset.name() == name)
}
