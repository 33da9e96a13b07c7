//! Slurm's commands. Its accounting and its REST service are not used, because many sites have neither.

use std::env::vars_os;
use std::io;
use std::process::Stdio;
use std::time::Duration;

use optlab_domain::{Pilot, PilotState};
use tokio::io::AsyncWriteExt;
use tokio::process::Command;
use tokio::time::timeout;

use super::script::{Surroundings, quoted};
use crate::config::PoolSettings;
use crate::store::Pool;

/// Time limit for a command. Slurm's own are about ten seconds.
pub(super) const LONGEST_COMMAND: Duration = Duration::from_secs(30);

/// Variables that describe the machine of this process, which a pilot does not have.
const OWN: [&str; 6] =
    ["OPTLAB_UNTIL", "OPTLAB_ENGINE", "OPTLAB_ENGINE_JOB", "OPTLAB_NODE", "SLURM_JOB_END_TIME", "TMPDIR"];

/// The columns of `squeue`: id, state, reason, nodes.
const FORMAT: &str = "--format=%i|%T|%r|%N";

/// Reasons for which a pilot waits that no other job can end: what it requests is impossible or not allowed.
const IMPOSSIBLE: [&str; 21] = [
    "PartitionConfig",
    "PartitionTimeLimit",
    "BadConstraints",
    "AccountNotAllowed",
    "InvalidAccount",
    "InvalidQOS",
    "QOSNotAllowed",
    "QOSTimeLimit",
    "QOSMaxWallDurationPerJobLimit",
    "QOSMaxCpuPerJobLimit",
    "QOSMaxGRESPerJob",
    "QOSMaxNodePerJobLimit",
    "AssocMaxWallDurationPerJobLimit",
    "AssocMaxCpuPerJobLimit",
    "AssocMaxGRESPerJob",
    "AssocMaxNodePerJobLimit",
    "MaxMemPerLimit",
    "DependencyNeverSatisfied",
    "DeadLine",
    "QOSMinCpuNotSatisfied",
    "QOSMinGRES",
];

/// The reason why a command of Slurm failed.
#[derive(Debug, thiserror::Error)]
pub enum SlurmError {
    /// The command does not exist, or cannot be started.
    #[error("{command}: {source}")]
    Start {
        /// The command.
        command: &'static str,
        /// The error of the system.
        source: io::Error,
    },
    /// The command takes too long.
    #[error("{command} has not answered within {} s", LONGEST_COMMAND.as_secs())]
    Silent {
        /// The command.
        command: &'static str,
    },
    /// The command failed, with its own message.
    #[error("{command}: {said}")]
    Failed {
        /// The command.
        command: &'static str,
        /// What it printed.
        said: String,
    },
}

/// A pilot that Slurm lists, alive or ended a short time ago.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Listed {
    /// It waits, runs or ends.
    Alive(Pilot),
    /// It has ended, for this reason.
    Ended { engine_job: String, end: End },
}

/// How a pilot ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// Slurm took the machine away, or a person did; with Slurm's word for it.
    Taken(String),
    /// By itself, with Slurm's word for it.
    Exited(String),
}

impl End {
    /// Slurm's word for it.
    pub(super) fn word(&self) -> &str {
        match self {
            Self::Taken(word) | Self::Exited(word) => word,
        }
    }

    /// Whether the machine failed or was needed by others, which shows nothing about the pool.
    pub(super) fn is_for_others(&self) -> bool {
        matches!(self, Self::Taken(word) if word.starts_with("preempted") || word.starts_with("node_fail"))
    }
}

/// Whether Slurm can never start a pilot that waits for this reason.
pub(super) fn is_impossible(reason: &str) -> bool {
    IMPOSSIBLE.contains(&reason)
}

/// The name of the pilots of a pool in Slurm.
pub(super) fn job_name(pool: &str, mark: &str) -> String {
    format!("optlab-{pool}-{mark}")
}

/// The arguments of `sbatch` for a pilot.
fn sbatch_arguments(settings: &PoolSettings, job_name: &str) -> Vec<String> {
    let name = format!("--job-name={job_name}");
    let ours = ["--parsable", "--no-requeue", &name, "--output=optlab-pilot-%j.log"].map(str::to_owned);
    ours.into_iter().chain(settings.sbatch.iter().cloned()).collect()
}

/// One of Slurm's commands. The variables by which a person changes what the commands list or submit are removed, because
/// the pilots would not be found.
fn command(name: &'static str) -> Command {
    let mut command = Command::new(name);
    for (variable, _) in vars_os() {
        let text = variable.to_string_lossy();
        if ["SQUEUE_", "SCANCEL_"].iter().any(|prefix| text.starts_with(prefix)) {
            command.env_remove(&variable);
        }
    }
    for variable in ["SBATCH_ARRAY_INX", "SBATCH_CLUSTERS", "SBATCH_WAIT", "SBATCH_REQUEUE"] {
        command.env_remove(variable);
    }
    command
}

/// Requests a pilot; returns Slurm's id for it.
pub(super) async fn request(
    settings: &PoolSettings,
    pool: &Pool,
    surroundings: &Surroundings,
) -> Result<String, SlurmError> {
    let mut command = command("sbatch");
    command.args(sbatch_arguments(settings, &job_name(&pool.name, &pool.mark)));
    command.envs(surroundings.variables());
    for variable in OWN {
        command.env_remove(variable);
    }
    let answer = answer("sbatch", command, surroundings.script(settings)).await?;
    let id = answer.trim().split(';').next().unwrap_or_default();
    match id.parse::<u64>() {
        Ok(_) => Ok(id.to_owned()),
        Err(_) => Err(SlurmError::Failed { command: "sbatch", said: format!("printed no job id: {answer}") }),
    }
}

/// The pilots of a pool, the oldest first.
pub(super) async fn pilots(pool: &Pool) -> Result<Vec<Listed>, SlurmError> {
    let mut command = command("squeue");
    let name = format!("--name={}", job_name(&pool.name, &pool.mark));
    command.args(["--all", "--noheader", "--states=all", "--sort=i", &name, FORMAT]);
    let answer = answer("squeue", command, String::new()).await?;
    Ok(answer.lines().filter_map(listed).collect())
}

/// Cancels a pilot if it still waits.
pub(super) async fn cancel(engine_job: &str) -> Result<(), SlurmError> {
    let mut command = command("scancel");
    command.args(["--state=PENDING", engine_job]);
    answer("scancel", command, String::new()).await.map(drop)
}

/// The version of Slurm's client programs.
///
/// # Errors
/// If one of those that optlab needs does not run here.
pub async fn version() -> Result<String, SlurmError> {
    let mut found = String::new();
    for name in ["scancel", "squeue", "sbatch"] {
        let mut command = command(name);
        command.arg("--version");
        found = answer(name, command, String::new()).await?;
    }
    Ok(found.trim().to_owned())
}

/// Where Slurm's controller is, if it answers.
///
/// # Errors
/// If it does not answer, or the command does not run here.
pub async fn ping() -> Result<String, SlurmError> {
    let mut command = command("scontrol");
    command.arg("ping");
    let answer = answer("scontrol", command, String::new()).await?;
    Ok(answer.lines().map(str::trim).collect::<Vec<_>>().join("; "))
}

/// The command and the script of a pilot, as text.
pub fn dry_run(settings: &PoolSettings, surroundings: &Surroundings) -> String {
    let arguments = sbatch_arguments(settings, &job_name(&settings.name, "MARK"));
    let arguments: Vec<String> = arguments.iter().map(|argument| quoted(argument)).collect();
    let variables: Vec<&str> = surroundings.variables().map(|(name, _)| name).collect();
    format!(
        "# The command, which reads the script from its standard input. MARK is drawn once for each pool.\n\
         sbatch {}\n\
         # Variables that it gets besides its own: {}\n\n{}",
        arguments.join(" "),
        variables.join(", "),
        surroundings.script(settings)
    )
}

/// Runs a command with an input; returns what it printed.
async fn answer(name: &'static str, mut command: Command, input: String) -> Result<String, SlurmError> {
    let failed = |source| SlurmError::Start { command: name, source };
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(failed)?;
    let mut stdin = child.stdin.take().expect("stdin is piped");
    let talk = async move {
        // A command that ends before it has read everything reports why.
        let _ = stdin.write_all(input.as_bytes()).await;
        drop(stdin);
        child.wait_with_output().await
    };
    let output = timeout(LONGEST_COMMAND, talk)
        .await
        .map_err(|_| SlurmError::Silent { command: name })?
        .map_err(failed)?;
    if !output.status.success() {
        return Err(SlurmError::Failed {
            command: name,
            // `scontrol ping` reports a controller that is down on standard output.
            said: said(&String::from_utf8_lossy(&[output.stderr, output.stdout].concat())),
        });
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The messages of a command in one line, without the prefix that each of its lines has.
fn said(text: &str) -> String {
    let lines = text.lines().map(|line| line.split_once(": error: ").map_or(line, |(_, message)| message));
    lines.map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join("; ")
}

/// Reads a line of [`FORMAT`].
fn listed(line: &str) -> Option<Listed> {
    let mut fields = line.trim().split('|');
    let (engine_job, state) = (fields.next()?.to_owned(), fields.next()?);
    let known = |text: &str| !matches!(text, "" | "None" | "(null)");
    let mut field = || fields.next().filter(|text| known(text)).map(str::to_owned);
    let (reason, node) = (field(), field());
    let end = |taken: bool| {
        let why = reason.as_ref().map_or(String::new(), |reason| format!(", {reason}"));
        let word = format!("{}{why}", state.to_lowercase());
        let end = if taken { End::Taken(word) } else { End::Exited(word) };
        Listed::Ended { engine_job: engine_job.clone(), end }
    };
    let state = match state {
        "PENDING" | "REQUEUED" | "REQUEUE_HOLD" | "REQUEUE_FED" | "RESV_DEL_HOLD" | "SPECIAL_EXIT" => {
            PilotState::Pending
        }
        "COMPLETING" => PilotState::Ending,
        "BOOT_FAIL" | "CANCELLED" | "DEADLINE" | "NODE_FAIL" | "PREEMPTED" | "REVOKED" | "TIMEOUT" => {
            return Some(end(true));
        }
        "COMPLETED" | "FAILED" | "OUT_OF_MEMORY" => return Some(end(false)),
        // CONFIGURING, RUNNING, SUSPENDED and the other states of a job that has nodes.
        _ => PilotState::Running,
    };
    Some(Listed::Alive(Pilot { engine_job, state, reason, node }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alive(state: PilotState, reason: Option<&str>, node: Option<&str>) -> Option<Listed> {
        let (reason, node) = (reason.map(str::to_owned), node.map(str::to_owned));
        Some(Listed::Alive(Pilot { engine_job: "17".to_owned(), state, reason, node }))
    }

    #[test]
    fn a_line_of_squeue_is_a_pilot() {
        assert_eq!(listed("17|PENDING|Resources|"), alive(PilotState::Pending, Some("Resources"), None));
        assert_eq!(listed("17|PENDING|None|"), alive(PilotState::Pending, None, None));
        assert_eq!(listed("17|RUNNING|None|n1"), alive(PilotState::Running, None, Some("n1")));
        assert_eq!(listed("17|CONFIGURING|None|n1"), alive(PilotState::Running, None, Some("n1")));
        assert_eq!(listed("17|COMPLETING|None|n1"), alive(PilotState::Ending, None, Some("n1")));
        assert_eq!(listed(""), None);
    }

    #[test]
    fn the_end_of_a_pilot_is_its_own_or_was_forced() {
        let end = |state: &str| match listed(&format!("17|{state}|None|n1")) {
            Some(Listed::Ended { engine_job, end }) if engine_job == "17" => end,
            other => panic!("{other:?}"),
        };
        for state in ["PREEMPTED", "TIMEOUT", "NODE_FAIL", "CANCELLED", "BOOT_FAIL", "DEADLINE"] {
            assert_eq!(end(state), End::Taken(state.to_lowercase()));
        }
        for state in ["COMPLETED", "FAILED", "OUT_OF_MEMORY"] {
            assert_eq!(end(state), End::Exited(state.to_lowercase()));
        }
    }

    #[test]
    fn messages_lose_their_prefixes() {
        let text = "sbatch: error: invalid partition specified: nope\nsbatch: error: Batch job submission failed: \
                    Invalid partition name specified\n";
        let expected = "invalid partition specified: nope; Batch job submission failed: Invalid partition name specified";
        assert_eq!(said(text), expected);
    }
}
