//! Chooses the proxy for an address from the environment variables that curl and most other programs read.

use std::env;
use std::fmt;
use std::net::IpAddr;

use hyper_util::client::proxy::matcher::Matcher;
use ureq::http::Uri;

/// Every host, in the syntax of `NO_PROXY`. `*` alone matches every name but no IP address.
pub const EVERYWHERE: &str = "*,0.0.0.0/0,::/0";
/// Hosts of this machine, in the syntax of `NO_PROXY`.
const LOOPBACK: &str = "localhost,127.0.0.0/8,::1";
/// Link-local addresses, where clouds serve a machine its credentials. Through a proxy, the request would return the
/// credentials of the proxy's machine.
const LINK_LOCAL: &str = "169.254.0.0/16";

/// A proxy from an environment variable.
#[derive(Clone, PartialEq, Eq)]
pub struct Proxy {
    variable: &'static str,
    address: String,
}

impl Proxy {
    /// Its URL, including user and password.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// The variable that sets it.
    pub fn variable(&self) -> &'static str {
        self.variable
    }
}

/// Without user and password.
impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (scheme, rest) = self.address.split_once("://").unwrap_or(("http", &self.address));
        let place = rest.rsplit_once('@').map_or(rest, |(_, place)| place).trim_end_matches('/');
        write!(f, "the proxy {scheme}://{place} in {}", self.variable)
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

const HTTPS: [&str; 2] = ["HTTPS_PROXY", "https_proxy"];
const HTTP: [&str; 2] = ["HTTP_PROXY", "http_proxy"];
const ALL: [&str; 2] = ["ALL_PROXY", "all_proxy"];
const NONE: [&str; 2] = ["NO_PROXY", "no_proxy"];

/// The proxies that the environment names. The default has none.
#[derive(Clone, Default)]
pub struct Network {
    /// The variables that are set and not empty.
    variables: Vec<(&'static str, String)>,
}

/// Without the values, which may contain passwords.
impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.variables.iter().map(|(name, _)| name);
        f.write_str("Network ")?;
        f.debug_list().entries(names).finish()
    }
}

impl Network {
    /// Reads the environment of the process.
    pub fn from_env() -> Self {
        Self::from_variables(|name| env::var(name).ok())
    }

    fn from_variables(value: impl Fn(&str) -> Option<String>) -> Self {
        let names = [HTTPS, HTTP, ALL, NONE].into_iter().flatten();
        let set = names.filter_map(|name| Some((name, value(name)?)));
        // An empty variable counts as unset.
        Self { variables: set.filter(|(_, value)| !value.trim().is_empty()).collect() }
    }

    /// The proxy for `url`, from `HTTPS_PROXY` or `HTTP_PROXY` depending on its scheme, else from `ALL_PROXY`. `None` for
    /// hosts in `NO_PROXY` and for this machine.
    pub fn proxy_for(&self, url: &str) -> Option<Proxy> {
        let uri: Uri = url.parse().ok()?;
        let of_scheme = if uri.scheme_str()? == "https" { HTTPS } else { HTTP };
        let (variable, address) = self.first(of_scheme).or_else(|| self.first(ALL))?;
        if is_this_machine(uri.host()?) {
            return None;
        }
        // The matcher only decides whether this host is proxied; the address of its proxy is a placeholder.
        let matcher = Matcher::builder().all("http://proxy").no(self.direct_hosts()).build();
        let address = if address.contains("://") { address.to_owned() } else { format!("http://{address}") };
        matcher.intercept(&uri).is_some().then_some(Proxy { variable, address })
    }

    /// The hosts that are reached without a proxy, in the syntax of `NO_PROXY`: those that it lists, and this machine.
    pub fn direct_hosts(&self) -> String {
        let named = self.first(NONE).map_or("", |(_, hosts)| hosts);
        let named: Vec<&str> = named
            .split(',')
            .map(|host| match host.trim() {
                "*" => EVERYWHERE,
                // Some programs write `*.example.com` where others write `.example.com`.
                host if host.starts_with("*.") => &host[1..],
                host => host,
            })
            .collect();
        format!("{},{LOOPBACK},{LINK_LOCAL}", named.join(","))
    }

    /// The first of these variables that is set.
    fn first(&self, names: [&str; 2]) -> Option<(&'static str, &str)> {
        let value = |name| self.variables.iter().find(|(known, _)| *known == name);
        names.into_iter().find_map(value).map(|(name, value)| (*name, value.as_str()))
    }
}

/// Whether the host is this machine, also by names and notations that `NO_PROXY` cannot express.
fn is_this_machine(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']').trim_end_matches('.').to_ascii_lowercase();
    let address = host.parse::<IpAddr>().map(|address| address.to_canonical());
    address.is_ok_and(|address| address.is_loopback() || address.is_unspecified())
        || host == "localhost"
        || host.ends_with(".localhost")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(environment: &[(&str, &str)]) -> Network {
        Network::from_variables(|name| {
            environment.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        })
    }

    /// The proxy for a URL in this environment.
    fn chosen(url: &str, environment: &[(&str, &str)]) -> Option<String> {
        network(environment).proxy_for(url).map(|proxy| proxy.to_string())
    }

    #[test]
    fn the_scheme_selects_the_variable() {
        let both =
            [("HTTP_PROXY", "http://plain:1"), ("https_proxy", "secure:2"), ("ALL_PROXY", "socks5://any:3")];
        let plain = Some("the proxy http://plain:1 in HTTP_PROXY".to_owned());
        assert_eq!(chosen("http://far.example/x", &both), plain);
        assert_eq!(chosen("https://far.example", &both).unwrap(), "the proxy http://secure:2 in https_proxy");
        assert_eq!(
            chosen("http://far.example", &both[1..]).unwrap(),
            "the proxy socks5://any:3 in ALL_PROXY"
        );
        assert_eq!(chosen("http://far.example", &both[1..2]), None, "the variable is for https");
        assert_eq!(chosen("http://far.example", &[("HTTP_PROXY", "")]), None);
    }

    #[test]
    fn this_machine_has_no_proxy() {
        let all = [("ALL_PROXY", "http://proxy:1")];
        for host in [
            "localhost",
            "LOCALHOST:8080",
            "localhost.",
            "a.localhost",
            "127.0.0.1:8080",
            "127.9.9.9",
            "[::1]:80",
            "[::ffff:127.0.0.1]",
            "0.0.0.0:8080",
            "[::]",
            "169.254.169.254",
        ] {
            for scheme in ["http", "https"] {
                assert_eq!(chosen(&format!("{scheme}://{host}/x"), &all), None, "{host}");
            }
        }
        for host in ["localhost.example", "127.example", "128.0.0.1", "[2001:db8::1]"] {
            assert!(chosen(&format!("http://{host}"), &all).is_some(), "{host}");
        }
    }

    #[test]
    fn no_proxy_accepts_names_addresses_and_networks() {
        let without =
            "10.0.0.0/8, 2001:db8::/32,192.168.7.7,inside.example, .dotted.example,*.starred.example";
        let environment = [("HTTP_PROXY", "http://proxy:1"), ("NO_PROXY", without)];
        for (host, is_proxied) in [
            ("10.200.3.4", false),
            ("11.0.0.1", true),
            ("[2001:db8:5::1]", false),
            ("192.168.7.7:8080", false),
            ("192.168.7.8", true),
            ("inside.example", false),
            ("db.inside.example", false),
            ("outside.example", true),
            ("a.dotted.example", false),
            ("a.starred.example", false),
        ] {
            assert_eq!(chosen(&format!("http://{host}/"), &environment).is_some(), is_proxied, "{host}");
        }
        for host in ["any.example", "192.0.2.1", "[2001:db8::1]"] {
            let environment = [("HTTP_PROXY", "http://proxy:1"), ("no_proxy", "*")];
            assert_eq!(chosen(&format!("http://{host}"), &environment), None, "{host}");
        }
    }

    #[test]
    fn the_password_is_not_displayed() {
        let environment = [("HTTP_PROXY", "http://me:hunter2@proxy:1/")];
        assert_eq!(
            chosen("http://a.example", &environment).unwrap(),
            "the proxy http://proxy:1 in HTTP_PROXY"
        );
        assert_eq!(format!("{:?}", network(&environment)), "Network [\"HTTP_PROXY\"]");
    }
}
