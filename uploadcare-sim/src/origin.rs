//! Keeps the web pages of other sites away: checks a request's `Host` and `Origin`.
//!
//! `/_sim` needs no key, and the default keys of the REST API are documented, so a page that is
//! open in the developer's browser could call it: directly (its `Origin` gives it away), or under a
//! name of its own that it makes resolve to a loopback address (its `Host` gives it away). A page
//! cannot set either header; programs such as curl can.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use actix_web::{
    HttpRequest,
    http::header::{HOST, HeaderName, ORIGIN},
};

const HTTP_PORT: u16 = 80;

/// The address that the simulator listens on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct OwnAddress(SocketAddr);

impl OwnAddress {
    /// Takes the address with the port that the listener got, not the port 0 that was asked for.
    pub(crate) fn new(address: SocketAddr) -> Self {
        Self(SocketAddr::new(address.ip().to_canonical(), address.port()))
    }

    /// Accepts a request whose `Host` is this address, and whose `Origin`, if it has one, as well.
    /// Otherwise returns a text that says what to do.
    pub(crate) fn check(self, request: &HttpRequest) -> Result<(), String> {
        let values =
            |name: HeaderName| request.headers().get_all(name).map(|value| value.to_str().unwrap_or("(no text)"));
        let mut hosts: Vec<&str> = values(HOST).collect();
        // A request line with a whole URL names a host, too.
        hosts.extend(request.uri().authority().map(|authority| authority.as_str()));
        let origins: Vec<&str> = values(ORIGIN).collect();
        self.check_names(&hosts, &origins)
    }

    fn check_names(self, hosts: &[&str], origins: &[&str]) -> Result<(), String> {
        if hosts.is_empty() {
            return Err(self.refusal("it has no `Host`"));
        }
        if let Some(host) = hosts.iter().find(|host| !self.accepts_host(host)) {
            return Err(self.refusal(&format!("its `Host` is `{host}`")));
        }
        match origins.iter().find(|origin| !self.accepts_origin(origin, hosts)) {
            Some(origin) => Err(self.refusal(&format!("its `Origin` is `{origin}`"))),
            None => Ok(()),
        }
    }

    fn accepts_host(self, host: &str) -> bool {
        // At 0.0.0.0 the simulator has every IP address of the machine. A page cannot make an IP
        // address lead elsewhere, as it can with a name.
        let accepts = |named| self.is(named) || (self.0.ip().is_unspecified() && named.port() == self.0.port());
        parse(host).is_some_and(accepts)
    }

    fn accepts_origin(self, origin: &str, hosts: &[&str]) -> bool {
        // `null`, the origin of a sandboxed page or a local file, has no scheme and is refused.
        let Some(("http", authority)) = origin.split_once("://") else { return false };
        let same_as_host = |named| hosts.iter().all(|host| parse(host) == Some(named));
        parse(authority).is_some_and(|named| self.is(named) || same_as_host(named))
    }

    fn is(self, named: SocketAddr) -> bool {
        named.port() == self.0.port() && (named.ip().is_loopback() || named.ip() == self.0.ip())
    }

    fn refusal(self, reason: &str) -> String {
        let own = self.0;
        let port = own.port();
        format!(
            "this request may come from a web page of another site, since {reason}; send it to http://{own} or \
             http://localhost:{port}, or set its header `Host: localhost:{port}` and leave out `Origin`"
        )
    }
}

/// Reads `host` or `host:port`, where the host is an IP address or `localhost`.
fn parse(authority: &str) -> Option<SocketAddr> {
    let (ip, port) = if let Some(rest) = authority.strip_prefix('[') {
        let (ip, port) = rest.split_once(']')?;
        (IpAddr::V6(ip.parse::<Ipv6Addr>().ok()?), port)
    } else {
        let (host, port) = authority.split_at(authority.find(':').unwrap_or(authority.len()));
        let ip = if host.eq_ignore_ascii_case("localhost") { Ipv4Addr::LOCALHOST } else { host.parse().ok()? };
        (IpAddr::V4(ip), port)
    };
    let port = if port.is_empty() { HTTP_PORT } else { port.strip_prefix(':')?.parse().ok()? };
    Some(SocketAddr::new(ip.to_canonical(), port))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(address: &str) -> OwnAddress {
        OwnAddress::new(address.parse().unwrap())
    }

    #[test]
    fn the_own_address_localhost_and_loopback_addresses_are_accepted_with_the_own_port() {
        for address in ["127.0.0.1:8500", "[::1]:8500", "0.0.0.0:8500", "[::]:8500", "192.0.2.7:8500"] {
            let own = at(address);
            for host in [address, "localhost:8500", "LocalHost:8500", "127.0.0.9:8500", "[::1]:8500"] {
                assert_eq!(own.check_names(&[host], &[]), Ok(()), "{address} {host}");
                assert_eq!(own.check_names(&[host], &[&format!("http://{host}")]), Ok(()), "{address} {host}");
                assert_eq!(own.check_names(&[host], &["http://localhost:8500"]), Ok(()), "{address} {host}");
            }
            for host in [
                "localhost",
                "localhost:8501",
                "localhost:",
                "localhost.evil.example:8500",
                "evil.example:8500",
                "me@localhost:8500",
                "127.0.0.1.nip.io:8500",
                "::1:8500",
                "[::1:8500",
                "[::1]8500",
                "",
                ":8500",
            ] {
                assert!(own.check_names(&[host], &[]).is_err(), "{address} {host}");
                assert!(own.check_names(&["localhost:8500", host], &[]).is_err(), "{address} {host}");
            }
            assert!(own.check_names(&[], &[]).is_err());
        }
        assert_eq!(at("127.0.0.1:80").check_names(&["localhost"], &["http://localhost"]), Ok(()));
    }

    #[test]
    fn origins_of_other_sites_are_refused() {
        for address in ["127.0.0.1:8500", "[::1]:8500", "0.0.0.0:8500"] {
            for origin in [
                "null",
                "",
                "http://evil.example",
                "http://evil.example:8500",
                "https://localhost:8500",
                "http://localhost:3000",
                "http://localhost",
                "http://192.0.2.7:8500",
                "file://",
            ] {
                assert!(at(address).check_names(&["localhost:8500"], &[origin]).is_err(), "{address} {origin}");
            }
        }
    }

    #[test]
    fn any_ip_address_is_accepted_when_the_simulator_listens_on_all_but_only_with_itself_as_the_origin() {
        let host = "192.0.2.7:8500";
        for address in ["0.0.0.0:8500", "[::]:8500"] {
            assert_eq!(at(address).check_names(&[host], &["http://192.0.2.7:8500"]), Ok(()));
            assert!(at(address).check_names(&[host], &["http://192.0.2.8:8500"]).is_err());
            assert!(at(address).check_names(&["192.0.2.7:8501"], &[]).is_err());
        }
        assert!(at("127.0.0.1:8500").check_names(&[host], &[]).is_err());
    }
}
