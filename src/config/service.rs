//! The settings of a server.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::ops::RangeInclusive;
use std::time::Duration;

use clap::Args;
use optlab_domain::standing::{FEWEST_PAIRS_NEEDED, PAIRS_NEEDED};

use super::base_path::BasePath;
use super::database::{DatabaseSettings, DatabaseUrl};
use super::listen;
use super::range::{seconds, within};
use super::worker::{Slots, TrainingSettings, WorkerConfig};
use crate::artifacts::BucketAccess;
use crate::store::Origin;

/// Address of a server without `--listen`.
pub const DEFAULT_ADDRESS: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8080);

/// Commands wait for an answer no longer than a minute.
const QUERY_SECONDS: RangeInclusive<u64> = 1..=50;
/// From one second, for tests, to 30 days.
const SWEEP_SECONDS: RangeInclusive<u64> = 1..=2_592_000;
/// Fewer pairs show nothing.
const PAIRS: RangeInclusive<u64> = FEWEST_PAIRS_NEEDED as u64..=1000;
/// Up to a terabyte.
const IMPORT_LIMIT_MB: RangeInclusive<u64> = 1..=1_000_000;

/// Settings of a server.
#[derive(Args, Clone, Debug)]
pub struct ServiceSettings {
    /// Address of the server; a port alone means 127.0.0.1 [default: 127.0.0.1:8080]
    #[arg(long, env = "OPTLAB_LISTEN", value_name = "ADDR", value_parser = listen::parse)]
    pub listen: Option<SocketAddr>,
    /// The database.
    #[command(flatten)]
    pub database: DatabaseSettings,
    /// Artifact root: a folder or s3://BUCKET/FOLDER; required with Postgres [default: beside the database file]
    #[arg(long, env = "OPTLAB_ARTIFACTS", value_name = "PLACE")]
    pub artifacts: Option<String>,
    /// Number of slots; 0 for none [default: one per GPU, or one per core without GPUs]
    #[arg(long, env = "OPTLAB_WORKERS", value_name = "SLOTS", value_parser = within::<u16>(0..=1024))]
    pub workers: Option<u16>,
    /// Interval for removing stray files, and their minimum age since the end of the attempt
    #[arg(
        long = "sweep-seconds",
        env = "OPTLAB_SWEEP_SECONDS",
        value_name = "SECONDS",
        default_value = "3600",
        value_parser = seconds(SWEEP_SECONDS)
    )]
    pub sweep_every: Duration,
    /// Settings of the API.
    #[command(flatten)]
    pub api: ApiSettings,
    /// Queries of users.
    #[command(flatten)]
    pub queries: QuerySettings,
    /// Settings of the worker.
    #[command(flatten)]
    pub training: TrainingSettings,
    /// The connection to buckets.
    #[arg(skip = BucketAccess::from_env())]
    pub bucket: BucketAccess,
}

/// Settings that the handlers of the API read.
#[derive(Args, Clone, Debug)]
pub struct ApiSettings {
    /// Maximum size of an imported file
    #[arg(
        long,
        env = "OPTLAB_IMPORT_LIMIT_MB",
        value_name = "MB",
        default_value = "1024",
        value_parser = within::<u32>(IMPORT_LIMIT_MB)
    )]
    pub import_limit_mb: u32,
    /// Pairs of seeds that a verdict needs
    #[arg(
        long,
        env = "OPTLAB_PAIRS_NEEDED",
        value_name = "PAIRS",
        default_value_t = PAIRS_NEEDED,
        value_parser = within::<u16>(PAIRS)
    )]
    pub pairs_needed: u16,
    /// Path prefix under which a proxy serves optlab
    #[arg(long, env = "OPTLAB_BASE_PATH", value_name = "PATH", default_value = "/")]
    pub base_path: BasePath,
}

/// Settings of the queries of users.
#[derive(Args, Clone, Debug)]
pub struct QuerySettings {
    /// Read-only login for queries of users [default: as --database-url]
    #[arg(long, env = "OPTLAB_QUERY_DATABASE_URL", hide_env_values = true, value_name = "URL")]
    pub query_database_url: Option<DatabaseUrl>,
    /// Time limit of a user's query
    #[arg(
        long = "query-seconds",
        env = "OPTLAB_QUERY_SECONDS",
        value_name = "SECONDS",
        default_value = "10",
        value_parser = seconds(QUERY_SECONDS)
    )]
    pub query_time: Duration,
}

impl ServiceSettings {
    /// The database that answers the queries of users.
    pub fn query_database_url(&self) -> &DatabaseUrl {
        self.queries.query_database_url.as_ref().unwrap_or(&self.database.database_url)
    }

    /// The worker inside the server.
    pub fn worker(&self) -> WorkerConfig {
        let slots = Slots::Count(self.workers.map(usize::from));
        WorkerConfig {
            slots,
            training: self.training.clone(),
            exit_when_idle: None,
            origin: Origin::default(),
        }
    }
}

impl ApiSettings {
    /// The longest file that can be imported, in bytes.
    pub fn import_limit(&self) -> u64 {
        u64::from(self.import_limit_mb) * 1_000_000
    }
}
