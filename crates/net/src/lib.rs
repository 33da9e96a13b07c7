//! How optlab reaches other machines, the same for every library that does: which proxy is on the way, whose
//! certificates are trusted, and which code encrypts.
//!
//! Trusted is what the system trusts, or what `SSL_CERT_FILE` and `SSL_CERT_DIR` name in its place.

mod proxy;

pub use proxy::{EVERYWHERE, Proxy, direct_hosts, proxy_for};

use std::fmt::Display;

use ureq::config::ConfigBuilder;
use ureq::tls::{RootCerts, TlsConfig};
use ureq::typestate::AgentScope;

/// Why nothing can be asked of an address.
#[derive(Debug, thiserror::Error)]
pub enum NetError {
    /// The proxy that the environment names cannot be used.
    #[error("{variable} names no proxy that can be used: it must be like http://host:port")]
    NoProxy {
        /// The variable.
        variable: &'static str,
    },
}

/// What an agent needs for requests to `url` and its neighbours.
///
/// # Errors
/// Where the proxy for it is wrong.
pub fn agent(url: &str) -> Result<ConfigBuilder<AgentScope>, NetError> {
    use_ring();
    let proxy = match proxy_for(url) {
        Some(proxy) => {
            let variable = proxy.variable();
            Some(ureq::Proxy::new(proxy.address()).map_err(|_| NetError::NoProxy { variable })?)
        }
        None => None,
    };
    let tls = TlsConfig::builder().root_certs(RootCerts::PlatformVerifier).build();
    Ok(ureq::Agent::config_builder().tls_config(tls).proxy(proxy))
}

/// What to know of an error on the way to `url`, as the end of its sentence: the proxy there, and whom to trust.
pub fn hint(url: &str, error: &dyn Display) -> String {
    let mut hint = String::new();
    if let Some(proxy) = proxy_for(url) {
        hint.push_str(&format!(" (through {proxy}; NO_PROXY names the hosts that are reached without)"));
    }
    if error.to_string().to_ascii_lowercase().contains("certificate") {
        hint.push_str(
            "; trusted is what this system trusts, or the certificates in the file that SSL_CERT_FILE names",
        );
    }
    hint
}

/// Makes ring the process's provider of cryptography, for libraries that leave the choice to the program.
pub fn use_ring() {
    // It fails where there is one already, which is this one.
    let _ = rustls::crypto::ring::default_provider().install_default();
}
