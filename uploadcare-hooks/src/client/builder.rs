//! The options of a client, checked before anything is sent.

use std::{env, net::IpAddr, time::Duration};

use reqwest::Url;

use super::{
    Auth, Client, ClientError,
    auth::Keys,
    transport::{Retries, Transport},
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

    /// Starts a client with the keys in the environment variables `UPLOADCARE_PUBLIC_KEY` and `UPLOADCARE_SECRET_KEY`.
    ///
    /// # Errors
    /// [`ClientError::Configuration`] if one of them is unset.
    pub fn from_env() -> Result<Self, ClientError> {
        let read = |variable: &str| {
            let problem = |error| ClientError::Configuration(format!("the environment variable `{variable}`: {error}"));
            env::var(variable).map_err(|error| match error {
                env::VarError::NotPresent => problem("it is not set"),
                env::VarError::NotUnicode(_) => problem("its value is not Unicode text"),
            })
        };
        Ok(Self::new(read("UPLOADCARE_PUBLIC_KEY")?, read("UPLOADCARE_SECRET_KEY")?))
    }

    /// Where the API is; `https://api.uploadcare.com` unless set. A path or a slash at its end stands before the API's own paths.
    pub fn base_url(mut self, base_url: impl Into<String>) -> Self {
        self.base_url = base_url.into();
        self
    }

    /// How requests prove whose they are; [`Auth::Signed`] unless set.
    pub fn auth(mut self, auth: Auth) -> Self {
        self.auth = auth;
        self
    }

    /// How long one try may take; 10 seconds unless set.
    pub fn timeout(mut self, limit: Duration) -> Self {
        self.timeout = limit;
        self
    }

    /// How often a call is tried again after a failure that may pass; 4 times unless set.
    pub fn retries(mut self, retries: usize) -> Self {
        self.retries.times = retries;
        self
    }

    /// The delay before the first retry; each further one is twice as long, with jitter, up to 10 seconds. 500 milliseconds unless set.
    pub fn retry_delay(mut self, delay: Duration) -> Self {
        self.retries.first_delay = delay;
        self
    }

    /// The longest delay that Uploadcare may ask for with `Retry-After` and be heeded; after a longer one the call fails at once. 60 seconds
    /// unless set.
    pub fn max_retry_after(mut self, limit: Duration) -> Self {
        self.retries.max_asked_delay = limit;
        self
    }

    /// Checks the options, and builds the client. Nothing is sent.
    ///
    /// # Errors
    /// [`ClientError::Configuration`] if a key or the base URL cannot be one, or [`Auth::Simple`] would send the secret key over plain
    /// HTTP.
    pub fn build(self) -> Result<Client, ClientError> {
        let keys = self.keys?;
        let base_url = check_base_url(&self.base_url, self.auth)?;
        let http = reqwest::Client::builder()
            .user_agent(concat!("uploadcare-hooks/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(self.timeout)
            .timeout(self.timeout)
            // A signature is for one path, and keys are for one host.
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(|error| ClientError::Configuration(error.to_string()))?;
        Ok(Client { transport: Transport { http, keys, base_url, auth: self.auth, retries: self.retries } })
    }
}

/// Returns the URL without a slash at its end.
fn check_base_url(base_url: &str, auth: Auth) -> Result<Url, ClientError> {
    let refuse = |problem: String| ClientError::Configuration(format!("the base URL {base_url:?} {problem}"));
    let mut url = Url::parse(base_url).map_err(|error| refuse(format!("is not an absolute URL: {error}")))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(refuse("is neither http nor https".to_owned()));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(refuse("has a query or a fragment: leave it out".to_owned()));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(ClientError::Configuration("the base URL has a user name or a password: leave it out".to_owned()));
    }
    if auth == Auth::Simple && url.scheme() == "http" && !is_loopback(&url) {
        return Err(refuse(
            "is plain http, and simple authentication would send the secret key readable: use https, or `Auth::Signed`"
                .to_owned(),
        ));
    }
    let path = url.path().trim_end_matches('/').to_owned();
    url.set_path(&path);
    Ok(url)
}

/// Whether a URL leads to this machine itself.
pub(crate) fn is_loopback(url: &Url) -> bool {
    let Some(host) = url.host_str() else { return false };
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}
