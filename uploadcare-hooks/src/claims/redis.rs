//! Claims that several processes share, in Redis.

use std::{error::Error, fmt, time::Duration};

use redis::{Client, Cmd, ConnectionAddr, FromRedisValue, IntoConnectionInfo, Script, aio::ConnectionManager};
use tokio::{runtime::Handle, task::JoinHandle};
use uuid::Uuid;

use super::{Claim, ClaimFuture, ClaimMark, DeliveryClaims};
use crate::message::{debug_like_display, spelled_out};

/// The value at the key of a delivery that was done. No claim has this as its mark.
const DONE: &str = "done";

/// Deletes a key only if it holds the caller's own mark: the claim may have ended, and another
/// request may have made a new one.
const RELEASE: &str =
    "if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) else return 0 end";

/// Claims that several processes share, in Redis.
///
/// A delivery takes two commands. The claim of a process that died ends after
/// [`lease`](Self::lease).
#[derive(Clone)]
pub struct RedisClaims {
    connection: ConnectionManager,
    /// Where releases run: a request may be dropped outside of any runtime.
    runtime: Handle,
    server: ConnectionAddr,
    prefix: String,
    lease: Duration,
    ttl: Duration,
}

impl RedisClaims {
    /// Connects to a server, such as `redis://127.0.0.1:6379`. Reconnects by itself when the
    /// connection breaks.
    ///
    /// # Errors
    /// If the text is not a Redis URL, or the server cannot be reached.
    pub async fn connect(url: &str) -> Result<Self, RedisConnectError> {
        // The error would quote the URL, which may hold a password.
        let info = url.into_connection_info().map_err(|error| {
            RedisConnectError(format!("not a Redis URL ({:?}): write it as redis://host:6379", error.kind()))
        })?;
        let server = info.addr().clone();
        let failed = |error| RedisConnectError(format!("no connection to Redis at {server}: {error}"));
        let connection = Client::open(info).map_err(failed)?.get_connection_manager().await.map_err(failed)?;
        Ok(Self {
            connection,
            runtime: Handle::current(),
            server,
            prefix: "uploadcare-hooks:".to_owned(),
            lease: Duration::from_secs(5 * 60),
            ttl: Duration::from_secs(4 * 24 * 60 * 60),
        })
    }

    /// Sets what its keys begin with, to keep applications apart. Defaults to `uploadcare-hooks:`.
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// Sets after how long a claim ends that was neither completed nor released. Defaults to 5
    /// minutes. Must be longer than the router's
    /// [`handler_timeout`](crate::WebhookRouterBuilder::handler_timeout).
    pub fn lease(mut self, lease: Duration) -> Self {
        self.lease = lease;
        self
    }

    /// Sets for how long a delivery that was done is remembered. Defaults to 4 days, because
    /// Uploadcare redelivers for 3.
    pub fn ttl(mut self, ttl: Duration) -> Self {
        self.ttl = ttl;
        self
    }

    async fn ask<T: FromRedisValue>(&self, command: &mut Cmd) -> Result<T, Box<dyn Error + Send + Sync>> {
        Ok(command.query_async(&mut self.connection.clone()).await?)
    }

    fn key(&self, key: &str) -> String {
        format!("{}{key}", self.prefix)
    }
}

/// Why [`RedisClaims::connect`] failed: the server, and never a password.
///
/// `Debug` says the same as `Display`, because a `main` that returns an error prints its `Debug`
/// form.
#[derive(thiserror::Error)]
#[error("{0}")]
pub struct RedisConnectError(String);

debug_like_display!(RedisConnectError);

/// Redis takes whole milliseconds, and at least one.
fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX).clamp(1, i64::MAX.unsigned_abs() / 2)
}

/// Waits for a command that runs in a task of its own, so that it is carried out even if the
/// request is dropped.
fn detached<'a, T: Send + 'static>(sent: JoinHandle<redis::RedisResult<T>>) -> ClaimFuture<'a, ()> {
    Box::pin(async move {
        sent.await??;
        Ok(())
    })
}

impl RedisClaims {
    fn send_release(&self, key: String, mark: String) -> JoinHandle<redis::RedisResult<u8>> {
        let mut connection = self.connection.clone();
        self.runtime.spawn(async move { Script::new(RELEASE).key(key).arg(mark).invoke_async(&mut connection).await })
    }
}

/// A claim that Redis has not answered yet. It is released if the request is dropped before:
/// nothing would run, and redeliveries would be refused until the lease ends.
struct Unanswered<'a> {
    claims: &'a RedisClaims,
    claim: Option<(String, String)>,
}

impl Drop for Unanswered<'_> {
    fn drop(&mut self) {
        if let Some((key, mark)) = self.claim.take() {
            self.claims.send_release(key, mark);
        }
    }
}

impl DeliveryClaims for RedisClaims {
    fn claim<'a>(&'a self, key: &'a str) -> ClaimFuture<'a, Claim> {
        Box::pin(async move {
            let (key, mark) = (self.key(key), Uuid::new_v4().to_string());
            let mut set = redis::cmd("SET");
            set.arg(&key).arg(&mark).arg("NX").arg("PX").arg(milliseconds(self.lease));
            let mut unanswered = Unanswered { claims: self, claim: Some((key.clone(), mark.clone())) };
            let granted = self.ask::<Option<String>>(&mut set).await?.is_some();
            unanswered.claim = None;
            if granted {
                return Ok(Claim::Granted(ClaimMark::new(mark)));
            }
            let found: Option<String> = self.ask(redis::cmd("GET").arg(&key)).await?;
            Ok(if found.as_deref() == Some(DONE) { Claim::Completed } else { Claim::Running })
        })
    }

    fn complete<'a>(&'a self, key: &'a str, _: &'a ClaimMark) -> ClaimFuture<'a, ()> {
        let (key, ttl, mut connection) = (self.key(key), milliseconds(self.ttl), self.connection.clone());
        // Also if the claim has ended since: the delivery was done.
        detached(self.runtime.spawn(async move {
            redis::cmd("SET").arg(key).arg(DONE).arg("PX").arg(ttl).query_async::<()>(&mut connection).await
        }))
    }

    fn release<'a>(&'a self, key: &'a str, mark: &'a ClaimMark) -> ClaimFuture<'a, ()> {
        detached(self.send_release(self.key(key), mark.as_str().to_owned()))
    }

    fn lease_time(&self) -> Option<Duration> {
        Some(self.lease)
    }

    fn describe(&self) -> String {
        let Self { server, prefix, ttl, .. } = self;
        format!("Redis at {server}, keys with {prefix:?}, each for {}", spelled_out(*ttl))
    }
}

impl fmt::Debug for RedisClaims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisClaims")
            .field("server", &self.server.to_string())
            .field("prefix", &self.prefix)
            .finish_non_exhaustive()
    }
}
