//! The running simulator.

use std::{
    collections::VecDeque,
    fmt, io,
    net::{SocketAddr, TcpListener},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
    time::Duration,
};

use actix_web::{App, HttpServer, dev::ServerHandle, rt::System, web::Data};
use tokio::runtime::Handle;
use uuid::Uuid;

use crate::{
    auth::Keys,
    delivery::{Attempt, Happening, happen},
    fault::{Fault, Faults},
    origin::OwnAddress,
    rest::routes,
    store::{Store, Subscription},
};

/// The delays before a delivery that was not acknowledged is made again, unless others are set. Uploadcare goes on for 72 hours.
const REDELIVERY_DELAYS: [u64; 6] = [1, 5, 30, 120, 600, 3600];

/// Some megabytes.
const KEPT_ATTEMPTS: usize = 10_000;

/// What the server's workers and the deliveries share.
pub(crate) struct State {
    pub(crate) keys: Keys,
    pub(crate) redelivery_delays: Vec<Duration>,
    pub(crate) http: reqwest::Client,
    /// Where deliveries run: a worker's own runtime would end with its connection.
    pub(crate) runtime: Handle,
    store: Mutex<Store>,
    faults: Mutex<Faults>,
    attempts: Mutex<AttemptLog>,
}

/// The newest attempts; the oldest are dropped when there are more than the limit.
struct AttemptLog {
    kept: VecDeque<Attempt>,
    dropped: usize,
    limit: usize,
}

impl AttemptLog {
    fn new(limit: usize) -> Self {
        Self { kept: VecDeque::new(), dropped: 0, limit }
    }

    fn push(&mut self, attempt: Attempt) {
        self.kept.push_back(attempt);
        while self.kept.len() > self.limit {
            self.kept.pop_front();
            self.dropped += 1;
        }
    }

    /// The attempts without the first `known` that were ever made.
    fn after(&self, known: usize) -> Vec<Attempt> {
        self.kept.iter().skip(known.saturating_sub(self.dropped)).cloned().collect()
    }
}

impl State {
    pub(crate) fn store(&self) -> MutexGuard<'_, Store> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn faults(&self) -> MutexGuard<'_, Faults> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn attempts(&self, known: usize) -> Vec<Attempt> {
        self.attempts.lock().unwrap_or_else(PoisonError::into_inner).after(known)
    }

    pub(crate) fn note(&self, attempt: Attempt) {
        self.attempts.lock().unwrap_or_else(PoisonError::into_inner).push(attempt);
    }
}

/// Starts a [`Simulator`].
#[derive(Clone)]
#[must_use = "a builder does nothing until `start` is called"]
pub struct SimulatorBuilder {
    keys: Keys,
    redelivery_delays: Vec<Duration>,
    kept_attempts: usize,
}

impl SimulatorBuilder {
    /// How many attempts to deliver the simulator keeps; beyond that it drops the oldest. Defaults
    /// to 10,000.
    pub fn kept_attempts(mut self, number: usize) -> Self {
        self.kept_attempts = number;
        self
    }

    /// The delays before a delivery that was not acknowledged is made again; when they are used up, it is given up. 1, 5 and 30
    /// seconds, 2 and 10 minutes and an hour unless set.
    pub fn redelivery_delays(mut self, delays: impl IntoIterator<Item = Duration>) -> Self {
        self.redelivery_delays = delays.into_iter().collect();
        self
    }

    /// Starts the server, in threads of its own, at this address; port 0 is any free one.
    ///
    /// # Errors
    /// When the address cannot be had, or a thread or a runtime cannot be started.
    pub fn start(self, address: SocketAddr) -> io::Result<Simulator> {
        let listener = TcpListener::bind(address)
            .map_err(|error| io::Error::new(error.kind(), format!("cannot serve at {address}: {error}")))?;
        let address = listener.local_addr()?;
        let (sender, receiver) = std::sync::mpsc::channel();
        let thread = thread::Builder::new().name("uploadcare-sim".to_owned()).spawn(move || {
            let system = System::new();
            system.block_on(async move {
                let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build();
                let state = Arc::new(State {
                    keys: self.keys,
                    redelivery_delays: self.redelivery_delays,
                    http: http.map_err(io::Error::other)?,
                    runtime: Handle::current(),
                    store: Mutex::default(),
                    faults: Mutex::default(),
                    attempts: Mutex::new(AttemptLog::new(self.kept_attempts)),
                });
                let (data, own) = (Data::new(Arc::clone(&state)), Data::new(OwnAddress::new(address)));
                let app = move || App::new().app_data(data.clone()).app_data(own.clone()).configure(routes);
                let server =
                    HttpServer::new(app).workers(2).disable_signals().shutdown_timeout(1).listen(listener)?.run();
                // Nobody waits for it if the one who started it is gone.
                let _ = sender.send((state, server.handle()));
                server.await
            })
        })?;
        match receiver.recv() {
            Ok((state, handle)) => Ok(Simulator { address, state, handle, thread }),
            Err(_) => Err(thread
                .join()
                .ok()
                .and_then(Result::err)
                .unwrap_or_else(|| io::Error::other("the server did not start"))),
        }
    }
}

/// A running simulator. Goes on until [`stop`](Self::stop), or the process ends.
pub struct Simulator {
    address: SocketAddr,
    state: Arc<State>,
    handle: ServerHandle,
    thread: thread::JoinHandle<io::Result<()>>,
}

impl Simulator {
    /// A simulator of one project with these API keys.
    pub fn builder(public_key: impl Into<String>, secret_key: impl Into<String>) -> SimulatorBuilder {
        let keys = Keys { public: public_key.into(), secret: secret_key.into() };
        let redelivery_delays = REDELIVERY_DELAYS.map(Duration::from_secs).to_vec();
        SimulatorBuilder { keys, redelivery_delays, kept_attempts: KEPT_ATTEMPTS }
    }

    /// Where its REST API is, for a client's base URL.
    pub fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Makes an event happen; returns the file's UUID. Deliveries go out by themselves.
    pub fn happen(&self, happening: &Happening) -> Uuid {
        happen(&self.state, happening).0
    }

    /// Spoils the next REST calls.
    pub fn fault(&self, fault: Fault) {
        self.state.faults().add(fault);
    }

    /// The subscriptions, oldest first.
    pub fn subscriptions(&self) -> Vec<Subscription> {
        self.state.store().all().to_vec()
    }

    /// Adds a subscription as it is, also one that the API would not create, such as one of an older version. Its id is replaced.
    pub fn subscribe(&self, subscription: Subscription) -> Subscription {
        self.state.store().insert(subscription)
    }

    /// The attempts to deliver, oldest first: the newest
    /// [`kept_attempts`](SimulatorBuilder::kept_attempts).
    pub fn attempts(&self) -> Vec<Attempt> {
        self.state.attempts(0)
    }

    /// The attempts to deliver without the first `known` that were ever made. An attempt that the
    /// simulator dropped before you read it is missing, and `known` counts it all the same.
    pub fn attempts_after(&self, known: usize) -> Vec<Attempt> {
        self.state.attempts(known)
    }

    /// Waits until the server ends.
    ///
    /// # Errors
    /// What ended it.
    pub fn wait(self) -> io::Result<()> {
        self.thread.join().unwrap_or_else(|_| Err(io::Error::other("the server panicked")))
    }

    /// Stops it; deliveries on their way are dropped.
    pub async fn stop(self) {
        self.handle.stop(true).await;
    }
}

impl fmt::Debug for Simulator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Simulator").field("address", &self.address).finish_non_exhaustive()
    }
}

impl fmt::Debug for SimulatorBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SimulatorBuilder").field("redelivery_delays", &self.redelivery_delays).finish_non_exhaustive()
    }
}
