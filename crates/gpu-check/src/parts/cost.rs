//! What a training step of each arm costs, and the baseline's in PyTorch.

use serde_json::json;

use crate::cost::{
    ARMS, Contestant, Cost, NETWORKS, Network, Peer, Stepper, TINY_NETWORKS, Trainer, compare,
};
use crate::error::CheckError;
use crate::setting::Setting;

const ROUNDS: usize = 9;
const TINY_ROUNDS: usize = 2;

/// Plain training in PyTorch: a name, and the options of its script.
const PEERS: [(&str, &[&str]); 2] = [("PyTorch, plain", &[]), ("PyTorch, plain, fused SGD", &["--fused"])];

pub fn run(setting: &mut Setting) -> Result<(), CheckError> {
    tch::set_num_threads(1);
    let (networks, rounds) =
        if setting.tiny { (&TINY_NETWORKS[..], TINY_ROUNDS) } else { (&NETWORKS[..], ROUNDS) };
    for (number, network) in networks.iter().enumerate() {
        if setting.is_over() {
            break;
        }
        let share = setting.left() / (networks.len() - number) as u32;
        let until = optlab_runner::clock::instant() + share;
        let costs = compare(contestants(setting, network), rounds, Some(until), |_| ());
        for cost in costs {
            record(setting, network, cost)?;
        }
    }
    Ok(())
}

/// Plain training first, to which the others are compared.
fn contestants(setting: &Setting, network: &Network) -> Vec<Contestant> {
    // Python loads libtorch while the jobs are prepared.
    let peers: Vec<Contestant> = match (&setting.python, setting.programs.torch_step()) {
        (Some(python), Some(script)) if !setting.tiny => PEERS
            .iter()
            .map(|(name, options)| {
                boxed(name, Peer::start(python, &script, network.name, setting.runner_device, options))
            })
            .collect(),
        _ => Vec::new(),
    };
    let ours = ARMS.iter().map(|(arm, method)| boxed(arm, Trainer::new(network, method, setting.device)));
    let mut contestants: Vec<Contestant> = ours.collect();
    contestants.extend(peers);
    contestants
}

fn boxed<S: Stepper + 'static>(name: &str, stepper: Result<S, CheckError>) -> Contestant {
    let stepper = stepper.map(|stepper| Box::new(stepper) as Box<dyn Stepper>);
    Contestant { name: name.to_owned(), stepper }
}

fn record(setting: &mut Setting, network: &Network, cost: Cost) -> Result<(), CheckError> {
    let title = format!("{}, batch 128", network.title);
    match cost.measured {
        Ok(found) => {
            let cells = json!({
                "arm": cost.name, "ms": found.milliseconds, "ratio": found.ratio, "rounds": found.rounds,
            });
            setting.records.row(&title, None, cells)
        }
        Err(error) => setting.records.failed(&title, &cost.name, &error),
    }
}
