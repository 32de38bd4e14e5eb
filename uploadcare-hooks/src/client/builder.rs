//! The options of a client, checked before anything is sent. Where a secret may travel is decided
//! here.

use std::{env, time::Duration};

use reqwest::Url;

use super::{
    Auth, Client, ClientError,
    auth::Keys,
    retry::Retries,
    transport::{Transport, Warnings},
    web_url,
};
use crate::service::API_BASE;

/// The environment variable of the base URL. Uploadcare's official Python client reads it as well.
const BASE_URL_VARIABLE: &str = "UPLOADCARE_API_BASE";

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
    base_url: Result<Url, ClientError>,
    /// The environment variable that has the base URL, if one has.
    base_url_variable: Option<&'static str>,
    auth: Auth,
    timeout: Duration,
    retries: Retries,
}

impl ClientBuilder {
    pub(super) fn new(public_key: String, secret_key: String) -> Self {
        Self {
            keys: Keys::new(public_key, secret_key),
            base_url: check_base_url("the base URL", API_BASE),
            base_url_variable: None,
            auth: Auth::default(),
            timeout: Duration::from_secs(10),
            retries: Retries::default(),
        }
    }

    /// Starts a client with the keys in the environment variables `UPLOADCARE_PUBLIC_KEY` and
    /// `UPLOADCARE_SECRET_KEY`, and the base URL in `UPLOADCARE_API_BASE` if that is set.
    ///
    /// With `UPLOADCARE_API_BASE` an application reaches a simulator without a change in its code.
    /// [`base_url`](Self::base_url) replaces its value. [`build`](Self::build) checks the values.
    ///
    /// # Errors
    /// [`ClientError::Configuration`] if one of the keys is unset, or one of the three is not
    /// Unicode text.
    pub fn from_env() -> Result<Self, ClientError> {
        let key = |variable: &str| {
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
        let mut builder = Self::new(key("UPLOADCARE_PUBLIC_KEY")?, key("UPLOADCARE_SECRET_KEY")?);
        match env::var(BASE_URL_VARIABLE) {
            Ok(base_url) => {
                builder.base_url = base_url_of_the_environment(&base_url);
                builder.base_url_variable = Some(BASE_URL_VARIABLE);
            }
            Err(env::VarError::NotPresent) => {}
            Err(env::VarError::NotUnicode(_)) => {
                return Err(ClientError::Configuration(format!(
                    "the environment variable `{BASE_URL_VARIABLE}`: its value is not Unicode text"
                )));
            }
        }
        Ok(builder)
    }

    /// Sets where the API is. Defaults to `https://api.uploadcare.com`. The API's own paths are
    /// appended to its path. Plain http is accepted for loopback addresses only, because requests
    /// carry secrets.
    pub fn base_url(mut self, base_url: impl Into<String>) -> Self {
        self.base_url = check_base_url("the base URL", &base_url.into());
        self.base_url_variable = None;
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

    /// Checks the options, and builds the client. Nothing is sent. Logs the base URL with `tracing`
    /// (`info`) if it is not the default.
    ///
    /// # Errors
    /// [`ClientError::Configuration`] if a key or the base URL is not valid, or if the base URL is
    /// plain http and leads to another machine. The error of a base URL from the environment names
    /// its variable.
    pub fn build(self) -> Result<Client, ClientError> {
        let Self { keys, base_url, base_url_variable, auth, timeout, retries } = self;
        let (keys, base_url) = (keys?, base_url?);
        if base_url.as_str().trim_end_matches('/') != API_BASE {
            tracing::info!("the REST client calls {base_url} instead of {API_BASE}");
        }
        let mut http = reqwest::Client::builder()
            .user_agent(concat!("uploadcare-hooks/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(timeout)
            .timeout(timeout)
            // A signature is valid for one path, and keys for one host.
            .redirect(reqwest::redirect::Policy::none());
        if web_url::is_loopback(&base_url) {
            // A proxy from the environment would look for the address on its own machine.
            http = http.no_proxy();
        }
        let http = http.build().map_err(|error| ClientError::Configuration(error.to_string()))?;
        let warnings = Warnings::default();
        Ok(Client { transport: Transport { http, keys, base_url, base_url_variable, auth, retries, warnings } })
    }
}

/// An empty value is an error, as for the keys: with the default instead, an application that was
/// meant for a simulator would change the subscriptions of a real project.
fn base_url_of_the_environment(base_url: &str) -> Result<Url, ClientError> {
    if base_url.is_empty() {
        return Err(ClientError::Configuration(format!(
            "the environment variable `{BASE_URL_VARIABLE}` is empty: set it to the base URL of the API, or unset it \
             for {API_BASE}"
        )));
    }
    check_base_url(&format!("the base URL in the environment variable `{BASE_URL_VARIABLE}`,"), base_url)
}

/// Returns the URL without a slash at its end. `what` names it in errors.
fn check_base_url(what: &str, base_url: &str) -> Result<Url, ClientError> {
    let refuse = |problem: &str| ClientError::Configuration(format!("{what} {:?} {problem}", web_url::shown(base_url)));
    let url = web_url::parse_base(base_url).map_err(|problem| refuse(&problem.to_string()))?;
    if url.scheme() == "http" && !web_url::is_loopback(&url) {
        return Err(refuse(
            "is plain http: signing secrets, and with `Auth::Simple` the secret key, would travel readable; use https \
             (plain http is for loopback addresses such as a simulator's)",
        ));
    }
    Ok(url)
}
