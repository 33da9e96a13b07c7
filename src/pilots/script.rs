//! The batch script of a pilot.

use std::ffi::OsString;
use std::path::PathBuf;

use crate::config::{DatabaseUrl, PoolSettings, TrainingSettings};

/// The program and the settings that a pilot gets from the process that requests it.
#[derive(Clone, Debug)]
pub struct Surroundings {
    program: PathBuf,
    /// Sent through the environment, so that neither the script nor a list of processes shows a password.
    variables: Vec<(&'static str, OsString)>,
}

impl Surroundings {
    /// For pilots that run `program` on this database.
    pub fn new(program: PathBuf, database_url: &DatabaseUrl, training: &TrainingSettings) -> Self {
        let seconds = |time: std::time::Duration| time.as_secs().to_string().into();
        let variables = vec![
            ("OPTLAB_DATABASE_URL", database_url.expose().into()),
            ("OPTLAB_RUNNER", training.runner.program.clone().into()),
            ("OPTLAB_LEASE_SECONDS", seconds(training.lease)),
            ("OPTLAB_HUNG_AFTER_SECONDS", seconds(training.hung_after)),
        ];
        Self { program, variables }
    }

    /// The variables for the process that requests a pilot.
    pub(super) fn variables(&self) -> impl Iterator<Item = (&'static str, &OsString)> {
        self.variables.iter().map(|(name, value)| (*name, value))
    }

    /// The script. Its shell is replaced by the worker, because Slurm signals the processes below the script and a shell
    /// would end first.
    pub(super) fn script(&self, pool: &PoolSettings) -> String {
        let (program, name) = (quoted(&self.program.to_string_lossy()), &pool.name);
        let (device, slots, idle) = (pool.device, pool.slots_per_device, pool.idle.as_secs());
        format!(
            r#"#!/bin/sh
# A pilot of optlab's pool `{name}`: a worker that runs jobs until none is left or its machine goes away.
# Slurm sets the end of a job in its environment only since 23.02.
until=${{SLURM_JOB_END_TIME:-$(SLURM_TIME_FORMAT=%s squeue --noheader --jobs="$SLURM_JOB_ID" --format=%e)}}
case $until in
  '' | *[!0-9]*) ;;
  *) export OPTLAB_UNTIL="$until" ;;
esac
export OPTLAB_POOL='{name}'
exec {program} worker --device {device} --slots-per-device {slots} --exit-when-idle {idle} --drain checkpoint
"#
        )
    }
}

/// A text as one word of a shell.
pub(super) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_one_word_whatever_it_contains() {
        let word = quoted("/opt/my lab's/$HOME/optlab");
        let said =
            std::process::Command::new("sh").args(["-c", &format!("printf %s {word}")]).output().unwrap();
        assert_eq!(String::from_utf8(said.stdout).unwrap(), "/opt/my lab's/$HOME/optlab");
    }
}
