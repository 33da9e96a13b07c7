//! How a bucket is reached: as everything else that this program asks of other machines.

use std::env;

/// Where S3 itself is asked, unless one of [`ENDPOINTS`] names another service.
const S3: &str = "https://s3.amazonaws.com";
/// In the order in which they count.
const ENDPOINTS: [&str; 3] = ["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT"];

/// Options of the library about proxies, which are given so that it does not look for some by itself.
pub(super) fn network() -> [(String, String); 2] {
    optlab_net::use_ring();
    let named = ENDPOINTS.into_iter().find_map(|name| env::var(name).ok().filter(|url| !url.is_empty()));
    let (proxy, direct) = match optlab_net::proxy_for(named.as_deref().unwrap_or(S3)) {
        Some(proxy) => {
            tracing::info!("the bucket is reached through {proxy}");
            (proxy.address().to_owned(), optlab_net::direct_hosts())
        }
        // No host is asked through this one.
        None => ("http://127.0.0.1:9".to_owned(), optlab_net::EVERYWHERE.to_owned()),
    };
    [("proxy_url".to_owned(), proxy), ("proxy_excludes".to_owned(), direct)]
}
