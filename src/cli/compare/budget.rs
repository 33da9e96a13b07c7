//! `optlab compare --budget time`: what each arm finds in the time of the baseline's tuning.

use anyhow::anyhow;
use optlab_api_types::{ArmTuning, Tuning};

use super::super::Failure;
use super::super::table::table;

/// A row per arm, and what the figures are.
pub(super) fn text(tuning: &Tuning) -> Result<String, Failure> {
    let Some(baseline) = &tuning.baseline else {
        return Err(Failure::Usage("--budget time needs a baseline, and the spec names none".to_owned()));
    };
    if tuning.halving.is_some() {
        return Err(Failure::Usage(
            "--budget time needs trials that run to their ends, and the spec has tune.halving".to_owned(),
        ));
    }
    let Some(seconds) = tuning.baseline_seconds else {
        return Err(anyhow!("the trials of {baseline} have not ended yet").into());
    };
    let mut rows = table(
        vec!["arm", "seconds per trial", "trials afforded", "expected best validation error %", "10% to 90%"],
        &[1, 2, 3, 4],
    );
    tuning.arms.iter().for_each(|arm| _ = rows.add_row(row(arm)));
    Ok(format!(
        "{}\n\nThe {} trials of {baseline} took {seconds:.1} s of training. Each arm is shown with as many of its own \
         trials as fit in this time.\nJudged on validation data: an arm is confirmed on the test set only at the \
         choice of all of its trials. Of Sobol points, the figures are approximations.",
        rows.trim_fmt(),
        tuning.trials,
    ))
}

fn row(arm: &ArmTuning) -> [String; 5] {
    let or_dash = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
    let afforded = arm.in_baseline_time;
    let best = afforded.and_then(|afforded| afforded.best_of);
    [
        arm.arm.clone(),
        or_dash(arm.trial_seconds.map(|seconds| format!("{seconds:.2}"))),
        or_dash(afforded.map(|afforded| format!("{} of {}", afforded.trials, arm.best_of.len()))),
        or_dash(best.map(|best| format!("{:.2}", best.expected))),
        or_dash(best.map(|best| format!("{:.2} to {:.2}", best.low, best.high))),
    ]
}
