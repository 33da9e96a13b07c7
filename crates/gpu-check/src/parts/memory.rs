//! A job that does not fit into the memory: its process ends, and the next one can train.

use optlab_domain::EndReason;
use optlab_runner::clock;
use optlab_spec::protocol::Event;
use optlab_spec::{ExperimentSpec, JobSpec};
use serde_json::{Value, json};

use crate::error::CheckError;
use crate::runner_process::{Files, Runner};
use crate::setting::Setting;

/// Address space of a runner on the CPU, so that the check cannot take the memory of the machine.
const ADDRESS_SPACE: u64 = 8 << 30;
/// Bytes of a GPU that the small job may report as its peak. It would be more with those of the job before.
const SMALL_PEAK: u64 = 1 << 30;

pub fn run(setting: &mut Setting) -> Result<(), CheckError> {
    let program = setting.programs.runner();
    let start = |on_gpu| match on_gpu {
        true => Runner::start(&program),
        false => Runner::start_with_memory(&program, ADDRESS_SPACE),
    };
    let too_large = if setting.on_gpu() { too_large_for_a_gpu() } else { too_large_for_the_limit() };
    for round in 1..=2 {
        if round > 1 && setting.is_over() {
            break;
        }
        let mut full = start(setting.on_gpu())?;
        let what = format!("too large, {round}");
        end_of(setting, &mut full, &what, &too_large, Some(EndReason::OutOfMemory))?;
        let ended = full.ends()?;
        let state = if ended { "ended" } else { "still running" };
        let cells = json!({ "what": format!("its process, {round}"), "end": state });
        setting.records.row("ends", Some(ended), cells)?;
        end_of(setting, &mut start(setting.on_gpu())?, &format!("the next job, {round}"), &small(), None)?;
    }
    Ok(())
}

/// Runs a job, and records whether it failed for this reason, or finished where there is none.
fn end_of(
    setting: &mut Setting,
    runner: &mut Runner,
    what: &str,
    job: &JobSpec,
    expected: Option<EndReason>,
) -> Result<(), CheckError> {
    let began = clock::instant();
    runner.run(setting.runner_device, job, Files::default())?;
    let end = runner.events_until(|_| false)?.pop();
    let (failure, peak) = match end {
        Some(Event::Failed(failure)) => (Some(failure), None),
        Some(Event::Finished { summary }) => (None, summary.peak_memory_bytes),
        _ => (None, None),
    };
    let cells = json!({
        "what": what,
        "end": failure.as_ref().map_or_else(|| "finished".to_owned(), |failure| failure.reason.to_string()),
        "seconds": began.elapsed().as_secs_f64(),
        "peak_memory_bytes": peak,
        "error": failure.as_ref().map(|failure| failure.error.clone()),
    });
    let has_peak = failure.is_some() || !setting.on_gpu() || peak.is_some_and(|peak| peak < SMALL_PEAK);
    let passed = has_peak && failure.as_ref().map(|failure| failure.reason) == expected;
    setting.records.row("ends", Some(passed), cells)
}

fn job(train: Value) -> JobSpec {
    let arms = json!([{ "name": "arm", "method": { "kind": "baseline" } }]);
    let spec = ExperimentSpec::from_value(&json!({ "name": "memory", "train": train, "arms": arms }));
    spec.unwrap_or_else(|problems| panic!("{problems}")).jobs().swap_remove(0)
}

fn small() -> JobSpec {
    job(json!({ "steps": 5, "data": { "name": "digits" }, "model": { "kind": "mlp", "hidden": [16] } }))
}

/// More than 180 GB of activations in tensors of 8 GB, which every kernel can index.
fn too_large_for_a_gpu() -> JobSpec {
    const BATCH: u64 = 32_000;
    job(json!({
        "steps": 1, "batch_size": BATCH,
        "data": { "name": "synthetic", "shape": [3, 32, 32], "classes": 10, "samples": BATCH },
        "model": { "kind": "resnet32", "width": 64 },
    }))
}

/// A first activation of 16 GB.
fn too_large_for_the_limit() -> JobSpec {
    const BATCH: u64 = 1_000_000;
    job(json!({
        "steps": 1, "batch_size": BATCH,
        "data": { "name": "synthetic", "shape": [1, 2, 2], "classes": 10, "samples": BATCH },
        "model": { "kind": "mlp", "hidden": [4000] },
    }))
}
