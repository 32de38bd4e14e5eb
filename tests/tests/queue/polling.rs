//! When workers query the storage for jobs.

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
use uploadcare_hooks::{WebhookRouter, queue::Polling, webhook_handlers};

use crate::{Runs, builder, failing::Flaky, index, send, upload_of};

/// A worker that queries when it is woken.
struct Looking {
    polling: Polling,
    woken: Arc<Woken>,
}

#[derive(Default)]
struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

impl Looking {
    fn new(polling: Polling) -> Self {
        Self { polling, woken: Arc::default() }
    }

    fn look(&mut self) -> Poll<Option<()>> {
        let waker = Waker::from(Arc::clone(&self.woken));
        self.polling.poll_drive(&mut Context::from_waker(&waker), &PollSnapshot::new())
    }

    /// Whether it was woken since the last call.
    fn is_woken(&self) -> bool {
        self.woken.0.swap(false, Ordering::SeqCst)
    }

    /// Polls until no query is due.
    async fn settle(&mut self) {
        loop {
            let _ = self.look();
            tokio::time::sleep(Duration::from_millis(50)).await;
            if !self.is_woken() {
                return;
            }
        }
    }

    async fn until_woken(&self) {
        while !self.is_woken() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
}

fn hooks() -> WebhookRouter {
    let builder = builder(&Runs::default()).handlers(webhook_handlers![index]);
    builder.queue(Flaky::default()).build().unwrap()
}

#[tokio::test]
async fn every_worker_is_woken_when_a_delivery_is_stored() {
    let hooks = hooks();
    let hour = Duration::from_secs(60 * 60);
    let mut workers = [Looking::new(hooks.polling(hour)), Looking::new(hooks.polling(hour))];
    for size in 1..4 {
        for worker in &mut workers {
            worker.settle().await;
        }
        assert_eq!(send(&hooks, upload_of(size)).await.status(), StatusCode::ACCEPTED);
        for worker in &mut workers {
            assert!(worker.is_woken());
            assert_eq!(worker.look(), Poll::Ready(Some(())));
        }
    }
}

#[tokio::test]
async fn a_worker_is_woken_again_however_late_it_polls() {
    let hooks = hooks();
    let mut worker = Looking::new(hooks.polling(Duration::from_millis(5)));
    let without_queue = builder(&Runs::default()).handlers(webhook_handlers![index]).build().unwrap();
    let mut alone = Looking::new(without_queue.polling(Duration::ZERO));
    for _ in 0..5 {
        // After the first round, the time that the worker waited for has passed by now.
        let _ = (worker.look(), alone.look());
        worker.until_woken().await;
        alone.until_woken().await;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    drop(hooks);
    for _ in 0..5 {
        let _ = worker.look();
        worker.until_woken().await;
    }
}
