//! The clients that send deliveries.

use std::net::IpAddr;

use reqwest::{Client, Url, redirect::Policy};

/// Sends deliveries, through the proxy of the environment if there is one. A receiver on this
/// machine gets them directly: a proxy would look for its address on the proxy's own machine.
pub(crate) struct Http {
    direct: Client,
    by_environment: Client,
}

impl Http {
    pub(crate) fn new() -> reqwest::Result<Self> {
        // A redirect is an answer like others, and acknowledges nothing.
        let builder = || Client::builder().redirect(Policy::none());
        Ok(Self { direct: builder().no_proxy().build()?, by_environment: builder().build()? })
    }

    /// The client for this target URL.
    pub(crate) fn to(&self, target_url: &str) -> &Client {
        if is_loopback(target_url) { &self.direct } else { &self.by_environment }
    }
}

fn is_loopback(url: &str) -> bool {
    let Ok(url) = Url::parse(url) else { return false };
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.to_canonical().is_loopback())
}

#[cfg(test)]
mod tests {
    use super::is_loopback;

    #[test]
    fn addresses_of_this_machine_are_told_from_others() {
        for url in ["http://127.0.0.1:8080/hooks", "http://127.9.9.9", "http://LOCALHOST:1/", "http://[::1]:8080/"] {
            assert!(is_loopback(url), "{url}");
        }
        for url in ["http://127.0.0.1.nip.io/", "http://localhost.example/", "http://192.0.2.7/", "nonsense"] {
            assert!(!is_loopback(url), "{url}");
        }
    }
}
