//! Reports when jobs wait for a device that no worker and no pool offers.

use std::collections::BTreeSet;

use optlab_api_types::{Pool, Worker, WorkerState};
use optlab_domain::WantedDevice;

use super::client::Client;
use super::output;

/// Reports on standard error why no job with device `wanted` is claimed, if no active worker could claim one.
pub(super) fn warn(client: &Client, wanted: WantedDevice) {
    // Without an answer, nothing is reported.
    let Ok(workers) = client.list::<Worker>("/workers", &[]) else { return };
    let active: Vec<Worker> =
        workers.into_iter().filter(|worker| worker.state == WorkerState::Active).collect();
    for trouble in active.iter().filter_map(|worker| worker.trouble.as_deref()) {
        output::note(format!("optlab: {trouble}"));
    }
    let offered: BTreeSet<String> =
        active.iter().flat_map(|worker| &worker.devices).map(|offered| offered.device.clone()).collect();
    if offered.is_empty() && !active.is_empty() {
        // Each has reported its trouble above, or is just starting.
        return;
    }
    let Some(why) = explain(wanted, &offered) else { return };
    let mut pools = client.list::<Pool>("/pools", &[]).unwrap_or_default();
    pools.retain(|pool| !pool.unattended);
    // A pool requests pilots for the jobs.
    if !pools.iter().any(|pool| wanted.admits(pool.device)) {
        let others = pools.iter().map(|pool| format!(". Pool {} is for {} only", pool.name, pool.device));
        output::note(format!("optlab: {why}{}", others.collect::<String>()));
    }
}

/// `None` if one of the `offered` devices is suitable.
fn explain(wanted: WantedDevice, offered: &BTreeSet<String>) -> Option<String> {
    if offered.is_empty() {
        let why = "the jobs wait: no worker is active. Start one with `optlab worker --database-url URL`, or start the server without --workers 0";
        return Some(why.to_owned());
    }
    let fits = |device: &String| wanted.admits_named(device);
    let other = match wanted {
        WantedDevice::Cuda => WantedDevice::Cpu,
        WantedDevice::Cpu | WantedDevice::Any => WantedDevice::Any,
    };
    let list = offered.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
    (!offered.iter().any(fits)).then(|| {
        format!(
            "the jobs wait: they require `{wanted}`, and active workers offer only {list}. Start a worker that has it, or \
             cancel and submit with --set resources.device={other}"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn why(wanted: WantedDevice, offered: &[&str]) -> Option<String> {
        explain(wanted, &offered.iter().map(|&device| device.to_owned()).collect())
    }

    #[test]
    fn only_a_device_that_no_worker_offers_is_reported() {
        assert_eq!(why(WantedDevice::Any, &["cpu"]), None);
        assert_eq!(why(WantedDevice::Cuda, &["cpu", "cuda:1"]), None);
        assert!(why(WantedDevice::Any, &[]).unwrap().contains("no worker is active"));
        let reason = why(WantedDevice::Cuda, &["cpu"]).unwrap();
        assert!(reason.contains("they require `cuda`") && reason.contains("only cpu."), "{reason}");
        assert!(reason.ends_with("--set resources.device=cpu"), "{reason}");
        assert!(why(WantedDevice::Cpu, &["cuda:0"]).unwrap().ends_with("--set resources.device=any"));
    }
}
