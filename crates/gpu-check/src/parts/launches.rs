//! Launches of kernels, copies to the host and waits per training step.

use serde_json::json;

use crate::cost::{ARMS, NETWORKS, Network, Stepper, Trainer};
use crate::cupti::{self, Calls};
use crate::error::CheckError;
use crate::setting::Setting;

/// Steps before the first that counts.
const WARM_UP: u64 = 1;
const STEPS: u64 = 2;

pub fn run(setting: &mut Setting) -> Result<(), CheckError> {
    if !setting.on_gpu() {
        return setting.records.row("launches", None, json!({ "what": "a CPU launches no kernels" }));
    }
    cupti::start()?;
    for network in NETWORKS {
        for (arm, method) in ARMS {
            if setting.is_over() {
                return Ok(());
            }
            let title = format!("{}, per step", network.title);
            match of_steps(setting, &network, method) {
                Ok(Calls { launches, reads, waits }) => {
                    let per_step = |count: u64| count as f64 / STEPS as f64;
                    let cells = json!({
                        "arm": arm, "launches": per_step(launches), "copies_to_the_host": per_step(reads),
                        "waits": per_step(waits),
                    });
                    setting.records.row(&title, None, cells)?;
                }
                Err(error) => setting.records.failed(&title, arm, &error)?,
            }
        }
    }
    Ok(())
}

fn of_steps(setting: &Setting, network: &Network, method: &str) -> Result<Calls, CheckError> {
    let mut trainer = Trainer::new(network, method, setting.device)?;
    trainer.steps(WARM_UP)?;
    let before = Calls::now();
    trainer.steps(STEPS)?;
    let calls = Calls::now().since(before);
    // The measurement waits once for its end.
    Ok(Calls { waits: calls.waits.saturating_sub(1), ..calls })
}
