//! PyTorch's training step, in a process of its own.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use optlab_domain::Device;

use super::rounds::Stepper;
use crate::error::CheckError;

/// `torch_step.py` of benches/peers: answers numbers of steps with the seconds that they took.
pub struct Peer {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Peer {
    /// Starts plain training of the network of this name in eager PyTorch, with these further `options`.
    ///
    /// # Errors
    /// If Python does not start.
    pub fn start(
        python: &Path,
        script: &Path,
        network: &str,
        device: Device,
        options: &[&str],
    ) -> Result<Self, CheckError> {
        let device = device.to_string();
        let mut command = Command::new(python);
        command.arg(script).args([network, "plain", "--device", &device]).args(options);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let input = child.stdin.take().expect("stdin is piped");
        let output = BufReader::new(child.stdout.take().expect("stdout is piped"));
        Ok(Self { child, input, output })
    }
}

impl Stepper for Peer {
    fn steps(&mut self, count: u64) -> Result<Duration, CheckError> {
        writeln!(self.input, "{count}")?;
        let mut line = String::new();
        self.output.read_line(&mut line)?;
        let seconds = line.trim().parse();
        let wrong = |_| CheckError::Program(format!("PyTorch answered {line:?}; its error is in log.txt"));
        Ok(Duration::from_secs_f64(seconds.map_err(wrong)?))
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
