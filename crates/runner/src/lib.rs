//! One training job after another, told and reported over pipes: everything that needs libtorch.
//!
//! The service never loads libtorch. Each of its slots keeps one `optlab-runner`, which speaks
//! [`optlab_spec::protocol`], and starts a new one when that ends.
//!
//! # Invariants
//! - Every arm runs through the same code. Arms differ in how a method layer's weight comes about ([`weight`],
//!   [`rotation`]), in what is added to the loss ([`penalty`]) and in the rates of rotations ([`optimizer`]).
//! - Every random number is drawn in [`random`], from the job's seed and what it is for. libtorch's generators and
//!   initialisers are not used.
//! - What outlives a step is offered by name, for a [`checkpoint`], by whoever owns it: a run that was killed and goes
//!   on from its last one ends, on a CPU, with the same bits as one that was not.
//! - Between two flushes of the [`meter`] nothing is copied from the device, unless something is evaluated or a
//!   rotation or penalty says that it waits.
//! - Nothing here knows a database or a network service, and nothing is asynchronous.

pub mod serve;

pub mod inbox;
pub mod pipe;

pub mod attempt;
pub mod training;
pub mod job;
pub mod fetching;

pub mod data;
pub mod random;

pub mod network;
pub mod layers;
pub mod start;
pub mod weight;
pub mod rotation;
pub mod trained;
pub mod optimizer;
pub mod penalty;
pub mod average;

pub mod evaluation;
pub mod geometry;
pub mod meter;
pub mod clock;

pub mod checkpoint;
pub mod export;
pub mod tensor_file;

pub mod environment;
pub mod memory;
pub mod failure;
pub mod libtorch;
