//! Settings: flags, then environment, then `optlab.toml`, then defaults. Read once, at the start.

mod listen;

use std::io::Read;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use serde::Deserialize;

use crate::api::BasePath;
use crate::worker::{self, Drain, Slots, WorkerConfig};

/// Where a server answers that was told no address.
pub const DEFAULT_ADDRESS: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8080);

/// Commands wait for an answer no longer than a minute.
const QUERY_SECONDS: RangeInclusive<u64> = 1..=50;
/// From one second, for tests, to 30 days.
const SWEEP_SECONDS: RangeInclusive<u64> = 1..=2_592_000;
const HUNG_AFTER_SECONDS: RangeInclusive<u64> = 1..=86_400;
const LEASE_SECONDS: RangeInclusive<u64> = 1..=worker::LONGEST_LEASE_SECONDS;

/// What a server may be told on the command line or by the environment.
#[derive(Args, Clone, Debug, Default)]
pub struct ServiceArgs {
    /// Address to answer on, such as 0.0.0.0:8080, or a port of 127.0.0.1 [default: 127.0.0.1:8080]
    #[arg(long, env = "OPTLAB_LISTEN", value_name = "ADDR", value_parser = listen::parse)]
    listen: Option<SocketAddr>,
    /// Where the results are [default: sqlite:optlab.db]
    #[arg(long, env = "OPTLAB_DATABASE_URL", hide_env_values = true, value_name = "URL")]
    database_url: Option<String>,
    /// Where files of jobs are: a folder or s3://BUCKET/FOLDER [default for SQLite: beside the database file]
    #[arg(long, env = "OPTLAB_ARTIFACTS", value_name = "PLACE")]
    artifacts: Option<String>,
    /// Jobs at a time; 0 trains nothing here [default: one a GPU, without a GPU one a core]
    #[arg(long, env = "OPTLAB_WORKERS", value_name = "SLOTS", value_parser = clap::value_parser!(u16).range(0..=1024))]
    workers: Option<u16>,
    /// Megabytes that a file to import may have [default: 1024]
    #[arg(long, env = "OPTLAB_IMPORT_LIMIT_MB", value_name = "MB")]
    import_limit_mb: Option<u32>,
    /// Folder of the host in which a proxy shows this server, such as /optlab [default: the whole host]
    #[arg(long, env = "OPTLAB_BASE_PATH", value_name = "PATH")]
    base_path: Option<BasePath>,
    /// Seconds between two looks for files that no row names; attempts that left them ended as long ago [default: 3600]
    #[arg(long, env = "OPTLAB_SWEEP_SECONDS", value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(SWEEP_SECONDS))]
    sweep_seconds: Option<u64>,
    #[command(flatten)]
    queries: QueryArgs,
    #[command(flatten)]
    training: TrainingArgs,
}

/// What a server may be told about the queries of its users.
#[derive(Args, Clone, Debug, Default)]
struct QueryArgs {
    /// The same database by a login that can only read, for the queries of users [default: as the server itself]
    #[arg(long, env = "OPTLAB_QUERY_DATABASE_URL", hide_env_values = true, value_name = "URL")]
    query_database_url: Option<String>,
    /// Seconds after which a query of a user is stopped [default: 10]
    #[arg(long, env = "OPTLAB_QUERY_SECONDS", value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(QUERY_SECONDS))]
    query_seconds: Option<u64>,
}

/// What a worker without a server may be told on the command line or by the environment.
#[derive(Args, Clone, Debug, Default)]
pub struct WorkerArgs {
    /// Where the queue is
    #[arg(long, env = "OPTLAB_DATABASE_URL", hide_env_values = true, value_name = "URL")]
    database_url: String,
    /// cpu, cuda:0, ...; several times for several [default: every GPU, without a GPU the CPU]
    #[arg(long = "device", env = "OPTLAB_DEVICES", value_name = "DEVICE", value_delimiter = ',')]
    devices: Vec<String>,
    /// Jobs at a time on each device [default: one a GPU, on the CPU one a core]
    #[arg(long, env = "OPTLAB_SLOTS_PER_DEVICE", value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    slots_per_device: Option<u16>,
    /// Stop once nothing has run for so long
    #[arg(long, value_name = "SECONDS")]
    exit_when_idle: Option<u64>,
    #[command(flatten)]
    training: TrainingArgs,
}

/// What a command on the database itself may be told.
#[derive(Args, Clone, Debug, Default)]
pub struct DatabaseArgs {
    /// The database [default: sqlite:optlab.db]
    #[arg(long, env = "OPTLAB_DATABASE_URL", hide_env_values = true, value_name = "URL")]
    database_url: Option<String>,
    /// Settings file [default: optlab.toml, where it exists]
    #[arg(long, env = "OPTLAB_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
}

/// What both may be told.
#[derive(Args, Clone, Debug, Default)]
struct TrainingArgs {
    /// The program that trains [default: optlab-runner beside this program]
    #[arg(long, env = "OPTLAB_RUNNER", value_name = "PATH")]
    runner: Option<PathBuf>,
    /// Seconds after which the jobs of a worker that is not heard of are given to others [default: 15]
    #[arg(long, env = "OPTLAB_LEASE_SECONDS", value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(LEASE_SECONDS))]
    lease_seconds: Option<u64>,
    /// Seconds of silence after which a runner may have hung: it is killed then unless its job is known to be slower
    /// [default: 600]
    #[arg(long, env = "OPTLAB_HUNG_AFTER_SECONDS", value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(HUNG_AFTER_SECONDS))]
    hung_after_seconds: Option<u64>,
    /// What becomes of running jobs at SIGTERM [default: checkpoint]
    #[arg(long, env = "OPTLAB_DRAIN", value_enum)]
    drain: Option<Drain>,
    /// Settings file [default: optlab.toml, where it exists]
    #[arg(long, env = "OPTLAB_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
}

/// The settings file: the same names as the flags.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default, deserialize_with = "listen::read")]
    listen: Option<SocketAddr>,
    database_url: Option<String>,
    artifacts: Option<String>,
    workers: Option<u16>,
    query_database_url: Option<String>,
    query_seconds: Option<u64>,
    import_limit_mb: Option<u32>,
    base_path: Option<BasePath>,
    sweep_seconds: Option<u64>,
    runner: Option<PathBuf>,
    lease_seconds: Option<u64>,
    hung_after_seconds: Option<u64>,
    drain: Option<Drain>,
}

/// The settings of a server.
#[derive(Clone, Debug)]
pub struct ServiceConfig {
    /// Address to answer on, where one was named.
    pub listen: Option<SocketAddr>,
    /// Where the results are.
    pub database_url: String,
    /// Where files of jobs are, where that was said.
    pub artifacts: Option<String>,
    /// Where the queries of users are answered.
    pub query_database_url: String,
    /// How long such a query may run.
    pub query_time: Duration,
    /// The longest file that may be imported, in bytes.
    pub import_limit: u64,
    /// Path prefix under which a proxy serves optlab.
    pub base_path: BasePath,
    /// Interval of the sweep for files without a row.
    pub sweep_every: Duration,
    /// The slots.
    pub worker: WorkerConfig,
}

/// The longest settings file that is read, in bytes.
const LONGEST_FILE: u64 = 1_000_000;

/// Why the settings cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("the settings file {}: {source}", path.display())]
    Unreadable {
        /// The settings file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file is longer than any settings.
    #[error("the settings file {} has more than {} bytes", .0.display(), LONGEST_FILE)]
    TooLong(PathBuf),
    /// The file says something else than settings.
    #[error("the settings file {}: {source}", path.display())]
    Malformed {
        /// The settings file.
        path: PathBuf,
        /// Where and what.
        source: Box<toml::de::Error>,
    },
}

impl ServiceArgs {
    /// Looks up what the flags and the environment leave open.
    ///
    /// # Errors
    /// Where the settings file is wrong, or was named and is missing.
    pub fn resolve(self) -> Result<ServiceConfig, ConfigError> {
        let file = File::read(self.training.config.as_deref())?;
        let slots = Slots::Count(self.workers.or(file.workers).map(usize::from));
        let database_url =
            self.database_url.or_else(|| file.database_url.clone()).unwrap_or_else(default_database);
        let queries = self.queries;
        let query_seconds = queries.query_seconds.or(file.query_seconds).unwrap_or(10);
        let query_database_url = queries.query_database_url.or_else(|| file.query_database_url.clone());
        let sweep_seconds = self.sweep_seconds.or(file.sweep_seconds).unwrap_or(3600);
        Ok(ServiceConfig {
            sweep_every: Duration::from_secs(
                sweep_seconds.clamp(*SWEEP_SECONDS.start(), *SWEEP_SECONDS.end()),
            ),
            listen: self.listen.or(file.listen),
            worker: self.training.resolve(&file, slots),
            query_database_url: query_database_url.unwrap_or_else(|| database_url.clone()),
            query_time: Duration::from_secs(
                query_seconds.clamp(*QUERY_SECONDS.start(), *QUERY_SECONDS.end()),
            ),
            database_url,
            import_limit: u64::from(self.import_limit_mb.or(file.import_limit_mb).unwrap_or(1024)) << 20,
            base_path: self.base_path.or(file.base_path).unwrap_or_default(),
            artifacts: self.artifacts.or(file.artifacts),
        })
    }
}

impl WorkerArgs {
    /// The database's URL, and what the flags and the environment leave open.
    ///
    /// # Errors
    /// Where the settings file is wrong, or was named and is missing.
    pub fn resolve(self) -> Result<(String, WorkerConfig), ConfigError> {
        let file = File::read(self.training.config.as_deref())?;
        let each = self.slots_per_device.map(usize::from);
        let slots = if self.devices.is_empty() {
            Slots::PerDevice(each)
        } else {
            Slots::On { devices: self.devices, each: each.unwrap_or(1) }
        };
        let exit_when_idle = self.exit_when_idle.map(Duration::from_secs);
        Ok((self.database_url, WorkerConfig { exit_when_idle, ..self.training.resolve(&file, slots) }))
    }
}

impl DatabaseArgs {
    /// The database's URL.
    ///
    /// # Errors
    /// Where the settings file is wrong, or was named and is missing.
    pub fn resolve(&self) -> Result<String, ConfigError> {
        let file = File::read(self.config.as_deref())?;
        Ok(self.database_url.clone().or(file.database_url).unwrap_or_else(default_database))
    }
}

impl TrainingArgs {
    fn resolve(self, file: &File, slots: Slots) -> WorkerConfig {
        let seconds = |set: Option<u64>, default, within: RangeInclusive<u64>| {
            Duration::from_secs(set.unwrap_or(default).clamp(*within.start(), *within.end()))
        };
        let hung_after = self.hung_after_seconds.or(file.hung_after_seconds);
        WorkerConfig {
            slots,
            runner: self.runner.or_else(|| file.runner.clone()).unwrap_or_else(default_runner),
            lease: seconds(self.lease_seconds.or(file.lease_seconds), 15, LEASE_SECONDS),
            hung_after: seconds(hung_after, 600, HUNG_AFTER_SECONDS),
            drain: self.drain.or(file.drain).unwrap_or_default(),
            exit_when_idle: None,
        }
    }
}

impl File {
    /// The `named` file, or the usual one where it exists.
    fn read(named: Option<&Path>) -> Result<Self, ConfigError> {
        let default = Path::new("optlab.toml");
        let path = match named {
            Some(path) => path,
            None if default.exists() => default,
            None => return Ok(Self::default()),
        };
        let unreadable = |source| ConfigError::Unreadable { path: path.to_owned(), source };
        let file = std::fs::File::open(path).map_err(unreadable)?;
        let mut text = String::new();
        file.take(LONGEST_FILE + 1).read_to_string(&mut text).map_err(unreadable)?;
        if text.len() as u64 > LONGEST_FILE {
            return Err(ConfigError::TooLong(path.to_owned()));
        }
        toml::from_str(&text)
            .map_err(|source| ConfigError::Malformed { path: path.to_owned(), source: Box::new(source) })
    }
}

fn default_database() -> String {
    "sqlite:optlab.db".to_owned()
}

/// `optlab-runner` in the folder of this program.
pub fn default_runner() -> PathBuf {
    let beside =
        std::env::current_exe().ok().and_then(|program| Some(program.parent()?.join("optlab-runner")));
    beside.unwrap_or_else(|| PathBuf::from("optlab-runner"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_win_over_the_file_and_the_file_over_defaults() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("optlab.toml");
        std::fs::write(&path, "listen = \"0.0.0.0:9000\"\nworkers = 3\n").unwrap();
        let training = TrainingArgs { config: Some(path), ..TrainingArgs::default() };
        let args = ServiceArgs { workers: Some(1), training: training.clone(), ..ServiceArgs::default() };
        let config = args.resolve().unwrap();
        assert_eq!(config.worker.slots, Slots::Count(Some(1)));
        assert_eq!(config.listen.map(|address| address.port()), Some(9000));
        assert_eq!(config.database_url, "sqlite:optlab.db");

        std::fs::write(training.config.as_ref().unwrap(), "wrokers = 3\n").unwrap();
        let error = ServiceArgs { training, ..ServiceArgs::default() }.resolve().unwrap_err();
        assert!(error.to_string().contains("wrokers"), "{error}");
    }
}
