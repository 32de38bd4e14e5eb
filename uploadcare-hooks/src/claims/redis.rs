//! Claims that several processes share, in Redis.

use std::{error::Error, fmt, time::Duration};

use redis::{Client, Cmd, ConnectionAddr, FromRedisValue, IntoConnectionInfo, Script, aio::ConnectionManager};
use uuid::Uuid;

use super::{Claim, ClaimFuture, DeliveryClaims};

/// What stands at the key of a delivery that was done; no process has this as its mark.
const DONE: &str = "done";

/// Deletes a key only if it holds the caller's own mark: the claim may have come to its end, and be somebody else's.
const RELEASE: &str =
    "if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) else return 0 end";

/// Claims that several processes share, in Redis.
///
/// Two commands a delivery. A claim of a process that died ends after [`lease`](Self::lease).
#[derive(Clone)]
pub struct RedisClaims {
    connection: ConnectionManager,
    server: ConnectionAddr,
    prefix: String,
    mark: String,
    lease: Duration,
    ttl: Duration,
}

impl RedisClaims {
    /// Connects to a server, such as `redis://127.0.0.1:6379`; connects again by itself when the connection breaks.
    ///
    /// # Errors
    /// When the URL is none, or the server cannot be reached.
    pub async fn connect(url: &str) -> Result<Self, Box<dyn Error + Send + Sync>> {
        // The error would quote the URL, and a password may be in it.
        let info = url.into_connection_info().map_err(|error| format!("not a Redis URL: {:?}", error.kind()))?;
        let server = info.addr().clone();
        let failed = |error| format!("no connection to Redis at {server}: {error}");
        let connection = Client::open(info).map_err(failed)?.get_connection_manager().await.map_err(failed)?;
        Ok(Self {
            connection,
            server,
            prefix: "uploadcare-hooks:".to_owned(),
            mark: Uuid::new_v4().to_string(),
            lease: Duration::from_secs(5 * 60),
            ttl: Duration::from_secs(4 * 24 * 60 * 60),
        })
    }

    /// What its keys begin with, to keep applications apart; `uploadcare-hooks:` unless set.
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// After how long a claim ends that was neither completed nor released; 5 minutes unless set. Handlers must not take longer.
    pub fn lease(mut self, lease: Duration) -> Self {
        self.lease = lease;
        self
    }

    /// For how long it is remembered that a delivery was done; 4 days unless set, since Uploadcare redelivers for 3.
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

/// Redis wants whole milliseconds, and at least one.
fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX).clamp(1, i64::MAX.unsigned_abs() / 2)
}

impl DeliveryClaims for RedisClaims {
    fn claim<'a>(&'a self, key: &'a str) -> ClaimFuture<'a, Claim> {
        Box::pin(async move {
            let key = self.key(key);
            let mut set = redis::cmd("SET");
            set.arg(&key).arg(&self.mark).arg("NX").arg("PX").arg(milliseconds(self.lease));
            if self.ask::<Option<String>>(&mut set).await?.is_some() {
                return Ok(Claim::Granted);
            }
            let found: Option<String> = self.ask(redis::cmd("GET").arg(&key)).await?;
            Ok(if found.as_deref() == Some(DONE) { Claim::Completed } else { Claim::Running })
        })
    }

    fn complete<'a>(&'a self, key: &'a str) -> ClaimFuture<'a, ()> {
        Box::pin(async move {
            let mut set = redis::cmd("SET");
            self.ask::<()>(set.arg(self.key(key)).arg(DONE).arg("PX").arg(milliseconds(self.ttl))).await
        })
    }

    fn release<'a>(&'a self, key: &'a str) -> ClaimFuture<'a, ()> {
        let (key, mark, mut connection) = (self.key(key), self.mark.clone(), self.connection.clone());
        // In a task of its own, so that it is sent even if the request that it was for is gone.
        let released =
            tokio::spawn(
                async move { Script::new(RELEASE).key(key).arg(mark).invoke_async::<u8>(&mut connection).await },
            );
        Box::pin(async move {
            released.await??;
            Ok(())
        })
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
