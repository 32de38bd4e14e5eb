//! `Polling`: when a worker looks for jobs in the storage.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
    time::Duration,
};

use apalis_core::backend::ext::poll_strategy::{PollSnapshot, PollStrategy};
use http::StatusCode;
use uploadcare_hooks::{
    WebhookRouter,
    queue::{self, apalis::Polling},
    webhook_handlers,
};

use super::backend::FakeStorage;
use crate::{Runs, builder, index, send, upload_of};

/// A worker that looks for jobs when it is woken.
struct PollingWorker {
    polling: Polling,
    wakeups: Arc<Wakeups>,
}

#[derive(Default)]
struct Wakeups(AtomicBool);

impl Wake for Wakeups {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

impl PollingWorker {
    fn new(polling: Polling) -> Self {
        Self { polling, wakeups: Arc::default() }
    }

    fn look(&mut self) -> Poll<Option<()>> {
        let waker = Waker::from(Arc::clone(&self.wakeups));
        self.polling.poll_drive(&mut Context::from_waker(&waker), &PollSnapshot::new())
    }

    /// Whether the worker was woken since the last call.
    fn was_woken(&self) -> bool {
        self.wakeups.0.swap(false, Ordering::SeqCst)
    }

    /// Looks for jobs until no wake-up comes for 50 milliseconds.
    async fn look_until_idle(&mut self) {
        loop {
            let _ = self.look();
            tokio::time::sleep(Duration::from_millis(50)).await;
            if !self.was_woken() {
                return;
            }
        }
    }

    async fn wait_until_woken(&self) {
        while !self.was_woken() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
}

fn router_with_queue() -> WebhookRouter {
    let builder = builder(&Runs::default()).handlers(webhook_handlers![index]);
    builder.queue(queue::apalis::storage(FakeStorage::default())).build().unwrap()
}

#[tokio::test]
async fn every_worker_is_woken_when_a_delivery_is_stored() {
    let hooks = router_with_queue();
    let hour = Duration::from_secs(60 * 60);
    let mut workers = [PollingWorker::new(hooks.polling(hour)), PollingWorker::new(hooks.polling(hour))];
    for size in 1..4 {
        for worker in &mut workers {
            worker.look_until_idle().await;
        }
        assert_eq!(send(&hooks, upload_of(size)).await.status(), StatusCode::ACCEPTED);
        for worker in &mut workers {
            assert!(worker.was_woken());
            assert_eq!(worker.look(), Poll::Ready(Some(())));
        }
    }
}

#[tokio::test]
async fn a_worker_that_looks_late_is_still_woken_again() {
    let hooks = router_with_queue();
    let mut worker = PollingWorker::new(hooks.polling(Duration::from_millis(5)));
    let router_without_queue = builder(&Runs::default()).handlers(webhook_handlers![index]).build().unwrap();
    let mut worker_without_queue = PollingWorker::new(router_without_queue.polling(Duration::ZERO));
    for _ in 0..5 {
        // From the second round on, the wait has already ended when the worker looks.
        let _ = (worker.look(), worker_without_queue.look());
        worker.wait_until_woken().await;
        worker_without_queue.wait_until_woken().await;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    drop(hooks);
    for _ in 0..5 {
        let _ = worker.look();
        worker.wait_until_woken().await;
    }
}
