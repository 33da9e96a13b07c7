//! The address of a server, as people write it.

use std::net::{Ipv4Addr, SocketAddr, ToSocketAddrs};

use serde::{Deserialize, Deserializer, de};

/// Reads `0.0.0.0:8080` or `localhost:8080`; of `8080` and `:8080` the host is this machine, unseen from others.
///
/// # Errors
/// What would be right.
pub(super) fn parse(text: &str) -> Result<SocketAddr, String> {
    if let Ok(port) = text.strip_prefix(':').unwrap_or(text).parse::<u16>() {
        return Ok((Ipv4Addr::LOCALHOST, port).into());
    }
    let wrong = |why: &str| format!("must be like 127.0.0.1:8080, localhost:8080 or 8080; {why}");
    let found = text.to_socket_addrs().map_err(|error| wrong(&error.to_string()))?;
    // What browsers try first for `localhost`.
    found.min_by_key(SocketAddr::is_ipv6).ok_or_else(|| wrong("the host has no address"))
}

/// Reads the field of a settings file.
pub(super) fn read<'de, D: Deserializer<'de>>(field: D) -> Result<Option<SocketAddr>, D::Error> {
    parse(&String::deserialize(field)?).map(Some).map_err(de::Error::custom)
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
            assert_eq!(parse(text).map(|found| found.to_string()), Ok(address.to_owned()), "{text}");
        }
        for text in ["localhost", "", "1.2.3.4", "70000"] {
            assert!(parse(text).unwrap_err().starts_with("must be like 127.0.0.1:8080"), "{text}");
        }
    }
}
