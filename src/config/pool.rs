//! Pools of pilots: tables `[slurm.NAME]` of the settings file, or the arguments of `optlab slurm`.

use std::ops::RangeInclusive;
use std::time::Duration;

use clap::{Args, Command, FromArgMatches};
use optlab_domain::DeviceKind;
use serde_json::Value;

use super::argument::{accepted, key_of};
use super::range::{seconds, within};

/// The key of the tables in the settings file.
pub(super) const POOLS: &str = "slurm";
/// The key of the list of options for `sbatch`, which follow `--` on a command line.
const SBATCH: &str = "sbatch";

const MOST_WORKERS: RangeInclusive<u64> = 1..=10_000;
const IDLE_SECONDS: RangeInclusive<u64> = 1..=86_400;
/// Slurm forgets a job that has ended after some minutes.
const POLL_SECONDS: RangeInclusive<u64> = 1..=60;

/// Options of `sbatch` by which optlab would lose its pilots, or run others than it asked for.
const RESERVED: [&str; 15] = [
    "--job-name",
    "-J",
    "--array",
    "-a",
    "--wrap",
    "--clusters",
    "-M",
    "--test-only",
    "--wait",
    "-W",
    "--requeue",
    "--help",
    "-h",
    "--version",
    "-V",
];

/// A set of pilots that Slurm starts on demand.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct PoolSettings {
    /// Name of the pool, unique in the database
    #[arg(long = "pool", value_name = "NAME", default_value = "default", value_parser = name)]
    pub name: String,
    /// Maximum number of pilots at a time, those that wait included
    #[arg(long, value_name = "N", default_value = "1", value_parser = within::<u16>(MOST_WORKERS))]
    pub max_workers: u16,
    /// Devices that the pilots offer: cpu, or cuda for every GPU of the allocation
    #[arg(long, value_name = "KIND", default_value = "cuda", value_parser = device)]
    pub device: DeviceKind,
    /// Jobs that a pilot runs at a time on each of its devices
    #[arg(long, value_name = "N", default_value = "1", value_parser = within::<u16>(1..=1024))]
    pub slots_per_device: u16,
    /// Maximum number of pilots that wait in Slurm's queue
    #[arg(long, value_name = "N", default_value = "4", value_parser = within::<u16>(MOST_WORKERS))]
    pub backlog: u16,
    /// Time without a job after which a pilot ends
    #[arg(long = "exit-when-idle", value_name = "SECONDS", default_value = "60", value_parser = seconds(IDLE_SECONDS))]
    pub idle: Duration,
    /// Interval at which Slurm is asked for the pilots
    #[arg(long = "poll-seconds", value_name = "SECONDS", default_value = "15", value_parser = seconds(POLL_SECONDS))]
    pub poll: Duration,
    /// Options of sbatch for each pilot, such as --partition=gpu --gres=gpu:1 --time=8:00:00
    #[arg(last = true, value_name = "SBATCH-OPTIONS", value_parser = sbatch_option)]
    pub sbatch: Vec<String>,
}

impl Default for PoolSettings {
    fn default() -> Self {
        let known = Self::augment_args(Command::new("optlab").no_binary_name(true));
        let matches = known.get_matches_from([""; 0]);
        Self::from_arg_matches(&matches).expect("every argument has a default")
    }
}

/// The pools in tables by name.
///
/// # Errors
/// The path of the key below [`POOLS`], and what is wrong with it.
pub(super) fn from_tables(tables: Value) -> Result<Vec<PoolSettings>, (String, String)> {
    let Value::Object(tables) = tables else {
        return Err((String::new(), format!("must have a table for each pool, such as [{POOLS}.gpu]")));
    };
    tables.into_iter().map(|(pool, table)| from_table(&pool, table)).collect()
}

fn from_table(pool: &str, table: Value) -> Result<PoolSettings, (String, String)> {
    let at = |key: &str, problem: String| (format!(".{pool}{key}"), problem);
    let Value::Object(table) = table else {
        return Err(at("", format!("must be a table [{POOLS}.{pool}]")));
    };
    let known = PoolSettings::augment_args(Command::new("optlab").no_binary_name(true));
    let arg_of =
        |key: &str| known.get_arguments().find(|arg| key_of(arg).as_deref() == Some(key) && key != "pool");
    let mut flags = vec![format!("--pool={}", name(pool).map_err(|problem| at("", problem))?)];
    let mut options = vec!["--".to_owned()];
    for (key, value) in table {
        let problem = |problem| at(&format!(".{key}"), problem);
        match (key.as_str(), value) {
            (SBATCH, Value::Array(list)) => {
                for option in list {
                    let option = option.as_str().ok_or("must be a list of texts").and_then(sbatch_option);
                    options.push(option.map_err(|error| problem(error.to_owned()))?);
                }
            }
            (SBATCH, _) => return Err(problem("must be a list of texts".to_owned())),
            (key, value) => {
                let Some(arg) = arg_of(key) else {
                    let keys = known.get_arguments().filter_map(key_of).filter(|key| key != "pool");
                    let keys: Vec<String> = keys.chain([SBATCH.to_owned()]).collect();
                    return Err(problem(format!("is no setting of a pool; they are {}", keys.join(", "))));
                };
                let text = accepted(arg, value).map_err(problem)?;
                flags.push(format!("--{}={text}", arg.get_long().unwrap_or_default()));
            }
        }
    }
    let matches = known.try_get_matches_from(flags.into_iter().chain(options));
    let settings = matches.and_then(|matches| PoolSettings::from_arg_matches(&matches));
    settings.map_err(|error| at("", error.to_string()))
}

/// Parses the name of a pool, which becomes part of the names of its pilots in Slurm.
fn name(text: &str) -> Result<String, String> {
    let fits = (1..=40).contains(&text.len())
        && text.bytes().all(|c| c.is_ascii_alphanumeric() || b"._-".contains(&c));
    if fits {
        Ok(text.to_owned())
    } else {
        Err("must be 1 to 40 letters, digits, `.`, `_` or `-`".to_owned())
    }
}

fn device(text: &str) -> Result<DeviceKind, String> {
    optlab_domain::parse_word(text)
}

fn sbatch_option(text: &str) -> Result<String, &'static str> {
    // sbatch accepts a long option that is abbreviated, and a value after a short one.
    let name = text.split('=').next().unwrap_or_default();
    let is = |reserved: &str| match reserved.starts_with("--") {
        true => name.len() > 4 && reserved.starts_with(name),
        false => text.starts_with(reserved),
    };
    if RESERVED.into_iter().any(is) {
        return Err(
            "is an option that optlab sets, or by which it would lose its pilots: a name, an array, another cluster",
        );
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_table_is_a_pool_with_the_defaults_of_the_command_line() {
        let tables = json!({
            "gpu": { "max_workers": 20, "slots_per_device": 2, "sbatch": ["--partition=gpu", "--gres=gpu:1"] },
            "cpu": { "device": "cpu" },
        });
        let pools = from_tables(tables).unwrap();
        let gpu = pools.iter().find(|pool| pool.name == "gpu").unwrap();
        assert_eq!((gpu.max_workers, gpu.slots_per_device, gpu.device), (20, 2, DeviceKind::Cuda));
        assert_eq!(gpu.sbatch, ["--partition=gpu", "--gres=gpu:1"]);
        let cpu = pools.iter().find(|pool| pool.name == "cpu").unwrap();
        assert_eq!((cpu.device, cpu.max_workers, cpu.backlog), (DeviceKind::Cpu, 1, 4));
        assert_eq!((cpu.idle, cpu.poll), (Duration::from_secs(60), Duration::from_secs(15)));
        assert!(cpu.sbatch.is_empty());
    }

    #[track_caller]
    fn refused(tables: Value, key: &str, problem: &str) {
        let (at, why) = from_tables(tables).unwrap_err();
        assert!(at == key && why.contains(problem), "{at}: {why}");
    }

    #[test]
    fn a_mistake_is_rejected_with_the_path_of_its_key() {
        refused(json!(3), "", "must have a table for each pool, such as [slurm.gpu]");
        refused(json!({ "gpu": 1 }), ".gpu", "must be a table [slurm.gpu]");
        refused(json!({ "a b": {} }), ".a b", "must be 1 to 40 letters");
        refused(json!({ "gpu": { "max_workers": 0 } }), ".gpu.max_workers", "from 1 to 10000");
        refused(json!({ "gpu": { "device": "tpu" } }), ".gpu.device", "must be one of cpu, cuda");
        refused(
            json!({ "gpu": { "pool": "x" } }),
            ".gpu.pool",
            "is no setting of a pool; they are max_workers, device",
        );
        refused(json!({ "gpu": { "sbatch": "-p x" } }), ".gpu.sbatch", "must be a list of texts");
        refused(json!({ "gpu": { "sbatch": ["-Jme"] } }), ".gpu.sbatch", "is an option that optlab sets");
        refused(
            json!({ "gpu": { "sbatch": ["--job-n=x"] } }),
            ".gpu.sbatch",
            "is an option that optlab sets",
        );
        refused(
            json!({ "gpu": { "sbatch": ["--array=1-3"] } }),
            ".gpu.sbatch",
            "is an option that optlab sets",
        );
    }
}
