//! The torturer: triggers events, kills the application, and makes its storage fail.

use std::{
    collections::{BTreeMap, HashSet},
    env,
    net::TcpListener,
    process::{Child, Command},
    time::{Duration, Instant},
};

use actix_web::rt::{System, time::sleep};
use apalis_core::error::BoxDynError;
use apalis_sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection, Executor};
use tempfile::TempDir;
use tests::{
    deliveries::secret,
    storages::{Kind, Storage},
};
use uploadcare_hooks::client::{Client, CreateWebhook};
use uploadcare_sim::{SimulatedEvent, Simulator};
use uuid::Uuid;

use crate::{
    Plan, journal,
    report::{Report, Tally, jobs, tally},
};

/// How long the torturer waits for the next job to complete, once no more events are triggered.
const PATIENCE: Duration = Duration::from_secs(60);

/// Tortures an application with one kind of storage. Returns `None` if no server is configured for
/// it.
pub(crate) fn torture(kind: Kind, plan: Plan) -> Result<Option<Report>, BoxDynError> {
    System::new().block_on(async move {
        let directory = TempDir::new()?;
        let victim = Victim::new(kind, &directory)?;
        let Some(storage) = kind.open_queue(&victim.queue, &victim.file).await? else { return Ok(None) };
        let mut torturer = Torturer::new(victim, storage).await?;
        torturer.go(plan).await?;
        torturer.wait_for_the_end().await?;
        let report = torturer.report().await?;
        torturer.simulator.stop().await;
        Ok(Some(report))
    })
}

/// The application's process. Each start of it is one life.
struct Victim {
    kind: Kind,
    port: u16,
    queue: String,
    file: String,
    journal: std::path::PathBuf,
    child: Option<Child>,
    /// When each life ended, in milliseconds since 1970.
    ends: Vec<u64>,
    /// How many lives ended without a kill, since the storage failed while the application started.
    failed_starts: usize,
}

impl Victim {
    fn new(kind: Kind, directory: &TempDir) -> Result<Self, BoxDynError> {
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let file = directory.path().join("queue.db").to_string_lossy().into_owned();
        let journal = directory.path().join("journal");
        let queue = format!("torture-{}-{}", std::process::id(), journal::now());
        Ok(Self { kind, port, queue, file, journal, child: None, ends: Vec::new(), failed_starts: 0 })
    }

    fn start(&mut self) -> Result<(), BoxDynError> {
        let mut command = Command::new(env::current_exe()?);
        command.args(["--storage", &format!("{:?}", self.kind).to_lowercase(), "--port", &self.port.to_string()]);
        command.args(["--queue", &self.queue, "--file", &self.file, "--life", &self.ends.len().to_string()]);
        command.arg("--journal").arg(&self.journal);
        self.child = Some(command.spawn()?);
        Ok(())
    }

    fn kill(&mut self) -> Result<(), BoxDynError> {
        if let Some(mut child) = self.child.take() {
            child.kill()?;
            child.wait()?;
            self.ends.push(journal::now());
        }
        Ok(())
    }

    /// Starts the application again if it ended without a kill, as a supervisor does.
    fn supervise(&mut self) -> Result<(), BoxDynError> {
        if let Some(child) = &mut self.child
            && child.try_wait()?.is_some()
        {
            self.ends.push(journal::now());
            self.failed_starts += 1;
            self.start()?;
        }
        Ok(())
    }
}

impl Drop for Victim {
    fn drop(&mut self) {
        if let Err(error) = self.kill() {
            eprintln!("cannot kill the application: {error}");
        }
    }
}

struct Torturer {
    victim: Victim,
    storage: Storage,
    simulator: Simulator,
    /// The files of all events so far.
    uuids: HashSet<Uuid>,
    /// The files whose event the application has acknowledged.
    acknowledged: HashSet<Uuid>,
    /// How many attempts got each status; `None` counts attempts without an answer.
    answers: BTreeMap<Option<u16>, usize>,
    /// When the storage failed, in milliseconds since 1970.
    failures: Vec<u64>,
    started: Instant,
}

impl Torturer {
    async fn new(mut victim: Victim, storage: Storage) -> Result<Self, BoxDynError> {
        // Short at first, and in sum longer than the application is ever down.
        let delays = [20, 50, 100, 200, 500].into_iter().chain(std::iter::repeat_n(1000, 300));
        let simulator = Simulator::builder("demopublickey", "demosecretkey")
            .redelivery_delays(delays.map(Duration::from_millis))
            // Many more than the simulator makes between two calls of `count_attempts`.
            .kept_attempts(100_000)
            .start("127.0.0.1:0".parse()?)?;
        let client = Client::builder("demopublickey", "demosecretkey").base_url(simulator.base_url()).build()?;
        let target_url = format!("http://127.0.0.1:{}/hooks", victim.port);
        let webhook = CreateWebhook::new(target_url, "file.uploaded".into()).signing_secret(secret());
        client.create(&webhook).await?;
        victim.start()?;
        let (uuids, acknowledged, answers) = (HashSet::new(), HashSet::new(), BTreeMap::new());
        let (failures, started) = (Vec::new(), Instant::now());
        Ok(Self { victim, storage, simulator, uuids, acknowledged, answers, failures, started })
    }

    /// Triggers events, and kills the application and makes its storage fail meanwhile.
    async fn go(&mut self, plan: Plan) -> Result<(), BoxDynError> {
        let (mut kill, mut fail) = (soon(), soon());
        while self.uuids.len() < plan.deliveries && self.started.elapsed() < Duration::from_secs(plan.seconds) {
            // Limit the pending events to what the application can process, so that events are
            // delivered during the whole torture.
            self.count_attempts();
            if self.uuids.len() <= self.acknowledged.len() + 100 {
                for _ in 0..20 {
                    let (copies, delay_ms) = (fastrand::usize(1..4), fastrand::u64(..300));
                    let event = SimulatedEvent { copies, delay_ms, ..SimulatedEvent::new("file.uploaded") };
                    self.uuids.insert(self.simulator.trigger(&event));
                }
            }
            self.victim.supervise()?;
            if kill < Instant::now() {
                self.victim.kill()?;
                self.victim.start()?;
                kill = soon();
            }
            if fail < Instant::now() {
                self.fail_storage().await?;
                self.failures.push(journal::now());
                fail = soon();
            }
            sleep(Duration::from_millis(20)).await;
        }
        Ok(())
    }

    /// Makes the storage fail for every process that uses it now.
    async fn fail_storage(&self) -> Result<(), BoxDynError> {
        match self.victim.kind {
            Kind::Sqlite => {
                let options = SqliteConnectOptions::new().filename(&self.victim.file);
                let mut connection = options.connect().await?;
                connection.execute("BEGIN EXCLUSIVE").await?;
                // Longer than the application waits for the lock.
                sleep(Duration::from_millis(700)).await;
                connection.execute("ROLLBACK").await?;
                connection.close().await?;
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
                self.acknowledged.insert(attempt.uuid);
            }
            *self.answers.entry(attempt.status).or_default() += 1;
        }
    }

    /// Lets the application complete all jobs without further failures.
    async fn wait_for_the_end(&mut self) -> Result<(), BoxDynError> {
        let (mut done, mut progress) = (0, Instant::now());
        while progress.elapsed() < PATIENCE {
            sleep(Duration::from_millis(500)).await;
            self.victim.supervise()?;
            self.count_attempts();
            let now = self.tally()?.completed.len();
            if now == jobs(&self.uuids).count() {
                // Redeliveries that arrive now must not run again.
                sleep(Duration::from_secs(4)).await;
                break;
            }
            if now > done {
                (done, progress) = (now, Instant::now());
            }
        }
        self.victim.kill()
    }

    fn tally(&self) -> Result<Tally, BoxDynError> {
        Ok(tally(&journal::read(&self.victim.journal)?, &self.victim.ends, &self.failures))
    }

    async fn report(&mut self) -> Result<Report, BoxDynError> {
        self.count_attempts();
        let tally = self.tally()?;
        // The failures cut the connections of this storage too, so the first call may fail.
        let dead = match self.storage.dead().await {
            Err(_) => self.storage.dead().await?,
            dead => dead?,
        };
        let dead = dead.len();
        let missing = jobs(&self.acknowledged).filter(|job| !tally.completed.contains(job)).count();
        Ok(Report {
            storage: format!("{:?}", self.victim.kind),
            took: self.started.elapsed(),
            // The last kill only ended the application.
            kills: self.victim.ends.len() - self.victim.failed_starts - 1,
            failed_starts: self.victim.failed_starts,
            storage_failures: self.failures.len(),
            events: self.uuids.len(),
            answers: self.answers.clone(),
            acknowledged: self.acknowledged.len(),
            completed: tally.completed.len(),
            dead,
            lost: missing.saturating_sub(dead),
            repeated: tally.repeated,
            repeated_after_kill: tally.repeated_after_kill,
            repeated_after_failure: tally.repeated_after_failure,
        })
    }
}

/// A random time for the next kill or failure.
fn soon() -> Instant {
    Instant::now() + Duration::from_millis(fastrand::u64(1000..4000))
}
