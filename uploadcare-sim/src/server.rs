//! Starts and stops the simulator, and puts its routes together.

use std::{
    convert::Infallible,
    fmt, io,
    net::{SocketAddr, TcpListener},
    path::PathBuf,
    sync::Arc,
    thread,
    time::Duration,
};

use actix_web::{
    App, HttpServer,
    dev::ServerHandle,
    middleware::from_fn,
    rt::System,
    web::{self, Data},
};
use tokio::{runtime::Handle, sync::oneshot};
use uploadcare_hooks::SigningSecret;
use uuid::Uuid;

use crate::{
    access::{self, Access},
    control,
    delivery::{EventSender, Triggered},
    event::SimulatedEvent,
    http::Http,
    page,
    project::{
        Attempt, Delivery, DeliveryFault, DeliveryFaultKind, Fault, Kept, Keys, Limits, Project, Settings, Store,
        Subscription,
    },
    rest,
    trigger::Trigger,
};

/// The default delays before redeliveries, in seconds. Uploadcare itself redelivers for 72 hours.
const REDELIVERY_DELAYS: [u64; 6] = [1, 5, 30, 120, 600, 3600];

/// How many attempts the simulator keeps by default: a few megabytes.
const KEPT_ATTEMPTS: usize = 10_000;
/// How many deliveries the simulator keeps by default, with all that was sent and answered.
const KEPT_DELIVERIES: usize = 500;

/// The default secret of subscriptions that are made on the page.
const SIGNING_SECRET: &str = "demosigningsecret";

/// Starts a [`Simulator`].
#[derive(Clone)]
#[must_use = "a builder does nothing until `start` is called"]
pub struct SimulatorBuilder {
    settings: Settings,
    redelivery_delays: Vec<Duration>,
    token: Option<String>,
    data_dir: Option<PathBuf>,
}

impl SimulatorBuilder {
    /// Sets how many attempts to deliver the simulator keeps. When there are more, it drops the
    /// oldest. Defaults to 10,000.
    pub fn kept_attempts(mut self, number: usize) -> Self {
        self.settings.limits.attempts = number;
        self
    }

    /// Sets how many deliveries the simulator keeps with all that was sent and answered. When there
    /// are more, it drops the oldest that are acknowledged or failed. Defaults to 500.
    pub fn kept_deliveries(mut self, number: usize) -> Self {
        self.settings.limits.deliveries = number;
        self
    }

    /// Lets clients subscribe to an event that Uploadcare does not document yet, such as
    /// `moderation.state_changed`. May be called several times.
    pub fn event(mut self, name: impl Into<String>) -> Self {
        self.settings.more_events.push(name.into());
        self
    }

    /// Sets the delays before the redeliveries of a delivery that is not acknowledged. After the
    /// last one, the simulator gives up. Defaults to 1, 5 and 30 seconds, 2 and 10 minutes, and an
    /// hour.
    pub fn redelivery_delays(mut self, delays: impl IntoIterator<Item = Duration>) -> Self {
        self.redelivery_delays = delays.into_iter().collect();
        self
    }

    /// Sets the signing secret that the page shows, and gives to the subscriptions that are made
    /// there. Defaults to `demosigningsecret`.
    pub fn signing_secret(mut self, secret: impl Into<String>) -> Self {
        self.settings.signing_secret = secret.into();
        self
    }

    /// Wants this token from all who use `/_sim` and the page. It is needed to listen on an address
    /// that other machines can reach. A program sends it as `Authorization: Bearer TOKEN`, and a
    /// browser signs in with it. The REST API keeps its own keys, and its secret key must then be
    /// another one than the documented `demosecretkey`, which everybody knows.
    pub fn token(mut self, token: impl Into<String>) -> Self {
        self.token = Some(token.into());
        self
    }

    /// Keeps subscriptions and deliveries in the file `uploadcare-sim.redb` in this folder, so that
    /// a restart loses nothing, and deliveries that were waiting are sent after it. The simulator
    /// makes the folder if it does not exist, for its owner only: the file holds the signing
    /// secrets. Faults are not kept.
    ///
    /// [`Simulator::trigger`] and [`Simulator::subscribe`] then return when the file is written,
    /// which takes some milliseconds.
    pub fn data_dir(mut self, folder: impl Into<PathBuf>) -> Self {
        self.data_dir = Some(folder.into());
        self
    }

    /// Starts the server at this address, in threads of its own. Port 0 takes any free port.
    ///
    /// # Errors
    /// If the simulator cannot listen on the address, other machines can reach the address and
    /// there is no [`token`](Self::token) or the secret key is the documented one, the
    /// [`data_dir`](Self::data_dir) cannot be used, an option is invalid, or a thread or a runtime
    /// cannot be started.
    pub fn start(self, address: SocketAddr) -> io::Result<Simulator> {
        Access::new(address, self.token.as_deref(), &self.settings.keys.secret)?;
        if let Err(problem) = SigningSecret::new(&self.settings.signing_secret) {
            let words = format!("the signing secret cannot be used: {problem}");
            return Err(io::Error::new(io::ErrorKind::InvalidInput, words));
        }
        let listener = TcpListener::bind(address)
            .map_err(|error| io::Error::new(error.kind(), format!("cannot listen on {address}: {error}")))?;
        let address = listener.local_addr()?;
        let access = Access::new(address, self.token.as_deref(), &self.settings.keys.secret)?;
        let store = self.data_dir.as_deref().map(Store::open).transpose()?;
        let (sender, receiver) = std::sync::mpsc::channel();
        let (ended, running) = oneshot::channel::<Infallible>();
        let thread = thread::Builder::new().name("uploadcare-sim".to_owned()).spawn(move || {
            let serve = self.serve(listener, access, store, move |started| {
                // This fails only if the thread that called `start` has ended.
                let _ = sender.send(started);
            });
            let served = System::new().block_on(serve);
            drop(running);
            served
        })?;
        match receiver.recv() {
            Ok((events, handle)) => Ok(Simulator { address, events, handle, thread, ended }),
            Err(_) => Err(thread
                .join()
                .ok()
                .and_then(Result::err)
                .unwrap_or_else(|| io::Error::other("the server did not start"))),
        }
    }

    /// Serves until the server is stopped.
    async fn serve(
        self,
        listener: TcpListener,
        access: Access,
        store: Option<(Store, Kept)>,
        started: impl FnOnce((Arc<EventSender>, ServerHandle)),
    ) -> io::Result<()> {
        let project = Arc::new(Project::new(self.settings, store));
        let events = Arc::new(EventSender {
            project: Arc::clone(&project),
            redelivery_delays: self.redelivery_delays,
            http: Http::new().map_err(io::Error::other)?,
            runtime: Handle::current(),
        });
        let data = (Data::from(project), Data::from(Arc::clone(&events)), Data::new(access));
        let app = move || {
            let (project, events, access) = data.clone();
            let app = App::new().app_data(project).app_data(events).app_data(access);
            let login = web::resource(access::LOGIN)
                .route(web::get().to(access::login_page))
                .route(web::post().to(access::sign_in));
            app.service(control::routes())
                .service(login)
                .configure(page::configure)
                .default_service(web::to(rest::call).wrap(from_fn(access::guard_rest)))
        };
        let server = HttpServer::new(app).workers(2).disable_signals().shutdown_timeout(1).listen(listener)?.run();
        events.resume();
        started((events, server.handle()));
        server.await
    }
}

/// A running simulator. It runs until [`stop`](Self::stop) is called or the process ends.
pub struct Simulator {
    address: SocketAddr,
    events: Arc<EventSender>,
    handle: ServerHandle,
    thread: thread::JoinHandle<io::Result<()>>,
    /// Is closed when the thread ends.
    ended: oneshot::Sender<Infallible>,
}

impl Simulator {
    /// Simulates one project with these API keys.
    pub fn builder(public_key: impl Into<String>, secret_key: impl Into<String>) -> SimulatorBuilder {
        let keys = Keys { public: public_key.into(), secret: secret_key.into() };
        let redelivery_delays = REDELIVERY_DELAYS.map(Duration::from_secs).to_vec();
        let limits = Limits { attempts: KEPT_ATTEMPTS, deliveries: KEPT_DELIVERIES };
        let settings = Settings { keys, limits, more_events: Vec::new(), signing_secret: SIGNING_SECRET.to_owned() };
        SimulatorBuilder { settings, redelivery_delays, token: None, data_dir: None }
    }

    /// The URL of the REST API, to be used as a client's base URL.
    pub fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Triggers an event, and returns the file's UUID. The simulator delivers the event in the
    /// background.
    pub fn trigger(&self, event: &SimulatedEvent) -> Uuid {
        let uuid = self.events.send(event);
        // The event happened, even if it cannot be kept; `/_sim/events` says so.
        let _ = self.project().kept_blocking();
        uuid
    }

    /// Triggers an event with all options.
    ///
    /// # Errors
    /// Returns which option is wrong, with its value, or that too much is waiting. Then nothing is
    /// delivered.
    pub fn trigger_with(&self, trigger: &Trigger) -> Result<Triggered, String> {
        let triggered = self.events.trigger(trigger).map_err(|error| error.text().to_owned())?;
        self.project().kept_blocking().map(|()| triggered)
    }

    /// Makes the next REST calls fail.
    pub fn fault(&self, fault: Fault) {
        self.project().add_fault(fault);
    }

    /// Sets how often deliveries run into a fault. A probability of 0 switches the fault off.
    ///
    /// # Errors
    /// Returns what is wrong if the probability is not between 0 and 1, or the time is too long.
    pub fn delivery_fault(&self, kind: DeliveryFaultKind, fault: DeliveryFault) -> Result<(), String> {
        self.project().set_delivery_faults([(kind, fault)])
    }

    /// The subscriptions, in the order in which they were created.
    pub fn subscriptions(&self) -> Vec<Subscription> {
        self.project().subscriptions()
    }

    /// Adds a subscription without checks, such as one of an older version, which the API would not
    /// create. The simulator replaces its id.
    pub fn subscribe(&self, subscription: Subscription) -> Subscription {
        let inserted = self.project().change_subscriptions(|all| Ok(all.insert(subscription.clone())));
        let _ = self.project().kept_blocking();
        inserted.unwrap_or(subscription)
    }

    /// The kept deliveries, newest first, with all that was sent and answered.
    pub fn deliveries(&self) -> Vec<Arc<Delivery>> {
        self.project().deliveries()
    }

    /// The attempts to deliver, oldest first: the newest
    /// [`kept_attempts`](SimulatorBuilder::kept_attempts).
    pub fn attempts(&self) -> Vec<Attempt> {
        self.attempts_after(0)
    }

    /// The attempts to deliver without the first `known` that were ever made. An attempt that the
    /// simulator dropped before you read it is missing, and `known` counts it all the same.
    pub fn attempts_after(&self, known: usize) -> Vec<Attempt> {
        self.project().attempts().after(known)
    }

    /// Blocks until the server ends.
    ///
    /// # Errors
    /// If the server failed or panicked.
    pub fn wait(self) -> io::Result<()> {
        self.thread.join().unwrap_or_else(|_| Err(io::Error::other("the server panicked")))
    }

    /// Is done when the server ends, which it does by itself only if it fails: [`wait`](Self::wait)
    /// then returns why. Blocks no thread.
    pub async fn ended(&mut self) {
        self.ended.closed().await;
    }

    /// Stops the simulator. It does not finish pending deliveries. With a
    /// [`data_dir`](SimulatorBuilder::data_dir), all changes are written, and another simulator can
    /// use the folder.
    pub async fn stop(self) {
        self.project().stop();
        self.handle.stop(true).await;
        // A change that could not be written was refused before.
        let _ = self.project().close();
    }

    fn project(&self) -> &Project {
        &self.events.project
    }
}

impl fmt::Debug for Simulator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Simulator").field("address", &self.address).finish_non_exhaustive()
    }
}

impl fmt::Debug for SimulatorBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SimulatorBuilder")
            .field("redelivery_delays", &self.redelivery_delays)
            .field("limits", &self.settings.limits)
            .field("data_dir", &self.data_dir)
            .finish_non_exhaustive()
    }
}
