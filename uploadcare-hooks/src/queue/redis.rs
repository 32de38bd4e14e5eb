//! A queue in Redis. Knows nothing of requests and handlers.
//!
//! Each job is a hash. A sorted set for each state holds the names of its jobs with a time in
//! milliseconds since 1970: when they are due, when their lease ends, when they died, when they
//! were done. Each call is one script, so it happens wholly or not at all.

use std::{
    collections::HashMap,
    fmt,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use ::redis::{
    Client, ConnectionInfo, ErrorKind, FromRedisValue, IntoConnectionInfo, RedisError, Script, ScriptInvocation,
    ServerErrorKind,
    aio::{ConnectionManager, ConnectionManagerConfig},
};
use jiff::Timestamp;

use super::{
    Job, OpenOptions, QueueError, QueueStats, Storage,
    dead::Search,
    home::{AtHome, Resident},
    storage::{End, Found, Taken, Turn, Verdict, failures_from_json, failures_to_json, milliseconds},
};
use crate::{delivery::DeliveryId, message::with_causes};

/// The version of the keys and their contents.
const VERSION: &str = "1";

/// How long the server may take to answer. It syncs its file before, if it is asked to.
const ANSWER: Duration = Duration::from_secs(5);

/// Opens a queue in Redis, such as `redis://:password@host:6379/0`. Needs the feature
/// `queue-redis`. Reconnects by itself when the connection breaks.
///
/// Its keys begin with `{uploadcare-hooks:webhooks}`. Any number of processes on any number of
/// machines can share it. The server must keep what it acknowledged:
///
/// - Run it with `appendonly yes` and `appendfsync always`. Without the first its restart loses
///   jobs, without the second a crash of its machine loses those of the last second. Both are only
///   warned of.
/// - A server that evicts any key when its memory is full is refused: set `maxmemory-policy
///   noeviction`, and it answers with an error instead, so that Uploadcare sends the delivery
///   again.
///
/// TLS: add `redis = { version = "1", features = ["tokio-rustls-comp"] }` to the application, and
/// write `rediss://`.
///
/// # Errors
/// If the text is no URL of Redis, the server cannot be reached, refuses the password, or evicts
/// keys. No error shows the password.
pub async fn open_redis(url: impl AsRef<str>) -> Result<Storage, QueueError> {
    OpenOptions::new().open_redis(url).await
}

impl OpenOptions {
    /// Opens a Redis server, see [`open_redis`]. Needs the feature `queue-redis`.
    ///
    /// # Errors
    /// As `open_redis`, and if the name is not valid.
    pub async fn open_redis(&self, url: impl AsRef<str>) -> Result<Storage, QueueError> {
        let url = url.as_ref();
        self.open(|| open(url, &self.name)).await
    }
}

async fn open(url: &str, name: &str) -> Result<Storage, QueueError> {
    // The error would quote the URL, which may hold a password.
    let info = url.into_connection_info().map_err(|error| {
        QueueError::misused(if url.starts_with("rediss:") && error.kind() == ErrorKind::InvalidClientConfig {
            "TLS is not compiled in: add `redis = { version = \"1\", features = [\"tokio-rustls-comp\"] }` to the \
             application"
        } else {
            "this is no URL of Redis: write it as redis://user:password@host:6379/0, with characters such as # and @ \
             in a password percent-encoded"
        })
    })?;
    let place = format!("Redis at {}, queue {name:?}", info.addr());
    let (there, name) = (place.clone(), name.to_owned());
    let opened = AtHome::open(async move { Server::open(info, there, &name).await });
    opened.await.map(Storage::new).map_err(|error| error.about(place))
}

fn config() -> ConnectionManagerConfig {
    ConnectionManagerConfig::new().set_response_timeout(Some(ANSWER)).set_number_of_retries(1)
}

fn failed(error: RedisError) -> QueueError {
    let text = QueueError::new(with_causes(&error));
    if error.kind() == ErrorKind::AuthenticationFailed { text.refused() } else { text }
}

struct Server {
    client: Client,
    connection: Mutex<ConnectionManager>,
    place: String,
    keys: Keys,
    scripts: Scripts,
}

/// The keys of the queue. The braces keep them on one node of a cluster.
struct Keys {
    version: String,
    job: String,
    waiting: String,
    running: String,
    dead: String,
    done: String,
}

impl Keys {
    fn of(name: &str) -> Self {
        let key = |key| format!("{{uploadcare-hooks:{name}}}:{key}");
        Self {
            version: key("version"),
            job: key("job:"),
            waiting: key("waiting"),
            running: key("running"),
            dead: key("dead"),
            done: key("done"),
        }
    }
}

struct Scripts {
    store: Script,
    turn: Script,
    renew: Script,
    hand_back: Script,
    find: Script,
    decide: Script,
    stats: Script,
    clean: Script,
}

impl Default for Scripts {
    fn default() -> Self {
        Self {
            store: Script::new(include_str!("redis/store.lua")),
            turn: Script::new(include_str!("redis/turn.lua")),
            renew: Script::new(include_str!("redis/renew.lua")),
            hand_back: Script::new(include_str!("redis/hand_back.lua")),
            find: Script::new(include_str!("redis/find.lua")),
            decide: Script::new(include_str!("redis/decide.lua")),
            stats: Script::new(include_str!("redis/stats.lua")),
            clean: Script::new(include_str!("redis/clean.lua")),
        }
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("place", &self.place).finish_non_exhaustive()
    }
}

/// A job in the answer of a script: its name, a time, and the values of its hash in the order in
/// which the script asks for them.
type Answered = (String, i64, [Option<Vec<u8>>; 8]);

/// Values that another program wrote or removed are taken for empty ones: such a job dies as one
/// without a handler, and does not stop the others.
fn found((name, at, values): Answered) -> Found {
    let [handler, event, delivery, received_at, body, run, attempts, failures] = values.map(Option::unwrap_or_default);
    let [handler, event, delivery, received_at, run, attempts, failures] =
        [handler, event, delivery, received_at, run, attempts, failures]
            .map(|value| String::from_utf8(value).unwrap_or_default());
    let job = Job {
        delivery: DeliveryId::from_digits(&delivery).unwrap_or_else(|| DeliveryId::from_bytes(name.as_bytes())),
        event: event.as_str().into(),
        received_at: Timestamp::from_millisecond(received_at.parse().unwrap_or_default()).unwrap_or_default(),
        body: body.into(),
        run: run.parse().unwrap_or_default(),
        name,
        handler,
    };
    let failures = failures_from_json(&failures);
    Found { job, attempts: attempts.parse().unwrap_or_default(), failures, at }
}

impl Server {
    async fn open(info: ConnectionInfo, place: String, name: &str) -> Result<Self, QueueError> {
        let client = Client::open(info).map_err(failed)?;
        let connection = client.get_connection_manager_with_config(config()).await.map_err(failed)?;
        let (keys, scripts) = (Keys::of(name), Scripts::default());
        let server = Self { client, connection: Mutex::new(connection), place, keys, scripts };
        server.check().await?;
        // Fails if another program has keys of these names.
        server.stats().await?;
        Ok(server)
    }

    fn connection(&self) -> MutexGuard<'_, ConnectionManager> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn call<T: FromRedisValue>(&self, call: &ScriptInvocation<'_>) -> Result<T, QueueError> {
        let mut connection = self.connection().clone();
        let answer = call.invoke_async(&mut connection).await;
        // The connection may be dead without a word, or lead to a server that is no longer the
        // primary. The manager itself would keep it.
        if let Err(error) = &answer
            && (error.is_timeout() || error.kind() == ErrorKind::Server(ServerErrorKind::ReadOnly))
            && let Ok(new) = self.client.get_connection_manager_lazy(config())
        {
            *self.connection() = new;
        }
        answer.map_err(failed)
    }

    /// Looks whether the server keeps what it acknowledges, and whether the queue is one that this
    /// version can read.
    async fn check(&self) -> Result<(), QueueError> {
        let mut connection = self.connection().clone();
        let (mut set, mut get) = (::redis::cmd("SETNX"), ::redis::cmd("GET"));
        set.arg(&self.keys.version).arg(VERSION).exec_async(&mut connection).await.map_err(failed)?;
        let version: String = get.arg(&self.keys.version).query_async(&mut connection).await.map_err(failed)?;
        if version != VERSION {
            return Err(QueueError::new(format!(
                "another version of uploadcare-hooks uses this queue, in version {version:?}, and this one reads \
                 {VERSION}: update the application, or give the queue another name with `OpenOptions`"
            ))
            .refused());
        }
        let Some(config) = self.config().await else {
            tracing::warn!(
                "{} does not show its configuration: make sure that it has `appendonly yes`, `appendfsync always` and \
                 `maxmemory-policy noeviction`, or it may lose deliveries that were acknowledged",
                self.place
            );
            return Ok(());
        };
        let is = |option: &str, value: &str| config.get(option).is_some_and(|found| found == value);
        let policy = config.get("maxmemory-policy").map_or("", String::as_str);
        if policy.starts_with("allkeys") && !is("maxmemory", "0") {
            return Err(QueueError::new(format!(
                "it deletes any key when its memory is full (maxmemory-policy = {policy}), also jobs that wait: set \
                 `maxmemory-policy noeviction`"
            ))
            .refused());
        }
        if !is("appendonly", "yes") {
            tracing::warn!("{} loses jobs when it restarts: set `appendonly yes` and `appendfsync always`", self.place);
        } else if !is("appendfsync", "always") {
            tracing::warn!(
                "{} loses the jobs of the last second when its machine crashes: set `appendfsync always`",
                self.place
            );
        }
        Ok(())
    }

    /// What the server says of its configuration; `None` if it does not allow to ask.
    async fn config(&self) -> Option<HashMap<String, String>> {
        let (mut config, mut connection) = (HashMap::new(), self.connection().clone());
        for option in ["appendonly", "appendfsync", "maxmemory", "maxmemory-policy"] {
            let mut get = ::redis::cmd("CONFIG");
            let found: HashMap<String, String> = get.arg("GET").arg(option).query_async(&mut connection).await.ok()?;
            config.extend(found);
        }
        Some(config)
    }
}

impl Resident for Server {
    type Failure = QueueError;

    fn place(&self) -> &str {
        &self.place
    }

    async fn store(&self, jobs: &[Job]) -> Result<(), QueueError> {
        let Keys { job: prefix, waiting, running, dead, done, .. } = &self.keys;
        let mut call = self.scripts.store.key(waiting);
        call.key(running).key(dead).key(done).arg(prefix);
        for job in jobs {
            call.arg(&job.name).arg(&job.handler).arg(job.event.as_str()).arg(job.delivery.to_string());
            call.arg(job.received_at.as_millisecond()).arg(&*job.body);
        }
        self.call(&call).await
    }

    async fn turn(&self, turn: Turn<'_>) -> Result<Vec<Taken>, QueueError> {
        let Keys { job, waiting, running, dead, done, .. } = &self.keys;
        let mut call = self.scripts.turn.key(waiting);
        call.key(running).key(dead).key(done).arg(job).arg(turn.worker).arg(milliseconds(turn.lease)).arg(turn.most);
        for ended in turn.ended {
            call.arg(&ended.name);
            let (word, attempts, delay) = match &ended.end {
                End::Done => ("done", None, Duration::ZERO),
                End::Again(attempts, delay) => ("again", Some(attempts), *delay),
                End::Dead(attempts) => ("dead", Some(attempts), Duration::ZERO),
            };
            let started = attempts.map_or(0, |attempts| attempts.started);
            let failures = attempts.map(|attempts| failures_to_json(&attempts.failures)).unwrap_or_default();
            call.arg(word).arg(started).arg(failures).arg(milliseconds(delay));
        }
        let taken: Vec<Answered> = self.call(&call).await?;
        Ok(taken.into_iter().map(found).map(Taken::from).collect())
    }

    async fn renew(&self, worker: &str, running: &[String], lease: Duration) -> Result<(), QueueError> {
        let mut call = self.scripts.renew.key(&self.keys.running);
        call.arg(&self.keys.job).arg(worker).arg(milliseconds(lease)).arg(running);
        self.call(&call).await
    }

    async fn hand_back(&self, worker: &str, running: &[String]) -> Result<(), QueueError> {
        let mut call = self.scripts.hand_back.key(&self.keys.waiting);
        call.key(&self.keys.running).arg(&self.keys.job).arg(worker).arg(running);
        self.call(&call).await
    }

    async fn find(&self, search: &Search) -> Result<Vec<Found>, QueueError> {
        let Search { dead, handler, event, before, most } = search;
        let mut call = self.scripts.find.key(if *dead { &self.keys.dead } else { &self.keys.waiting });
        call.arg(&self.keys.job).arg(u8::from(!dead));
        call.arg(handler.as_deref().unwrap_or_default()).arg(event.as_deref().unwrap_or_default());
        match before {
            Some((at, name)) => call.arg(at).arg(name),
            None => call.arg("").arg(""),
        };
        call.arg(most);
        let answered: Vec<Answered> = self.call(&call).await?;
        Ok(answered.into_iter().map(found).collect())
    }

    async fn decide(&self, dead: &[(String, i64)], verdict: Verdict) -> Result<u64, QueueError> {
        let mut call = self.scripts.decide.key(&self.keys.waiting);
        call.key(&self.keys.dead).key(&self.keys.done).arg(&self.keys.job);
        call.arg(if verdict == Verdict::RunAgain { "again" } else { "discard" });
        for (name, died) in dead {
            call.arg(name).arg(died);
        }
        self.call(&call).await
    }

    async fn stats(&self) -> Result<QueueStats, QueueError> {
        let mut call = self.scripts.stats.key(&self.keys.waiting);
        call.key(&self.keys.running).key(&self.keys.dead);
        let (waiting, running, scheduled, dead, oldest, now) = self.call(&call).await?;
        Ok(QueueStats::of((waiting, running, scheduled, dead, oldest), now))
    }

    async fn clean(&self, keep: Duration, most: u32) -> Result<u64, QueueError> {
        let mut call = self.scripts.clean.key(&self.keys.done);
        call.arg(milliseconds(keep)).arg(most);
        self.call(&call).await
    }
}
