//! The data sets: what each is, where its files are, and how they become bytes.
//!
//! A data set is one file of this crate: its facts, which the spec is checked against, and its decoder. Nothing
//! here knows libtorch, so that the service can list, fetch and verify data on a machine without it.

mod dataset;

mod cifar_10;
mod cifar_100;
mod digits;
mod fashion_mnist;
mod mnist;

mod library;

mod hold_out;

mod archive;
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

/// Every data set. To add one, write its file and name it here.
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
