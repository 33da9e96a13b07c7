//! `optlab demo`: `serve`, `submit --watch` and `compare` in one command.

use std::net::SocketAddr;

use anyhow::{Context, anyhow};
use optlab_domain::Provenance;
use tokio::net::TcpListener;
use tokio::task::spawn_blocking;
use tokio_util::sync::CancellationToken;

use super::client::{Client, Surroundings};
use super::client_error::ClientError;
use super::progress::{state, watch};
use super::serve::{block_on, listen, service, stop_on_signal};
use super::{Failure, compare, output};
use crate::config::{DEFAULT_ADDRESS, ServiceSettings};
use crate::worker::probe;

const RECIPE: &str = "digits-few";

#[derive(clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    settings: ServiceSettings,
    /// Stop after the comparison instead of continuing to serve
    #[arg(long)]
    once: bool,
    #[arg(skip = Surroundings::from_env())]
    surroundings: Surroundings,
}

pub(super) fn run(args: Args) -> Result<(), Failure> {
    block_on(demo(args))?
}

async fn demo(args: Args) -> Result<(), Failure> {
    let settings = args.settings;
    let no_job = "no job can be trained here; `optlab doctor` explains what to do";
    let probed = probe(&settings.training.runner.program).await.context(no_job)?;
    if let Some(unusable) = probed.unusable_gpus.filter(|_| settings.workers != Some(0)) {
        return Err(anyhow!("{unusable}").context(no_job).into());
    }
    let listener = match settings.listen {
        Some(address) => listen(address).await?,
        None => listen_nearby(DEFAULT_ADDRESS).await?,
    };
    let address = format!("http://{}{}", listener.local_addr()?, settings.api.base_path);
    let shutdown = CancellationToken::new();
    tokio::spawn(stop_on_signal(shutdown.clone(), settings.training.drain));
    let mut service = tokio::spawn(service(settings, Vec::new(), listener, shutdown.clone()));

    let client = Client::new(&address, args.surroundings)?;
    let experiment = spawn_blocking(move || experiment(&client));
    let done = tokio::select! {
        done = experiment => done?,
        // The signal or the error that ended the service has been reported.
        ended = &mut service => return Ok(ended??),
    };
    if args.once {
        shutdown.cancel();
        service.await??;
        return Ok(done?);
    }
    if let Err(error) = done {
        output::note(format!("optlab: {error:#}"));
    }
    let printed = output::line(format!("\nDashboard: {address}\nServing on; Ctrl-C stops."));
    if printed.is_err() {
        shutdown.cancel();
    }
    service.await??;
    Ok(printed?)
}

fn experiment(client: &Client) -> anyhow::Result<()> {
    let sent = serde_json::json!({ "recipe": RECIPE });
    let submitted =
        client.submit(&sent.to_string(), &Provenance::default()).map_err(ClientError::into_anyhow)?;
    output::line(format!("Experiment {} `{}`: {}", submitted.id, submitted.name, client.page(submitted.id)))?;
    let ended = watch(client, submitted.id)?;
    output::line(state(&ended.experiment.summary))?;
    compare::print_table(client, submitted.id)?;
    anyhow::ensure!(ended.is_well(), "some jobs did not succeed or lack files; the dashboard shows why");
    Ok(())
}

/// A demo is often the second server of a machine, so it uses a free port if the default address is taken. A given
/// address is not changed.
async fn listen_nearby(wanted: SocketAddr) -> anyhow::Result<TcpListener> {
    if let Ok(listener) = TcpListener::bind(wanted).await {
        return Ok(listener);
    }
    tracing::info!("{wanted} is taken; looking for a free port");
    listen(SocketAddr::new(wanted.ip(), 0)).await
}
