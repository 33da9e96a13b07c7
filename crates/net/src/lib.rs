//! Network policy for outbound connections, shared by all libraries that make them: the proxy, the trusted certificates
//! and the cryptography provider.
//!
//! The system's certificates are trusted, or those that `SSL_CERT_FILE` and `SSL_CERT_DIR` name instead.

mod proxy;

pub use proxy::{EVERYWHERE, Network, Proxy};

use std::fmt::Display;

use ureq::config::ConfigBuilder;
use ureq::tls::{RootCerts, TlsConfig};
use ureq::typestate::AgentScope;

/// The reason why no request can be sent to an address.
#[derive(Debug, thiserror::Error)]
pub enum NetError {
    /// An environment variable is not a valid proxy URL.
    #[error("{variable} is not a valid proxy; it must be like http://host:port")]
    NoProxy {
        /// The environment variable.
        variable: &'static str,
    },
}

impl Network {
    /// Configures an HTTP agent for requests to the host of `url`.
    ///
    /// # Errors
    /// [`NetError::NoProxy`] if the proxy for `url` cannot be used.
    pub fn agent(&self, url: &str) -> Result<ConfigBuilder<AgentScope>, NetError> {
        use_ring();
        let proxy = match self.proxy_for(url) {
            Some(proxy) => {
                let variable = proxy.variable();
                Some(ureq::Proxy::new(proxy.address()).map_err(|_| NetError::NoProxy { variable })?)
            }
            None => None,
        };
        let tls = TlsConfig::builder().root_certs(RootCerts::PlatformVerifier).build();
        Ok(ureq::Agent::config_builder().tls_config(tls).proxy(proxy))
    }

    /// Explains a connection error to `url` with the proxy that was used and, for certificate errors, the trusted
    /// certificates. The text is appended to the error message.
    pub fn hint(&self, url: &str, error: &dyn Display) -> String {
        let mut hint = String::new();
        if let Some(proxy) = self.proxy_for(url) {
            hint.push_str(&format!(" (through {proxy}; NO_PROXY lists the hosts that are reached directly)"));
        }
        if error.to_string().to_ascii_lowercase().contains("certificate") {
            hint.push_str(
                "; the trusted certificates are those of this system, or those in SSL_CERT_FILE if it is set",
            );
        }
        hint.push_str(certificate_cure(error));
        hint
    }
}

/// Advice about a server's certificate that is rejected although it is trusted; empty for other errors.
pub fn certificate_cure(error: &dyn Display) -> &'static str {
    match error.to_string().contains("CaUsedAsEndEntity") {
        true => {
            "; the server presents the certificate of an authority (CA:TRUE), which may only sign others. Create its own \
             certificate with openssl req -x509 -addext basicConstraints=critical,CA:FALSE -addext \
             subjectAltName=DNS:HOST"
        }
        false => "",
    }
}

/// Installs ring as the process's cryptography provider, for libraries that leave the choice to the program.
pub fn use_ring() {
    // Fails if a provider is installed already, which can only be ring.
    let _ = rustls::crypto::ring::default_provider().install_default();
}
