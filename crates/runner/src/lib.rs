//! Trains one job after another, controlled and reported over pipes. Everything that needs libtorch is here.
//!
//! The service never loads libtorch. Each of its slots keeps one `optlab-runner`, which speaks
//! [`optlab_spec::protocol`], and starts a new one when it ends.
//!
//! # Invariants
//! - Every arm runs through the same code. Arms differ in how a method layer's weight is computed ([`weight`],
//!   [`rotation`]), in what is added to the loss ([`penalty`]) and in the rates of rotations ([`optimizer`]).
//! - Every random number is drawn in [`random`], from the job's seed and its purpose. libtorch's generators and
//!   initialisers are not used.
//! - Every owner of state that outlives a step offers it by name for a [`checkpoint`]: on a CPU, a run that was killed
//!   and resumes from its last checkpoint ends with the same bits as an uninterrupted one.
//! - Between two flushes of the [`meter`] nothing is read from the device, unless something is evaluated or a rotation
//!   or penalty says that it waits. All reads are calls of [`optlab_opt::host`], which counts them.
//! - The crate uses no database and no network service, and no asynchronous code.

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
pub mod gpus;
pub mod memory;
pub mod failure;
pub mod libtorch;
