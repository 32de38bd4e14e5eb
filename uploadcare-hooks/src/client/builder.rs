//! The options of a client, checked before anything is sent. Where a secret may travel is decided
//! here.

use std::{env, fmt::Display, time::Duration};

use reqwest::Url;

use super::{
    Auth, Client, ClientError,
    auth::Keys,
    retry::Retries,
    transport::{Transport, Warnings},
    web_url,
};

const BASE_URL: &str = "https://api.uploadcare.com";

/// Builds a [`Client`].
///
/// ```
/// use std::time::Duration;
/// use uploadcare_hooks::client::{Auth, Client};
///
/// let client = Client::builder("demopublickey", "demosecretkey")
///     .base_url("http://127.0.0.1:8500")
///     .auth(Auth::Simple)
///     .timeout(Duration::from_secs(5))
///     .build()?;
/// # Ok::<(), uploadcare_hooks::client::ClientError>(())
/// ```
#[derive(Debug)]
#[must_use = "a builder does nothing until `build` is called"]
pub struct ClientBuilder {
    keys: Result<Keys, ClientError>,
    base_url: String,
    auth: Auth,
    timeout: Duration,
    retries: Retries,
}

impl ClientBuilder {
    pub(super) fn new(public_key: String, secret_key: String) -> Self {
        Self {
            keys: Keys::new(public_key, secret_key),
            base_url: BASE_URL.to_owned(),
            auth: Auth::default(),
            timeout: Duration::from_secs(10),
            retries: Retries::default(),
        }
    }

    /// Starts a client with the keys in the environment variables `UPLOADCARE_PUBLIC_KEY` and
    /// `UPLOADCARE_SECRET_KEY`.
    ///
    /// # Errors
    /// [`ClientError::Configuration`] if one of them is unset.
    pub fn from_env() -> Result<Self, ClientError> {
        let read = |variable: &str| {
            let problem = |error| {
                ClientError::Configuration(format!(
                    "the environment variable `{variable}`: {error}; copy the key from the project's API keys page"
                ))
            };
            env::var(variable).map_err(|error| match error {
                env::VarError::NotPresent => problem("it is not set"),
                env::VarError::NotUnicode(_) => problem("its value is not Unicode text"),
            })
        };
        Ok(Self::new(read("UPLOADCARE_PUBLIC_KEY")?, read("UPLOADCARE_SECRET_KEY")?))
    }

    /// Sets where the API is. Defaults to `https://api.uploadcare.com`. The API's own paths are
    /// appended to its path. Plain http is accepted for loopback addresses only, because requests
    /// carry secrets.
    pub fn base_url(mut self, base_url: impl Into<String>) -> Self {
        self.base_url = base_url.into();
        self
    }

    /// Sets how requests are authenticated. Defaults to [`Auth::Signed`].
    pub fn auth(mut self, auth: Auth) -> Self {
        self.auth = auth;
        self
    }

    /// Sets how long one try may take. Defaults to 10 seconds.
    pub fn timeout(mut self, limit: Duration) -> Self {
        self.timeout = limit;
        self
    }

    /// Sets how often a call is tried again after a temporary failure. Defaults to 4 times.
    pub fn retries(mut self, retries: usize) -> Self {
        self.retries.times = retries;
        self
    }

    /// Sets the delay before the first retry. Defaults to 500 milliseconds. Each further delay is
    /// twice as long, with jitter, up to 10 seconds.
    pub fn retry_delay(mut self, delay: Duration) -> Self {
        self.retries.first_delay = delay;
        self
    }

    /// Sets the longest delay that the client waits if Uploadcare asks for it with `Retry-After`.
    /// Defaults to 60 seconds. If Uploadcare asks for a longer delay, the call fails at once.
    pub fn max_retry_after(mut self, limit: Duration) -> Self {
        self.retries.max_asked_delay = limit;
        self
    }

    /// Checks the options, and builds the client. Nothing is sent.
    ///
    /// # Errors
    /// [`ClientError::Configuration`] if a key or the base URL is not valid, or if the base URL is
    /// plain http and leads to another machine.
    pub fn build(self) -> Result<Client, ClientError> {
        let keys = self.keys?;
        let base_url = check_base_url(&self.base_url)?;
        let mut http = reqwest::Client::builder()
            .user_agent(concat!("uploadcare-hooks/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(self.timeout)
            .timeout(self.timeout)
            // A signature is valid for one path, and keys for one host.
            .redirect(reqwest::redirect::Policy::none());
        if web_url::is_loopback(&base_url) {
            // A proxy from the environment would look for the address on its own machine.
            http = http.no_proxy();
        }
        let http = http.build().map_err(|error| ClientError::Configuration(error.to_string()))?;
        let (auth, retries, warnings) = (self.auth, self.retries, Warnings::default());
        Ok(Client { transport: Transport { http, keys, base_url, auth, retries, warnings } })
    }
}

/// Returns the URL without a slash at its end.
fn check_base_url(base_url: &str) -> Result<Url, ClientError> {
    let refuse = |problem: &dyn Display| {
        ClientError::Configuration(format!("the base URL {:?} {problem}", web_url::shown(base_url)))
    };
    let url = web_url::parse_base(base_url).map_err(|problem| refuse(&problem))?;
    if url.scheme() == "http" && !web_url::is_loopback(&url) {
        return Err(refuse(
            &"is plain http: signing secrets, and with `Auth::Simple` the secret key, would travel readable; use https \
              (plain http is for loopback addresses such as a simulator's)",
        ));
    }
    Ok(url)
}
