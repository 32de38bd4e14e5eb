//! What a router says of itself at boot: handlers, secrets, mode, limits; as a table and as JSON.
//! Knows where secrets come from, and not their texts.

use std::{borrow::Cow, fmt, time::Duration};

use serde::{Serialize, Serializer};

use super::{WebhookRouter, routes::Route};
use crate::{message::spelled_out, payload::PayloadVersion};

impl WebhookRouter {
    /// What this router does: which handlers take which deliveries, where its signing secrets come
    /// from, what it does with a delivery, and its limits. Never a secret or a part of one.
    ///
    /// `Display` makes a table of it, for a program to print or to log at boot. `Serialize` is for
    /// an endpoint or a test that should notice a change.
    ///
    /// ```
    /// # #[cfg(feature = "macros")] {
    /// use uploadcare_hooks::{webhook_handler, webhook_handlers, FileUploaded, SigningSecret, WebhookRouter};
    ///
    /// #[webhook_handler(event = "file.uploaded")]
    /// async fn index_upload(event: FileUploaded) {}
    ///
    /// let hooks = WebhookRouter::builder()
    ///     .signing_secret(SigningSecret::new("7kMVZivndx0ErgvhRKAr")?)
    ///     .handlers(webhook_handlers![index_upload])
    ///     .build()?;
    /// assert_eq!(
    ///     hooks.describe().to_string(),
    ///     "\
    /// path  event          handler       version  signing secret
    /// /     file.uploaded  index_upload  any      the router's
    ///
    /// mode             inline: handlers run before the answer
    /// signing secrets  1: given by the application
    /// unsigned         refused
    /// limits           256 KiB and 30 seconds for a body, 30 seconds for a handler"
    /// );
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn describe(&self) -> RouterDescription {
        let core = &self.core;
        let handlers = core.routes.iter().flat_map(Route::handlers).map(|handler| &handler.descriptor);
        let secrets = core.keyring.now();
        RouterDescription {
            handlers: handlers
                .map(|handler| HandlerDescription {
                    path: handler.path(),
                    name: handler.name(),
                    events: handler.event_names().map(<[_]>::to_vec),
                    version: handler.version(),
                    secret_env: handler.secret_env(),
                })
                .collect(),
            mode: core.mode.as_ref().map_or("inline", |mode| mode.name()),
            storage: core.mode.as_ref().map(|mode| mode.storage()),
            signing_secrets: secrets
                .of_router()
                .map(|(secret, expires)| SecretDescription {
                    variable: secret.variable().map(ToOwned::to_owned),
                    expires,
                })
                .collect(),
            accepts_unsigned: core.accept_unsigned,
            body_limit: core.limits.body,
            body_timeout: core.limits.body_time,
            handler_timeout: core.limits.handler.0,
        }
    }
}

/// What a [`WebhookRouter`] does, see [`WebhookRouter::describe`]. `Display` shows it as a table.
///
/// In JSON times are numbers of seconds, and the limit of a body is a number of bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct RouterDescription {
    /// The handlers, ordered by path as the paths were first listed.
    pub handlers: Vec<HandlerDescription>,
    /// What the router does with a delivery: `inline` runs its handlers before the answer,
    /// `deduplicate` does so once for each delivery, `queue` stores it first.
    pub mode: &'static str,
    /// Where deliveries are remembered or stored, without passwords. `None` in the mode `inline`.
    pub storage: Option<String>,
    /// The router's own secrets, which handlers without `secret_env` use. Subscriptions are made
    /// with the first.
    pub signing_secrets: Vec<SecretDescription>,
    /// Whether handlers without `secret_env` take deliveries without a signature.
    pub accepts_unsigned: bool,
    /// The most bytes of a body.
    #[serde(rename = "body_limit_bytes")]
    pub body_limit: usize,
    /// How long a body may take to arrive.
    #[serde(rename = "body_timeout_seconds", serialize_with = "seconds")]
    pub body_timeout: Duration,
    /// How long one run of a handler may take; `None` without a limit.
    #[serde(rename = "handler_timeout_seconds", serialize_with = "seconds_if_any")]
    pub handler_timeout: Option<Duration>,
}

/// A handler of a router.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct HandlerDescription {
    /// The path below the mount at which it takes deliveries.
    pub path: &'static str,
    /// Its name.
    pub name: &'static str,
    /// The events that it takes; `None` if it takes every event.
    pub events: Option<Vec<&'static str>>,
    /// The one version of the payload that it takes; `None` if it takes every version.
    pub version: Option<PayloadVersion>,
    /// The environment variable with a secret of its own; `None` if it uses the router's secrets.
    pub secret_env: Option<&'static str>,
}

/// Where one of the router's signing secrets comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct SecretDescription {
    /// The environment variable that it was read from with
    /// [`SigningSecret::from_env`](crate::SigningSecret::from_env); `None` if the application gave
    /// its text.
    pub variable: Option<String>,
    /// Whether another secret replaced it, so that its grace period ends some day.
    pub expires: bool,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn seconds<S: Serializer>(time: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(time.as_secs_f64())
}

#[allow(clippy::ref_option, reason = "serde's signature")]
fn seconds_if_any<S: Serializer>(time: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
    time.map(|time| time.as_secs_f64()).serialize(serializer)
}

/// The names of the columns of handlers.
const COLUMNS: [&str; 5] = ["path", "event", "handler", "version", "signing secret"];

impl fmt::Display for RouterDescription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let header = COLUMNS.map(Cow::Borrowed).to_vec();
        let rows = self.handlers.iter().flat_map(HandlerDescription::rows);
        write_table(f, &[header].into_iter().chain(rows).collect::<Vec<_>>())?;
        f.write_str("\n\n")?;
        let more = [
            ("mode", self.mode_in_words()),
            ("signing secrets", self.secrets_in_words()),
            ("unsigned", self.unsigned_in_words().to_owned()),
            ("limits", self.limits_in_words()),
        ];
        let more = more.map(|(name, value)| vec![Cow::Borrowed(name), Cow::Owned(value)]);
        write_table(f, &more)
    }
}

impl RouterDescription {
    fn mode_in_words(&self) -> String {
        let storage = self.storage.as_deref().unwrap_or_default();
        match self.mode {
            "inline" => "inline: handlers run before the answer".to_owned(),
            "deduplicate" => format!(
                "deduplicate: handlers run before the answer, and not again for a delivery that is remembered as done, \
                 in {storage}"
            ),
            "queue" => format!("queue: deliveries are stored in {storage}, and a worker runs the handlers"),
            other => format!("{other}: {storage}"),
        }
    }

    fn secrets_in_words(&self) -> String {
        let several = self.signing_secrets.len() > 1;
        let secrets = self.signing_secrets.iter().enumerate().map(|(position, secret)| {
            let source = match &secret.variable {
                Some(variable) => format!("environment variable {variable}"),
                None => "given by the application".to_owned(),
            };
            let note = match (position, secret.expires) {
                (0, _) if several => " (the first: subscriptions are made with it)",
                (_, true) => " (replaced, expires)",
                _ => "",
            };
            format!("{source}{note}")
        });
        match self.signing_secrets.len() {
            0 => "none".to_owned(),
            number => format!("{number}: {}", secrets.collect::<Vec<_>>().join(", ")),
        }
    }

    fn unsigned_in_words(&self) -> &'static str {
        if self.accepts_unsigned {
            "ACCEPTED by handlers that use the router's secrets: every client can send deliveries to them"
        } else {
            "refused"
        }
    }

    fn limits_in_words(&self) -> String {
        let bytes = match self.body_limit {
            bytes if bytes >= 1024 && bytes.is_multiple_of(1024) => format!("{} KiB", bytes / 1024),
            bytes => format!("{bytes} bytes"),
        };
        let handler = self.handler_timeout.map_or_else(|| "no limit".to_owned(), spelled_out);
        format!("{bytes} and {} for a body, {handler} for a handler", spelled_out(self.body_timeout))
    }
}

impl HandlerDescription {
    /// One row for each event.
    fn rows(&self) -> impl Iterator<Item = Vec<Cow<'_, str>>> {
        let events = self.events.as_deref().unwrap_or(&["every event"]);
        events.iter().map(|event| {
            let version = self.version.as_ref().map_or(Cow::Borrowed("any"), |only| format!("{only} only").into());
            let secret = self.secret_env.map_or(Cow::Borrowed("the router's"), |variable| variable.into());
            vec![self.path.into(), (*event).into(), self.name.into(), version, secret]
        })
    }
}

/// Writes rows whose columns begin below each other, without spaces at their ends. Names of events
/// are the application's, so characters that could garble a terminal are escaped.
fn write_table(f: &mut fmt::Formatter<'_>, rows: &[Vec<Cow<'_, str>>]) -> fmt::Result {
    let rows: Vec<Vec<String>> = rows.iter().map(|row| row.iter().map(|cell| escaped(cell)).collect()).collect();
    let columns = rows.first().map_or(0, Vec::len);
    let width = |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max();
    let widths: Vec<usize> = (0..columns).map(|column| width(column).unwrap_or(0)).collect();
    for (number, row) in rows.iter().enumerate() {
        let line: String = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}  ")).collect();
        let end = if number == 0 { "" } else { "\n" };
        write!(f, "{end}{}", line.trim_end())?;
    }
    Ok(())
}

/// The text with what is not printable as in a string of Rust. Quotes stay as they are.
fn escaped(text: &str) -> String {
    let escape = |c: char| match c {
        '"' | '\'' => c.to_string(),
        c => c.escape_debug().to_string(),
    };
    text.chars().map(escape).collect()
}
