//! `optlab serve`: wires store, workers and HTTP together.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use super::Failure;
use super::signals::Signals;
use crate::artifacts::ArtifactRoot;
use crate::clock::{Clock, SystemClock};
use crate::config::{self, DEFAULT_ADDRESS, DatabaseUrl, Drain, PoolSettings, ServiceSettings};
use crate::pilots::Surroundings;
use crate::store::{QueryRunner, Root, Store};
use crate::worker::Reaper;
use crate::{api, pilots, store, worker};

/// Requested number of open files; the system may allow fewer.
const MOST_FILES: u64 = 65_536;
/// A connection may take about 100 kB of memory.
const MOST_CONNECTIONS: u64 = 2048;

/// Signal for exceeding the file size limit, on Linux and macOS.
const SIGXFSZ: i32 = 25;

#[derive(clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    settings: ServiceSettings,
}

pub(super) fn run(args: Args) -> Result<(), Failure> {
    block_on(async {
        let listener = listen(args.settings.listen.unwrap_or(DEFAULT_ADDRESS)).await?;
        let shutdown = CancellationToken::new();
        tokio::spawn(stop_on_signal(shutdown.clone(), args.settings.training.drain));
        let pools = config::pools(args.settings.database.config.as_ref())?;
        Ok(service(args.settings, pools, listener, shutdown).await?)
    })?
}

/// Runs `command` to its end. A thread that is still blocked then, such as by a read from a dead mount, does not keep
/// the process alive.
pub(super) fn block_on<T>(command: impl Future<Output = T>) -> std::io::Result<T> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    // With a handler, a write beyond the file size limit (`ulimit -f`) fails like on a full disk. Without one, SIGXFSZ
    // would kill the process.
    let entered = runtime.enter();
    let _ = signal(SignalKind::from_raw(SIGXFSZ))?;
    drop(entered);
    let result = runtime.block_on(command);
    runtime.shutdown_background();
    Ok(result)
}

pub(super) async fn listen(address: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).await.map_err(|error| {
        let cure = match error.kind() {
            ErrorKind::AddrInUse => "; another optlab may be running there. Choose another with --listen",
            ErrorKind::AddrNotAvailable => {
                "; the address does not belong to this machine; 0.0.0.0 means all of its addresses"
            }
            _ => "",
        };
        anyhow::anyhow!("cannot listen on {address}: {error}{cure}")
    })
}

/// Runs everything until `shutdown`, and keeps these pools of pilots.
pub(super) async fn service(
    settings: ServiceSettings,
    pools: Vec<PoolSettings>,
    listener: TcpListener,
    shutdown: CancellationToken,
) -> anyhow::Result<()> {
    let connections = connections();
    let surroundings =
        Surroundings::new(std::env::current_exe()?, &settings.database.database_url, &settings.training);
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let (url, lease) = (&settings.database.database_url, settings.training.lease);
    let query_time = settings.queries.query_time;
    let queries = QueryRunner::new(settings.query_database_url().expose(), query_time, this_program()?)?;
    let store = store::open(url.expose()).await.with_context(|| format!("cannot open {url}"))?;
    require_token(&store, listener.local_addr()?, url).await?;
    if let Err(error) = store.remove_unfinished_imports().await {
        tracing::warn!(%error, "cannot remove unfinished imports; the next start tries again");
    }
    let artifacts = artifact_root(&store, &settings).await?;
    tracing::info!("serving http://{}{} from {url}", listener.local_addr()?, settings.api.base_path);
    try_temporary_folder();
    tokio::spawn(try_queries(queries.clone()));
    let reaper = Reaper::new(store.clone(), clock.clone(), lease);
    let reaper = tokio::spawn(reaper.run(shutdown.clone()));
    let sweeps = worker::Sweeps { checkpoints: lease, strays: settings.sweep_every };
    let sweeper = worker::sweep(store.clone(), artifacts.clone(), sweeps, shutdown.clone());
    let sweeper = tokio::spawn(sweeper);
    let worker = worker::run(store.clone(), artifacts.clone(), settings.worker(), shutdown.clone());
    let worker = tokio::spawn(worker);
    let pilots = pilots::run(store.clone(), pools, surroundings, shutdown.clone());
    let pilots = tokio::spawn(pilots);
    let resources = api::Resources { store: store.clone(), artifacts, queries, clock };
    let served = api::serve(listener, resources, settings.api, connections, shutdown.clone()).await;
    // If the server cannot listen any more, the rest ends, too.
    shutdown.cancel();
    let (worker, reaper, sweeper, pilots) = tokio::join!(worker, reaper, sweeper, pilots);
    worker.context("the worker panicked")?;
    pilots.context("the keeper of pilots panicked")?;
    reaper.context("the reaper panicked")?;
    sweeper.context("the sweeper panicked")?;
    store.close().await;
    Ok(served?)
}

/// Opens the artifact root. One that is given for the first time is kept only after a file could be written there, so
/// that a wrong path can be corrected.
async fn artifact_root(store: &Store, settings: &ServiceSettings) -> anyhow::Result<ArtifactRoot> {
    let given = settings.artifacts.as_deref();
    let Root { place, is_new } = store.artifact_root(given).await?;
    let root = ArtifactRoot::open(&place, &settings.bucket)?;
    if is_new {
        root.try_to_write().await.with_context(|| format!("no file can be written to {place}"))?;
        store.keep_artifact_root(&place).await?;
        // Fails if another server has stored another root meanwhile.
        store.artifact_root(given).await?;
    }
    Ok(root)
}

/// Logs whether temporary files can be written. Jobs and imports need them, and would fail later.
pub(super) fn try_temporary_folder() {
    if let Err(error) = tempfile::tempfile() {
        tracing::warn!(
            "no temporary file can be written to {}: {error}. Jobs and imports need them; set TMPDIR to another folder",
            std::env::temp_dir().display()
        );
    }
}

/// Path of this program. On Linux, `/proc/self/exe` is valid even after an update has replaced the file.
fn this_program() -> std::io::Result<PathBuf> {
    let running = PathBuf::from("/proc/self/exe");
    if running.exists() { Ok(running) } else { std::env::current_exe() }
}

/// Runs one query at startup, so that problems with the queries of users are logged early.
async fn try_queries(queries: QueryRunner) {
    if let Err(error) = queries.query("SELECT 1".to_owned(), 1).await {
        tracing::warn!(%error, "queries of users cannot be answered at present");
    }
}

/// The maximum number of concurrent connections. A connection uses one file and may open another, of a job or a
/// database. With a quarter of all files, at least half remain for the database and the workers.
fn connections() -> usize {
    // Many systems allow a process a thousand files unless it requests more.
    let files = rlimit::increase_nofile_limit(MOST_FILES).unwrap_or_else(|error| {
        tracing::warn!(%error, "cannot raise the limit on open files");
        rlimit::Resource::NOFILE.get_soft().unwrap_or(MOST_FILES)
    });
    (files / 4).clamp(1, MOST_CONNECTIONS) as usize
}

/// A server that other machines can reach requires tokens, so it does not start if there are none.
async fn require_token(store: &Store, address: SocketAddr, url: &DatabaseUrl) -> anyhow::Result<()> {
    let usable = store.tokens().await?.iter().any(|token| token.revoked_ms.is_none());
    // The redacted parts of the URL must not be copied from the message.
    let typed = if url.to_string() == url.expose() { url.expose() } else { "URL" };
    anyhow::ensure!(
        api::is_local(address) || usable,
        "other machines can reach {address}, so clients need a token, and {url} has none. Create one with\n  \
         optlab token create NAME --scope write --database-url {typed}\n\
         or listen on 127.0.0.1, which requires no token"
    );
    Ok(())
}

/// The first signal stops everything in good order, the second ends the process.
pub(super) async fn stop_on_signal(shutdown: CancellationToken, drain: Drain) {
    let Ok(mut signals) = Signals::new() else { return };
    signals.next().await;
    match drain {
        Drain::Checkpoint => tracing::info!("stopping: running jobs are requeued"),
        Drain::Finish => tracing::info!("stopping once the running jobs are finished"),
    }
    shutdown.cancel();
    signals.next().await;
    std::process::exit(130);
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;
    use std::time::Duration;

    use super::block_on;

    #[test]
    fn a_blocked_thread_does_not_keep_the_process_alive() {
        let (_never_sent, blocked) = channel::<()>();
        let (sender, ended) = channel();
        std::thread::spawn(move || {
            block_on(async move { drop(tokio::task::spawn_blocking(move || blocked.recv())) }).unwrap();
            sender.send(()).unwrap();
        });
        ended.recv_timeout(Duration::from_secs(60)).expect("the command ends");
    }
}
