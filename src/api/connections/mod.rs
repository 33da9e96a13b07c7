//! HTTP/1.1 connections with limits on their number and on the time without progress.
//!
//! When all places are taken, a new connection replaces the one that has been idle longest. When no connection is idle,
//! a new one gets a spare place, which answers health checks and refuses everything else. Health checks therefore work
//! under any load.

mod places;

use std::convert::Infallible;
use std::io::ErrorKind;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::response::Response;
use http_body_util::BodyExt;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::sleep;
use tokio_io_timeout::TimeoutStream;
use tokio_util::sync::CancellationToken;

use super::base_path;
use crate::config::BasePath;
use places::{Place, Places};

/// Maximum size of a request head, and of the response buffer for a slow client, in bytes.
const BUFFER: usize = 64 * 1024;
/// Pause after `accept` has failed.
const PAUSE: Duration = Duration::from_millis(200);

/// Limits for clients.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// Maximum number of concurrent connections.
    pub(super) connections: usize,
    /// Additional connections for health checks and refusals.
    pub(super) spare: usize,
    /// Time limit for the head of the next request, also on a kept-alive connection.
    pub(super) next_request: Duration,
    /// Time limit for a client that reads nothing of a response.
    pub(super) stalled_client: Duration,
}

/// Marks the requests of spare connections.
#[derive(Clone, Copy)]
pub(super) struct Spare;

/// Serves connections of `listener` until `shutdown`, then finishes the requests in progress.
pub(super) async fn serve(
    listener: TcpListener,
    router: Router,
    base_path: BasePath,
    limits: Limits,
    shutdown: CancellationToken,
) {
    let (places, spare) = (Places::new(limits.connections), Places::new(limits.spare));
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(limits.next_request).max_buf_size(BUFFER);
    let mut http_once = http.clone();
    http_once.keep_alive(false);
    let graceful = GracefulShutdown::new();
    let next = async || {
        let stream = accept(&listener, &places).await;
        match places.take().await {
            Some(place) => (stream, place, false),
            None => (stream, spare.wait().await, true),
        }
    };
    let mut was_spare = false;
    while let Some((stream, place, is_spare)) = shutdown.run_until_cancelled(next()).await {
        if is_spare && !was_spare {
            tracing::warn!(limits.connections, "all connections are busy; further ones are refused");
        }
        was_spare = is_spare;
        let (router, base_path, server) = (router.clone(), base_path.clone(), place.clone());
        let service = service_fn(move |mut request: Request<Incoming>| {
            if is_spare {
                request.extensions_mut().insert(Spare);
            }
            answer(router.clone(), base_path.clone(), server.clone(), request)
        });
        let mut stream = TimeoutStream::new(stream);
        stream.set_write_timeout(Some(limits.stalled_client));
        let http = if is_spare { &http_once } else { &http };
        let served = graceful.watch(http.serve_connection(TokioIo::new(Box::pin(stream)), service));
        // Dropping the place after the connection frees it.
        tokio::spawn(async move { drop(place.evicted.run_until_cancelled(served).await) });
    }
    drop(listener);
    graceful.shutdown().await;
}

/// Answers one request. The connection counts as idle again once the whole body has been sent.
async fn answer(
    router: Router,
    base_path: BasePath,
    place: Arc<Place>,
    request: Request<Incoming>,
) -> Result<Response<impl hyper::body::Body<Data = bytes::Bytes, Error = axum::Error>>, Infallible> {
    let busy = place.begin();
    let response = base_path::answer(base_path, router, request.map(Body::new)).await;
    Ok(response.map(|body| {
        body.map_err(move |error| {
            let _until_the_body_ends = &busy;
            error
        })
    }))
}

/// The next connection.
async fn accept(listener: &TcpListener, places: &Places) -> TcpStream {
    loop {
        match listener.accept().await {
            Ok((stream, client)) => {
                tracing::trace!(%client, "accepted a connection");
                return stream;
            }
            Err(error) if is_of_the_client(error.kind()) => {}
            Err(error) => {
                tracing::error!(%error, "cannot accept a connection");
                // If the process is out of file descriptors, this frees one.
                places.evict();
                sleep(PAUSE).await;
            }
        }
    }
}

fn is_of_the_client(error: ErrorKind) -> bool {
    matches!(error, ErrorKind::ConnectionAborted | ErrorKind::ConnectionRefused | ErrorKind::ConnectionReset)
}

#[cfg(test)]
mod tests;
