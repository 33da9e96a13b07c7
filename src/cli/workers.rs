//! `optlab workers`: the workers of a server, and the pools whose pilots an engine starts.

use optlab_api_types::{Pool, Worker, WorkerState};
use optlab_domain::{Pilot, PilotState, WorkerId};
use serde_json::json;

use super::client::ServerArgs;
use super::experiments::submitted;
use super::table::table;
use super::{Failure, output, which};

#[derive(clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    list: ListArgs,
}

#[derive(clap::Args)]
struct ListArgs {
    /// List workers that ended in the last day too
    #[arg(long)]
    gone: bool,
    #[command(flatten)]
    server: ServerArgs,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(clap::Subcommand)]
enum Command {
    /// Drain a worker: it hands back or finishes its jobs, and stops
    Drain {
        /// Id of the worker
        #[arg(value_parser = which::id::<WorkerId>)]
        worker: WorkerId,
        #[command(flatten)]
        server: ServerArgs,
    },
    /// End the pause of a pool after failures: it requests its next pilot within seconds
    Resume {
        /// Name of the pool
        pool: String,
        #[command(flatten)]
        server: ServerArgs,
    },
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    match &args.command {
        None => list(&args.list),
        Some(Command::Drain { worker, server }) => {
            server.client()?.act(&format!("/workers/{worker}/drain"))?;
            Ok(output::line(format!("Worker {worker}: draining"))?)
        }
        Some(Command::Resume { pool, server }) => {
            server.client()?.act(&format!("/pools/{pool}/resume"))?;
            Ok(output::line(format!("Pool {pool}: resumed"))?)
        }
    }
}

fn list(args: &ListArgs) -> Result<(), Failure> {
    let client = args.server.client()?;
    let mut workers: Vec<Worker> = client.list("/workers", &[])?;
    let pools: Vec<Pool> = client.list("/pools", &[])?;
    workers.retain(|worker| args.gone || worker.state != WorkerState::Gone);
    if args.json {
        return Ok(output::json(&json!({ "workers": workers, "pools": pools }))?);
    }
    if workers.is_empty() {
        output::note("optlab: no worker is running; --gone lists those that ended in the last day");
    } else {
        let mut table =
            table(["id", "name", "state", "slots", "jobs", "since", "machine", "trouble"], &[0, 3]);
        table.add_rows(workers.into_iter().map(worker_row));
        output::line(table.trim_fmt())?;
    }
    if !pools.is_empty() {
        let mut table =
            table(["pool", "engine", "device", "running", "waiting", "at most", "state"], &[3, 4, 5]);
        table.add_rows(pools.into_iter().map(pool_row));
        output::line(format!("\n{}", table.trim_fmt()))?;
    }
    Ok(())
}

fn worker_row(worker: Worker) -> [String; 8] {
    let jobs: Vec<String> = worker.jobs.iter().map(ToString::to_string).collect();
    let state = match worker.state {
        WorkerState::Active => "active",
        WorkerState::Draining => "draining",
        WorkerState::Gone => "gone",
    };
    let machine = match (worker.engine, worker.engine_job) {
        (Some(engine), Some(job)) => {
            let node = worker.node.map_or(String::new(), |node| format!(" on {node}"));
            format!("{} {job}{node}", engine.title())
        }
        _ => String::new(),
    };
    [
        worker.id.to_string(),
        worker.name,
        state.to_owned(),
        worker.slots.to_string(),
        jobs.join(" "),
        submitted(&worker.started_at),
        machine,
        worker.preempted.or(worker.trouble).unwrap_or_default(),
    ]
}

fn pool_row(pool: Pool) -> [String; 7] {
    let count = |state| pool.pilots.iter().filter(|pilot| pilot.state == state).count().to_string();
    let (running, waiting) = (count(PilotState::Running), count(PilotState::Pending));
    [
        pool.name.clone(),
        pool.engine.title().to_owned(),
        pool.device.to_string(),
        running,
        waiting,
        pool.max_workers.to_string(),
        pool_state(&pool),
    ]
}

/// What keeps a pool from having more pilots, as far as it is known.
fn pool_state(pool: &Pool) -> String {
    let mut said: Vec<String> = Vec::new();
    if pool.unattended {
        said.push(format!("unattended since {}: start `optlab slurm`", submitted(&pool.last_seen_at)));
    }
    if let Some(until) = &pool.paused_until {
        said.push(format!("paused until {}: `optlab workers resume {}`", submitted(until), pool.name));
    }
    said.extend(pool.trouble.clone());
    let waits = |pilot: &Pilot| pilot.reason.clone().filter(|_| pilot.state == PilotState::Pending);
    let mut reasons: Vec<String> = pool.pilots.iter().filter_map(waits).collect();
    reasons.sort_unstable();
    reasons.dedup();
    if said.is_empty() && !reasons.is_empty() {
        said.push(format!("waiting: {}", reasons.join(", ")));
    }
    said.join("; ")
}
