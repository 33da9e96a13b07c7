//! The command line.

use std::path::PathBuf;

use clap::Parser;
use optlab_domain::Device;

use crate::part::Part;

/// Compare a device with the CPU, and measure what training costs on it
#[derive(Clone, Debug, Parser)]
#[command(name = "gpu-check", version)]
pub struct Options {
    /// Time for all parts together
    #[arg(value_name = "MINUTES", default_value_t = 8.0)]
    pub minutes: f64,
    /// cpu, cuda:0, ... [default: the first GPU, or the CPU without one]
    #[arg(long)]
    pub device: Option<Device>,
    /// Folder for report.json, report.md, log.txt and the experiment, with which a later run goes on
    #[arg(long, value_name = "FOLDER", default_value = "gpu-check-results")]
    pub output: PathBuf,
    /// Run only this part; can be repeated
    #[arg(long = "only", value_name = "PART", value_enum)]
    pub only: Vec<Part>,
    /// Use the tiny sizes of a CPU on a GPU too
    #[arg(long)]
    pub tiny: bool,
    /// A Python with torch, for the times of PyTorch
    #[arg(long, value_name = "PROGRAM")]
    pub python: Option<PathBuf>,
    /// Be the process of this part
    #[arg(long, hide = true, value_enum, requires_all = ["device", "seconds"])]
    pub part: Option<Part>,
    /// Time of the part, after which it should begin nothing more
    #[arg(long, hide = true)]
    pub seconds: Option<f64>,
}
