//! Triggers events, and kills processes and makes the storage fail meanwhile.

use std::{
    collections::{BTreeMap, HashSet},
    env,
    error::Error,
    fs,
    ops::Range,
    process::Command,
    time::{Duration, Instant},
};

use actix_web::rt::{System, time::sleep};
use sqlx::{ConnectOptions, Connection, Executor, sqlite::SqliteConnectOptions};
use tempfile::TempDir;
use tests::{deliveries::secret, storages::Kind};
use uploadcare_hooks::{
    WebhookRouter,
    client::{Client, CreateWebhook},
    webhook_handlers,
};
use uploadcare_sim::{SimulatedEvent, Simulator};
use uuid::Uuid;

use crate::{
    Plan,
    application::{calm_file, outage_file},
    journal::{self, What},
    report::{Report, jobs, tally},
    victims::Victims,
};

/// How long the torturer waits for the next job to complete, once no more events are triggered.
const PATIENCE: Duration = Duration::from_secs(120);

/// How many milliseconds pass between two kills.
const KILLS: Range<u64> = 200..1500;

/// How many milliseconds pass between two failures of the storage. SQLite's last for 6 seconds.
const FAILURES: Range<u64> = 1000..8000;
const SQLITE_FAILURES: Range<u64> = 12_000..25_000;

/// Tortures an application with one kind of storage. Returns `None` if no server is configured for
/// it.
pub(crate) fn torture(kind: Kind, plan: &Plan) -> Result<Option<Report>, Box<dyn Error>> {
    System::new().block_on(async move {
        let directory = TempDir::new()?;
        if kind.server().is_none() {
            return Ok(None);
        }
        let mut torturer = Torturer::new(Victims::start(kind, &directory).await?).await?;
        torturer.go(plan).await?;
        torturer.wait_for_the_end().await?;
        let report = torturer.report().await?;
        torturer.simulator.stop().await;
        Ok(Some(report))
    })
}

struct Torturer {
    victims: Victims,
    /// A router over the same queue, to ask it. It stores and runs nothing.
    hooks: WebhookRouter,
    simulator: Simulator,
    /// The files of all events so far.
    uuids: HashSet<Uuid>,
    /// The files whose event the application has acknowledged.
    acknowledged: HashSet<Uuid>,
    /// How many attempts got each status; `None` counts attempts without an answer.
    answers: BTreeMap<Option<u16>, usize>,
    kills: usize,
    /// When the storage failed, in milliseconds since 1970.
    failures: Vec<u64>,
    /// For how long the oldest job was due at most.
    oldest_due: Duration,
    started: Instant,
}

#[uploadcare_hooks::webhook_handler(event = "file.deleted")]
async fn none(_event: uploadcare_hooks::FileDeleted) {}

impl Torturer {
    async fn new(victims: Victims) -> Result<Self, Box<dyn Error>> {
        // Short at first, and in sum longer than the application is ever down.
        let delays = [20, 50, 100, 200, 500].into_iter().chain(std::iter::repeat_n(1000, 300));
        let simulator = Simulator::builder("demopublickey", "demosecretkey")
            .redelivery_delays(delays.map(Duration::from_millis))
            // Many more than the simulator makes between two calls of `count_attempts`.
            .kept_attempts(100_000)
            .start("127.0.0.1:0".parse()?)?;
        let client = Client::builder("demopublickey", "demosecretkey").base_url(simulator.base_url()).build()?;
        let target_url = format!("http://127.0.0.1:{}/hooks", victims.port);
        let webhook = CreateWebhook::new(target_url, "file.uploaded".into()).signing_secret(secret());
        client.create(&webhook).await?;
        let storage = victims.kind.open(&victims.queue, &victims.file).await?.ok_or("no server is configured")?;
        let hooks = WebhookRouter::builder().signing_secret(secret()).handlers(webhook_handlers![none]).queue(storage);
        Ok(Self {
            victims,
            hooks: hooks.build()?,
            simulator,
            uuids: HashSet::new(),
            acknowledged: HashSet::new(),
            answers: BTreeMap::new(),
            kills: 0,
            failures: Vec::new(),
            oldest_due: Duration::ZERO,
            started: Instant::now(),
        })
    }

    async fn go(&mut self, plan: &Plan) -> Result<(), Box<dyn Error>> {
        match (plan.outage, plan.soak) {
            (Some(outage), _) => self.outage(plan, outage).await,
            (_, Some(soak)) => self.soak(soak).await,
            _ => self.attack(plan).await,
        }
    }

    /// Kills processes, cuts the connections of the storage, and restarts it once, in the middle.
    async fn attack(&mut self, plan: &Plan) -> Result<(), Box<dyn Error>> {
        let failures = if self.victims.kind == Kind::Sqlite { SQLITE_FAILURES } else { FAILURES };
        let (mut kill, mut fail) = (soon(KILLS), soon(failures.clone()));
        let mut restart = plan.restart(self.victims.kind);
        while self.uuids.len() < plan.deliveries && self.started.elapsed() < plan.time {
            self.trigger_some();
            self.victims.supervise()?;
            if kill < Instant::now() {
                self.victims.kill_one()?;
                self.kills += 1;
                kill = soon(KILLS);
            }
            if fail < Instant::now() {
                self.fail_storage().await?;
                self.failures.push(journal::now());
                fail = soon(failures.clone());
            }
            if self.uuids.len() * 2 > plan.deliveries
                && let Some(command) = restart.take()
            {
                self.failures.push(journal::now());
                let status = Command::new("sh").args(["-c", command]).status()?;
                println!("the storage was restarted: {status}");
                self.failures.push(journal::now());
            }
            sleep(Duration::from_millis(20)).await;
        }
        Ok(())
    }

    /// Lets all handlers fail while events arrive.
    async fn outage(&mut self, plan: &Plan, outage: Duration) -> Result<(), Box<dyn Error>> {
        let file = outage_file(&self.victims.journal);
        fs::write(&file, "")?;
        // A job that fails once more afterwards would wait for minutes.
        fs::write(calm_file(&self.victims.journal), "")?;
        let (started, mut triggered) = (Instant::now(), 0);
        while started.elapsed() < outage {
            let share = started.elapsed().as_secs_f64() / outage.as_secs_f64();
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)]
            let due = (plan.deliveries as f64 * share) as usize;
            for _ in triggered..due {
                self.uuids.insert(self.simulator.trigger(&SimulatedEvent::new("file.uploaded")));
            }
            triggered = due.max(triggered);
            self.count_attempts();
            sleep(Duration::from_millis(20)).await;
        }
        fs::remove_file(&file)?;
        Ok(())
    }

    /// Sends a few events, with pauses in between, and looks whether the workers go on.
    async fn soak(&mut self, soak: Duration) -> Result<(), Box<dyn Error>> {
        while self.started.elapsed() < soak {
            for _ in 0..fastrand::usize(1..30) {
                self.uuids.insert(self.simulator.trigger(&SimulatedEvent::new("file.uploaded")));
            }
            let pause = Instant::now() + Duration::from_millis(fastrand::u64(500..20_000));
            while Instant::now() < pause {
                sleep(Duration::from_millis(100)).await;
                let oldest = self.hooks.queue_stats().await?.oldest_due.unwrap_or_default();
                self.oldest_due = self.oldest_due.max(oldest);
            }
            self.count_attempts();
        }
        Ok(())
    }

    /// Triggers some events, if the application keeps up: events are to arrive during the whole
    /// torture.
    fn trigger_some(&mut self) {
        self.count_attempts();
        if self.uuids.len() <= self.acknowledged.len() + 100 {
            for _ in 0..8 {
                let (copies, delay_ms) = (fastrand::usize(1..4), fastrand::u64(..300));
                let event = SimulatedEvent { copies, delay_ms, ..SimulatedEvent::new("file.uploaded") };
                self.uuids.insert(self.simulator.trigger(&event));
            }
        }
    }

    /// Makes the storage fail for every process that uses it now.
    async fn fail_storage(&self) -> Result<(), Box<dyn Error>> {
        match self.victims.kind {
            Kind::Sqlite => {
                let options = SqliteConnectOptions::new().filename(&self.victims.file);
                let mut connection = options.connect().await?;
                // Kills go on meanwhile.
                tokio::spawn(async move {
                    if connection.execute("BEGIN EXCLUSIVE").await.is_ok() {
                        // Longer than the application waits for the lock.
                        sleep(Duration::from_millis(6000)).await;
                    }
                    connection.close().await
                });
            }
            Kind::Redis => {
                let client = redis::Client::open(env::var("TEST_REDIS_URL")?)?;
                let mut connection = client.get_multiplexed_async_connection().await?;
                let mut cut = redis::cmd("CLIENT");
                cut.arg("KILL").arg("TYPE").arg("normal").arg("SKIPME").arg("yes");
                cut.query_async::<()>(&mut connection).await?;
            }
            Kind::Postgres => {
                let mut connection = sqlx::PgConnection::connect(&env::var("TEST_POSTGRES_URL")?).await?;
                let others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                              WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'";
                connection.execute(others).await?;
            }
        }
        Ok(())
    }

    /// Counts the attempts since the last call, and notes which events were acknowledged.
    fn count_attempts(&mut self) {
        for attempt in self.simulator.attempts_after(self.answers.values().sum()) {
            if attempt.status.is_some_and(|status| (200..300).contains(&status)) {
                self.acknowledged.extend(attempt.uuid);
            }
            *self.answers.entry(attempt.status).or_default() += 1;
        }
    }

    /// Lets the application complete all jobs without further failures.
    async fn wait_for_the_end(&mut self) -> Result<(), Box<dyn Error>> {
        let (mut done, mut progress) = (0, Instant::now());
        while progress.elapsed() < PATIENCE {
            sleep(Duration::from_secs(1)).await;
            self.victims.supervise()?;
            self.count_attempts();
            let succeeded =
                journal::read(&self.victims.journal)?.into_iter().filter(|entry| entry.what == What::Succeeded);
            let now = succeeded.map(|entry| (entry.uuid, entry.handler)).collect::<HashSet<_>>().len();
            if now == jobs(&self.uuids).count() {
                // Redeliveries that arrive now must not run again.
                sleep(Duration::from_secs(4)).await;
                break;
            }
            if now > done {
                (done, progress) = (now, Instant::now());
            }
        }
        Ok(self.victims.kill_all()?)
    }

    async fn report(&mut self) -> Result<Report, Box<dyn Error>> {
        self.count_attempts();
        let tally = tally(&journal::read(&self.victims.journal)?, &self.victims.ends, &self.failures);
        // The failures cut the connections of this router too, so the first call may fail.
        let stats = match self.hooks.queue_stats().await {
            Err(_) => self.hooks.queue_stats().await?,
            stats => stats?,
        };
        let dead = usize::try_from(stats.dead)?;
        let missing = jobs(&self.acknowledged).filter(|job| !tally.completed.contains(job)).count();
        Ok(Report {
            storage: format!("{:?}", self.victims.kind),
            took: self.started.elapsed(),
            kills: self.kills,
            failed_starts: self.victims.failed_starts,
            storage_failures: self.failures.len(),
            events: self.uuids.len(),
            answers: self.answers.clone(),
            acknowledged: self.acknowledged.len(),
            dead,
            lost: missing.saturating_sub(dead),
            oldest_due: self.oldest_due,
            tally,
        })
    }
}

/// A random time for the next kill or failure.
fn soon(milliseconds: Range<u64>) -> Instant {
    Instant::now() + Duration::from_millis(fastrand::u64(milliseconds))
}
