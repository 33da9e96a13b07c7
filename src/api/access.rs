//! Access control: on a loopback address everybody on this machine, elsewhere everybody with a token.

use std::collections::HashMap;
use std::future::pending;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::{header, uri::Authority};
use axum::middleware::Next;
use axum::response::Response;
use optlab_domain::Scope;
use tokio::time::sleep;

use super::credentials::token_of;
use super::error::ApiError;
use crate::clock::Clock;
use crate::store::{Secret, Store, StoreError};

/// How long a token lookup stays cached, and the longest time until a revoked token is rejected.
const FRESH: Duration = Duration::from_secs(2);

/// The access control of one server.
pub(super) struct Access {
    store: Arc<Store>,
    clock: Arc<dyn Clock>,
    /// Whether only this machine can connect.
    is_local: bool,
    /// Valid tokens by hash, with their scope and the time of the lookup. Invalid ones are not cached, so that nobody
    /// can fill the memory with them.
    known: Mutex<HashMap<String, (Scope, i64)>>,
}

/// Whether only this machine can connect to `address`.
pub fn is_local(address: SocketAddr) -> bool {
    address.ip().to_canonical().is_loopback()
}

impl Access {
    pub(super) fn new(store: Arc<Store>, clock: Arc<dyn Clock>, is_local: bool) -> Self {
        Self { store, clock, is_local, known: Mutex::default() }
    }

    /// The scope of the token; `None` if it is unknown or revoked.
    pub(super) async fn scope_of(&self, secret: &Secret) -> Result<Option<Scope>, StoreError> {
        let (now, hash) = (self.clock.now_ms(), secret.sha256());
        let fresh = |asked_ms: i64| (0..FRESH.as_millis() as i64).contains(&(now - asked_ms));
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner).get(&hash).copied();
        if let Some((scope, _)) = known.filter(|(_, asked_ms)| fresh(*asked_ms)) {
            return Ok(Some(scope));
        }
        let scope = self.store.scope_of(secret).await?;
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        match scope {
            Some(scope) => known.insert(hash, (scope, now)),
            None => known.remove(&hash),
        };
        Ok(scope)
    }

    /// Returns once the token that opened a stream is no longer valid.
    pub(super) async fn revoked(&self, secret: Option<Secret>) {
        let Some(secret) = secret else { return pending().await };
        loop {
            sleep(FRESH).await;
            // A store that does not answer revokes nothing.
            if let Ok(None) = self.scope_of(&secret).await {
                return;
            }
        }
    }
}

/// Admits requests whose token has the scope that their route needs. Handlers find the token among the extensions.
pub(super) async fn admit(
    State((access, needed)): State<(Arc<Access>, Scope)>,
    mut request: Request,
    next: Next,
) -> Result<Response, ApiError> {
    if access.is_local {
        return Ok(next.run(request).await);
    }
    let headers = request.headers();
    let secret = token_of(headers).ok_or_else(|| match headers.contains_key(header::AUTHORIZATION) {
        true => ApiError::unknown_token(),
        false => ApiError::no_token(),
    })?;
    let scope = access.scope_of(&secret).await?.ok_or_else(ApiError::unknown_token)?;
    if needed == Scope::Write && scope == Scope::Read {
        return Err(ApiError::read_only());
    }
    request.extensions_mut().insert(secret);
    Ok(next.run(request).await)
}

/// Without tokens, rejects requests that name another host: another site can let its own name resolve to this address,
/// and a browser would then let it read the answers.
pub(super) async fn known_host(
    State(access): State<Arc<Access>>,
    request: Request,
    next: Next,
) -> Result<Response, ApiError> {
    let in_headers = request.headers().get_all(header::HOST).into_iter();
    let in_headers = in_headers.map(|host| host.to_str().unwrap_or_default());
    // A request may also name the host in an absolute request target.
    let mut hosts = in_headers.chain(request.uri().authority().map(Authority::as_str));
    match hosts.find(|host| !is_loopback(host)) {
        Some(host) if access.is_local => Err(ApiError::foreign_host(host)),
        _ => {
            drop(hosts);
            Ok(next.run(request).await)
        }
    }
}

/// The host of a `Host` header, without the port.
fn is_loopback(host: &str) -> bool {
    let Ok(authority) = host.parse::<Authority>() else { return false };
    let name = authority.host();
    let address = name.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    !host.contains('@')
        && (name.eq_ignore_ascii_case("localhost") || address.is_ok_and(|address| address.is_loopback()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::ManualClock;
    use crate::store;

    #[test]
    fn names_of_this_machine_are_recognised_with_any_port() {
        for host in ["localhost", "LOCALHOST:80", "127.0.0.1", "127.1.2.3:8080", "[::1]", "[::1]:9"] {
            assert!(is_loopback(host), "{host}");
        }
        let strangers = [
            "",
            "evil.example",
            "localhost.evil.example",
            "127.0.0.1.evil.example:80",
            "localhost@evil.example",
            "evil@localhost",
            "10.0.0.1",
            "[::2]",
            "0.0.0.0:80",
            "127.1",
        ];
        for host in strangers {
            assert!(!is_loopback(host), "{host}");
        }
    }

    #[tokio::test]
    async fn a_token_lookup_is_cached_for_two_seconds() {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(ManualClock::default());
        let url = format!("sqlite:{}/optlab.db", folder.path().display());
        let store = store::open_with_clock(&url, clock.clone()).await.unwrap();
        let access = Access::new(store.clone(), clock.clone(), false);
        let secret = Secret::draw().unwrap();
        // An earlier lookup of an unknown token is not cached.
        assert_eq!(access.scope_of(&secret).await.unwrap(), None);
        let id = store.add_token("me", Scope::Write, &secret).await.unwrap();
        assert_eq!(access.scope_of(&secret).await.unwrap(), Some(Scope::Write));
        store.revoke_token(id).await.unwrap();
        clock.advance(1_999);
        assert_eq!(access.scope_of(&secret).await.unwrap(), Some(Scope::Write));
        clock.advance(1);
        assert_eq!(access.scope_of(&secret).await.unwrap(), None);
        assert!(access.known.lock().unwrap().is_empty());
    }
}
