//! Networks that die without a word, handlers that block their thread, and data that was removed.

use std::{
    io::{Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use futures_util::poll;
use http::StatusCode;
use tests::storages::{Kind, RunningWorker, TestQueue};
use uploadcare_hooks::{
    FileStored, State,
    queue::{OpenOptions, Storage},
    webhook_handler, webhook_handlers,
};

use crate::{
    Runs, copy_stored, deliver, discard, index, never_waits, over_every_storage, quick, send, upload_of,
    wait_for_unexpected_runs, wait_until,
};

/// Passes connections on, until it is told to pass nothing on in those that it has.
#[derive(Clone)]
struct Proxy {
    port: u16,
    connections: Arc<Mutex<Vec<Connection>>>,
}

/// Whether nothing passes, towards the server and back.
type Connection = [Arc<AtomicBool>; 2];

impl Proxy {
    fn before(server: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let proxy = Self { port: listener.local_addr().unwrap().port(), connections: Arc::default() };
        let connections = Arc::clone(&proxy.connections);
        std::thread::spawn(move || {
            for client in listener.incoming() {
                let (client, server) = (client.unwrap(), TcpStream::connect(&server).unwrap());
                let connection = Connection::default();
                connections.lock().unwrap().push(connection.clone());
                let [there, back] = connection;
                let (from, to) = (client.try_clone().unwrap(), server.try_clone().unwrap());
                std::thread::spawn(move || pass(from, to, &there));
                std::thread::spawn(move || pass(server, client, &back));
            }
        });
        proxy
    }

    /// Stops what passes in the connections so far, towards the server or back or both.
    fn freeze(&self, directions: [bool; 2]) {
        for connection in self.connections.lock().unwrap().iter() {
            for (frozen, freeze) in connection.iter().zip(directions) {
                frozen.store(freeze, Ordering::SeqCst);
            }
        }
    }
}

fn pass(mut from: TcpStream, mut to: TcpStream, frozen: &AtomicBool) {
    let mut buffer = vec![0; 1 << 16];
    loop {
        let read = from.read(&mut buffer).unwrap_or(0);
        while frozen.load(Ordering::SeqCst) {
            std::thread::sleep(Duration::from_millis(5));
        }
        if read == 0 || to.write_all(&buffer[..read]).is_err() {
            let _ = to.shutdown(Shutdown::Write);
            return;
        }
    }
}

/// The queue behind a proxy, and directly. `None` if no server is configured.
async fn behind_a_proxy(kind: Kind) -> Option<(Proxy, Storage, Storage)> {
    let (url, queue) = (kind.server()?, TestQueue::new(kind).unwrap());
    let address = url.rsplit(['@', '/']).find(|part| part.contains(':')).unwrap().to_owned();
    let proxy = Proxy::before(address.clone());
    let url = url.replace(&address, &format!("127.0.0.1:{}", proxy.port));
    let options = OpenOptions::new().name(&queue.name);
    let behind = if kind == Kind::Redis { options.open_redis(&url).await } else { options.open_postgres(&url).await };
    Some((proxy, behind.unwrap(), queue.open().await.unwrap()?))
}

async fn a_storage_recovers_when_its_connections_die_without_a_word(kind: Kind) {
    let Some((proxy, storage, _)) = behind_a_proxy(kind).await else { return };
    let hooks = quick(&Runs::default(), &storage).handlers(webhook_handlers![index]).build().unwrap();
    assert_eq!(send(&hooks, upload_of(1)).await.status(), StatusCode::ACCEPTED);
    proxy.freeze([true, true]);
    let started = Instant::now();
    while send(&hooks, upload_of(2)).await.status() != StatusCode::ACCEPTED {
        assert!(started.elapsed() < Duration::from_secs(25), "no delivery is stored any more");
    }
    proxy.freeze([false, false]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redis_recovers_when_its_connection_dies_without_a_word() {
    a_storage_recovers_when_its_connections_die_without_a_word(Kind::Redis).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_recovers_when_its_connections_die_without_a_word() {
    a_storage_recovers_when_its_connections_die_without_a_word(Kind::Postgres).await;
}

/// The worker takes a job out, and the answer is lost: the job has not started.
async fn a_job_whose_answer_was_lost_does_not_count_as_started(kind: Kind) {
    let Some((proxy, storage, direct)) = behind_a_proxy(kind).await else { return };
    let runs = Runs::default();
    let receiver = quick(&runs, &direct).handlers(webhook_handlers![index]).build().unwrap();
    let hooks = quick(&runs, &storage).queue_attempts(1).handlers(webhook_handlers![index]).build().unwrap();
    let worker = RunningWorker::start(&hooks);
    wait_for_unexpected_runs().await;
    proxy.freeze([false, true]);
    assert_eq!(send(&receiver, upload_of(1)).await.status(), StatusCode::ACCEPTED);
    wait_until("the job was taken out", async || receiver.queue_stats().await.unwrap().waiting == 0).await;
    wait_until("the job ran", async || runs.of("index") == 1).await;
    proxy.freeze([false, false]);
    worker.stop().await.unwrap();
    assert_eq!(receiver.queue_stats().await.unwrap().dead, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_whose_answer_was_lost_by_redis_does_not_count_as_started() {
    a_job_whose_answer_was_lost_does_not_count_as_started(Kind::Redis).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_whose_answer_was_lost_by_postgres_does_not_count_as_started() {
    a_job_whose_answer_was_lost_does_not_count_as_started(Kind::Postgres).await;
}

over_every_storage! {
    a_delivery_whose_thread_is_blocked_stops_no_other
    a_handler_that_blocks_the_only_thread_keeps_its_job_and_stops_no_delivery
    a_handler_that_blocks_at_a_stop_is_not_started_again_meanwhile
    a_job_that_is_run_again_keeps_its_failures_and_its_patience
}

/// A web server has several threads, and something else may block one of them while a delivery
/// waits there to be stored.
async fn a_delivery_whose_thread_is_blocked_stops_no_other(storage: Storage) {
    if never_waits(&storage) {
        return;
    }
    let hooks = quick(&Runs::default(), &storage).handlers(webhook_handlers![index]).build().unwrap();
    let blocked = hooks.clone();
    let thread = std::thread::spawn(move || {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
            let mut delivery = Box::pin(send(&blocked, upload_of(1)));
            assert!(poll!(&mut delivery).is_pending());
            std::thread::sleep(Duration::from_secs(3));
            delivery.await.status()
        })
    });
    tokio::time::sleep(Duration::from_millis(200)).await;
    let started = Instant::now();
    for size in 2..10 {
        assert_eq!(send(&hooks, upload_of(size)).await.status(), StatusCode::ACCEPTED);
    }
    assert!(started.elapsed() < Duration::from_secs(2), "{:?}", started.elapsed());
    assert_eq!(thread.join().unwrap(), StatusCode::ACCEPTED);
}

#[webhook_handler(event = "file.stored")]
async fn blocks(_event: FileStored, State(runs): State<Runs>) {
    runs.count("blocks started");
    std::thread::sleep(Duration::from_millis(3000));
    runs.count("blocks ended");
}

/// As under `#[actix_web::main]`: all of the worker, and what opened the storage, run in one
/// thread.
async fn a_handler_that_blocks_the_only_thread_keeps_its_job_and_stops_no_delivery(storage: Storage) {
    let runs = Runs::default();
    let hooks = quick(&runs, &storage).handlers(webhook_handlers![blocks, index]).build().unwrap();
    let worker = hooks.run_worker(std::future::pending::<()>());
    std::thread::spawn(move || {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(worker);
    });
    assert_eq!(deliver(&hooks, "file.stored").await, StatusCode::ACCEPTED);
    wait_until("the handler blocks", async || runs.of("blocks started") == 1).await;
    let other = RunningWorker::start(&hooks);
    let started = Instant::now();
    assert_eq!(send(&hooks, upload_of(1)).await.status(), StatusCode::ACCEPTED);
    assert!(started.elapsed() < Duration::from_secs(1), "{:?}", started.elapsed());
    wait_until("the handler ended", async || runs.of("blocks ended") == 1).await;
    wait_for_unexpected_runs().await;
    assert_eq!(runs.of("blocks started"), 1, "no other worker took the job");
    other.stop().await.unwrap();
}

async fn a_handler_that_blocks_at_a_stop_is_not_started_again_meanwhile(storage: Storage) {
    let runs = Runs::default();
    let builder = quick(&runs, &storage).queue_lease(Duration::from_secs(6));
    let hooks = builder.queue_stop_timeout(Duration::ZERO).handlers(webhook_handlers![blocks]).build().unwrap();
    let worker = RunningWorker::start(&hooks);
    assert_eq!(deliver(&hooks, "file.stored").await, StatusCode::ACCEPTED);
    wait_until("the handler blocks", async || runs.of("blocks started") == 1).await;
    worker.stop().await.unwrap();
    let other = RunningWorker::start(&hooks);
    wait_until("the handler ended", async || runs.of("blocks ended") == 1).await;
    assert_eq!(runs.of("blocks started"), 1);
    other.abort();
}

async fn a_job_that_is_run_again_keeps_its_failures_and_its_patience(storage: Storage) {
    let runs = Runs::default();
    let new = quick(&runs, &storage).handlers(webhook_handlers![discard]).build().unwrap();
    let worker = RunningWorker::start(&new);
    assert_eq!(deliver(&new, "file.stored").await, StatusCode::ACCEPTED);
    wait_until("the job is dead", async || !new.dead_jobs(10).await.unwrap().is_empty()).await;
    worker.stop().await.unwrap();
    // Longer than the attempts of a job last here.
    tokio::time::sleep(Duration::from_secs(3)).await;
    let old = quick(&runs, &storage).handlers(webhook_handlers![copy_stored]).build().unwrap();
    let worker = RunningWorker::start(&old);
    assert!(new.run_again(&new.dead_jobs(10).await.unwrap()[0]).await.unwrap());
    let has_two = async || old.failing_jobs(10).await.unwrap().iter().any(|failing| failing.failures.len() == 2);
    wait_until("the old process saw it", has_two).await;
    let failing = old.failing_jobs(10).await.unwrap();
    let failures: Vec<_> = failing[0].failures.iter().map(|failure| (failure.run, failure.attempt)).collect();
    assert_eq!(failures, [(0, 1), (1, 1)]);
    assert_eq!(failing[0].failures[0].error, "this can never succeed");
    worker.stop().await.unwrap();
}

/// A server that deletes keys, or an administrator, may remove the set of waiting jobs.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redelivery_makes_up_for_a_name_that_redis_lost() {
    let Some(url) = Kind::Redis.server() else { return };
    let queue = TestQueue::new(Kind::Redis).unwrap();
    let storage = queue.open().await.unwrap().unwrap();
    let runs = Runs::default();
    let hooks = quick(&runs, &storage).handlers(webhook_handlers![index]).build().unwrap();
    assert_eq!(send(&hooks, upload_of(1)).await.status(), StatusCode::ACCEPTED);
    let mut connection = redis::Client::open(url).unwrap().get_multiplexed_async_connection().await.unwrap();
    let waiting = format!("{{uploadcare-hooks:{}}}:waiting", queue.name);
    redis::cmd("DEL").arg(waiting).exec_async(&mut connection).await.unwrap();
    assert_eq!(send(&hooks, upload_of(1)).await.status(), StatusCode::ACCEPTED);
    let worker = RunningWorker::start(&hooks);
    wait_until("the job ran", async || runs.of("index") == 1).await;
    worker.stop().await.unwrap();
}
