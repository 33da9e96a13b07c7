//! The address of a server, as people write it.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, ToSocketAddrs};

/// The reason why a text is not an address to listen on.
#[derive(Debug, thiserror::Error)]
pub(super) enum ListenError {
    #[error("must be like 127.0.0.1:8080, localhost:8080 or 8080; {0}")]
    Unresolved(#[from] io::Error),
    #[error("must be like 127.0.0.1:8080, localhost:8080 or 8080; the host has no address")]
    NoAddress,
}

/// Reads `0.0.0.0:8080` or `localhost:8080`. `8080` and `:8080` are ports of 127.0.0.1, which other machines cannot
/// reach.
pub(super) fn parse(text: &str) -> Result<SocketAddr, ListenError> {
    if let Ok(port) = text.strip_prefix(':').unwrap_or(text).parse::<u16>() {
        return Ok((Ipv4Addr::LOCALHOST, port).into());
    }
    // Browsers try IPv4 first for `localhost`.
    text.to_socket_addrs()?.min_by_key(SocketAddr::is_ipv6).ok_or(ListenError::NoAddress)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_and_a_name_are_addresses_too() {
        for (text, address) in [
            ("8191", "127.0.0.1:8191"),
            (":8191", "127.0.0.1:8191"),
            ("localhost:8191", "127.0.0.1:8191"),
            ("0.0.0.0:8191", "0.0.0.0:8191"),
            ("[::1]:8191", "[::1]:8191"),
        ] {
            assert_eq!(parse(text).unwrap().to_string(), address, "{text}");
        }
        for text in ["localhost", "", "1.2.3.4", "70000"] {
            let error = parse(text).unwrap_err().to_string();
            assert!(error.starts_with("must be like 127.0.0.1:8080"), "{text}: {error}");
        }
    }
}
