//! The machine of a worker, if an engine lent it.

use std::env;

use clap::Args;
use jiff::Timestamp;
use optlab_domain::Engine;

use super::range::NotATime;
use crate::store::Origin;

/// Where the machine of a `worker` comes from. `optlab slurm` and the manifests of `deploy/kubernetes` set this; in a job
/// of Slurm it is known without.
#[derive(Args, Clone, Debug)]
pub struct MachineSettings {
    /// Time at which the machine of a `worker` goes away, as 2027-01-31T08:00:00Z or in seconds since 1970: jobs are
    /// handed back with a checkpoint before [default: the end of its Slurm job, if Slurm reports it]
    #[arg(long, env = "OPTLAB_UNTIL", value_name = "TIME", value_parser = time)]
    pub until: Option<Timestamp>,
    /// Engine that lent the machine
    #[arg(long, env = "OPTLAB_ENGINE", value_name = "ENGINE", value_parser = engine)]
    pub engine: Option<Engine>,
    /// The engine's id for the job that runs the worker
    #[arg(long, env = "OPTLAB_ENGINE_JOB", value_name = "ID")]
    pub engine_job: Option<String>,
    /// The engine's name of the machine
    #[arg(long, env = "OPTLAB_NODE", value_name = "NAME")]
    pub node: Option<String>,
    /// The pool that the worker belongs to
    #[arg(long, env = "OPTLAB_POOL", value_name = "NAME")]
    pub pool: Option<String>,
    /// The job of Slurm in which this process runs.
    #[arg(skip = SlurmJob::from_env())]
    pub slurm: Option<SlurmJob>,
}

/// A job of Slurm, as its environment describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlurmJob {
    id: String,
    node: Option<String>,
    end: Option<Timestamp>,
}

impl SlurmJob {
    /// Reads the environment of the process; `None` outside a job.
    fn from_env() -> Option<Self> {
        let read = |name| env::var(name).ok().filter(|value| !value.is_empty());
        Some(Self {
            id: read("SLURM_JOB_ID")?,
            node: read("SLURMD_NODENAME"),
            // Slurm reports it since 23.02.
            end: read("SLURM_JOB_END_TIME").and_then(|end| time(&end).ok()),
        })
    }
}

impl MachineSettings {
    /// Where the machine comes from.
    pub fn origin(&self) -> Origin {
        let Self { until, engine, engine_job, node, pool, slurm } = self.clone();
        let slurm = slurm.filter(|_| engine.is_none_or(|engine| engine == Engine::Slurm));
        let (job, slurm_node, end) = match slurm {
            Some(SlurmJob { id, node, end }) => (Some(id), node, end),
            None => (None, None, None),
        };
        Origin {
            engine: engine.or(job.is_some().then_some(Engine::Slurm)),
            engine_job: engine_job.or(job),
            node: node.or(slurm_node),
            pool,
            until_ms: until.or(end).map(Timestamp::as_millisecond),
        }
    }
}

/// Parses a time.
fn time(text: &str) -> Result<Timestamp, NotATime> {
    match text.parse::<i64>() {
        Ok(seconds) => Timestamp::from_second(seconds).map_err(|_| NotATime),
        Err(_) => text.parse().map_err(|_| NotATime),
    }
}

fn engine(text: &str) -> Result<Engine, String> {
    optlab_domain::parse_word(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(slurm: Option<SlurmJob>) -> MachineSettings {
        MachineSettings { until: None, engine: None, engine_job: None, node: None, pool: None, slurm }
    }

    fn in_slurm() -> Option<SlurmJob> {
        Some(SlurmJob { id: "17".to_owned(), node: Some("n1".to_owned()), end: time("1795830375").ok() })
    }

    #[test]
    fn a_job_of_slurm_is_its_own_description() {
        let origin = settings(in_slurm()).origin();
        assert_eq!((origin.engine, origin.engine_job.as_deref()), (Some(Engine::Slurm), Some("17")));
        assert_eq!((origin.node.as_deref(), origin.until_ms), (Some("n1"), Some(1_795_830_375_000)));
        assert_eq!(settings(None).origin(), Origin::default());
    }

    #[test]
    fn settings_override_what_slurm_reports() {
        let until = time("2027-01-31T08:00:00+01:00").ok();
        let origin = MachineSettings { until, ..settings(in_slurm()) }.origin();
        assert_eq!(origin.until_ms, Some(1_801_378_800_000));
        let elsewhere = MachineSettings { engine: Some(Engine::Kubernetes), ..settings(in_slurm()) }.origin();
        assert_eq!((elsewhere.engine, elsewhere.engine_job), (Some(Engine::Kubernetes), None));
    }

    #[test]
    fn another_text_is_no_time() {
        for text in ["", "tomorrow", "12:00", "2027-01-31"] {
            assert_eq!(time(text), Err(NotATime), "{text}");
        }
    }
}
