//! Network options of buckets, which follow the policy of `optlab_net`.

use std::env;

/// Address of S3 itself, for the choice of the proxy unless one of [`ENDPOINTS`] names another service.
const S3: &str = "https://s3.amazonaws.com";
/// In order of precedence.
const ENDPOINTS: [&str; 3] = ["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT"];

/// Proxy options for `object_store`. They are always set, so that the library does not choose a proxy itself.
pub(super) fn network() -> [(String, String); 2] {
    optlab_net::use_ring();
    let named = ENDPOINTS.into_iter().find_map(|name| env::var(name).ok().filter(|url| !url.is_empty()));
    let (proxy, direct) = match optlab_net::proxy_for(named.as_deref().unwrap_or(S3)) {
        Some(proxy) => {
            tracing::info!("the bucket is reached through {proxy}");
            (proxy.address().to_owned(), optlab_net::direct_hosts())
        }
        // A placeholder that no host uses.
        None => ("http://127.0.0.1:9".to_owned(), optlab_net::EVERYWHERE.to_owned()),
    };
    [("proxy_url".to_owned(), proxy), ("proxy_excludes".to_owned(), direct)]
}
