//! The connection to buckets.

use std::env;
use std::fmt;

use optlab_net::Network;

/// Address of S3 itself, for the choice of the proxy unless one of [`ENDPOINTS`] names another service.
const S3: &str = "https://s3.amazonaws.com";
/// In order of precedence.
const ENDPOINTS: [&str; 3] = ["aws_endpoint_url_s3", "aws_endpoint_url", "aws_endpoint"];

/// The credentials, the region and the endpoint of buckets, from the `AWS_*` variables of the environment, and the
/// network.
#[derive(Clone, Default)]
pub struct BucketAccess {
    /// By their names in lower case, which `object_store` expects.
    variables: Vec<(String, String)>,
    network: Network,
}

/// Without the values, some of which are secret.
impl fmt::Debug for BucketAccess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.variables.iter().map(|(name, _)| name).collect();
        f.debug_struct("BucketAccess").field("variables", &names).field("network", &self.network).finish()
    }
}

impl BucketAccess {
    /// Reads the environment of the process.
    pub fn from_env() -> Self {
        let variables = env::vars_os().filter_map(|(name, value)| {
            let name = name.into_string().ok()?.to_ascii_lowercase();
            Some((name, value.into_string().ok()?)).filter(|(name, _)| name.starts_with("aws_"))
        });
        Self { variables: variables.collect(), network: Network::from_env() }
    }

    /// Options for `object_store`. The proxy is always set, so that the library does not choose one itself.
    pub(super) fn options(&self) -> impl Iterator<Item = (String, String)> {
        optlab_net::use_ring();
        let (proxy, direct) = match self.network.proxy_for(self.endpoint()) {
            Some(proxy) => {
                tracing::info!("the bucket is accessed through {proxy}");
                (proxy.address().to_owned(), self.network.direct_hosts())
            }
            // A placeholder that no host uses.
            None => ("http://127.0.0.1:9".to_owned(), optlab_net::EVERYWHERE.to_owned()),
        };
        let network = [("proxy_url".to_owned(), proxy), ("proxy_excludes".to_owned(), direct)];
        self.variables.iter().cloned().chain(network)
    }

    fn endpoint(&self) -> &str {
        let value = |name| self.variables.iter().find(|(known, value)| known == name && !value.is_empty());
        ENDPOINTS.iter().find_map(value).map_or(S3, |(_, url)| url)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::artifacts::ArtifactRoot;

    #[test]
    fn keys_are_not_shown() {
        let variables = [("aws_access_key_id", "key1"), ("aws_secret_access_key", "hunter2")];
        let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        let access = BucketAccess { variables, network: Network::default() };
        let root = ArtifactRoot::open("s3://bucket/folder", &access).unwrap();
        for shown in [format!("{access:?}"), format!("{root:?}")] {
            assert!(!shown.contains("hunter2"), "{shown}");
        }
    }
}
