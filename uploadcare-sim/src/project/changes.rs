//! Tells those who watch the simulator what changed.
//!
//! A change is kept until each watcher took it. A watcher that does not read must not make the
//! simulator keep all deliveries that ever changed, so the kept changes are limited by their bytes.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use tokio::sync::watch;

use super::{Attempt, Delivery, Exchange, lock, shared_bytes::SharedBytes};

/// How many bytes the changes that wait for slow watchers may have. The newest change is kept
/// whatever its size.
const MOST_BYTES: usize = 8 * 1024 * 1024;
/// What a change or an attempt takes beside its texts, roughly.
const OVERHEAD: usize = 512;

/// Something that changed.
#[derive(Debug, Clone)]
pub(crate) enum Change {
    /// A delivery is new, or has one more attempt.
    Delivery(Arc<Delivery>),
    /// An attempt ended. Holds the delivery as well, as it is then.
    Attempt(Arc<Attempt>, Arc<Delivery>),
    /// A subscription was created, changed or deleted.
    Subscriptions,
    /// Faults were switched on or off.
    Faults,
    /// Everything was reset.
    Reset,
    /// The simulator stops: a stream of changes ends.
    Stop,
}

impl Change {
    fn delivery(&self) -> Option<&Arc<Delivery>> {
        match self {
            Self::Delivery(delivery) | Self::Attempt(_, delivery) => Some(delivery),
            Self::Subscriptions | Self::Faults | Self::Reset | Self::Stop => None,
        }
    }

    /// The bytes without the payload, which other changes may share.
    fn bytes(&self) -> usize {
        let attempts = self.delivery().map_or(0, |delivery| delivery.attempts.iter().map(bytes_of).sum());
        OVERHEAD + attempts
    }
}

fn bytes_of(exchange: &Exchange) -> usize {
    let headers =
        |headers: &[(String, String)]| headers.iter().map(|(name, value)| name.len() + value.len()).sum::<usize>();
    let answer = exchange.answer.as_ref().map_or(0, |answer| headers(&answer.headers) + answer.body.len());
    OVERHEAD + headers(&exchange.request_headers) + answer + exchange.error.as_ref().map_or(0, String::len)
}

/// Why a watcher gets no change.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Missed {
    /// It was too slow for so many changes. The next one that is kept follows.
    Lagged(u64),
    /// The project is gone.
    Closed,
}

#[derive(Debug)]
pub(crate) struct Changes {
    waiting: Arc<Mutex<Waiting>>,
    /// Wakes the watchers.
    news: watch::Sender<()>,
}

/// The changes that a watcher did not take yet.
#[derive(Debug, Default)]
struct Waiting {
    changes: VecDeque<Kept>,
    /// The number of the first of `changes`.
    first: u64,
    watchers: usize,
    /// Without payloads.
    bytes: usize,
    payloads: SharedBytes,
}

#[derive(Debug)]
struct Kept {
    change: Change,
    /// How many watchers did not take it yet.
    untaken: usize,
}

impl Default for Changes {
    fn default() -> Self {
        Self { waiting: Arc::default(), news: watch::Sender::new(()) }
    }
}

impl Changes {
    pub(crate) fn tell(&self, change: Change) {
        lock(&self.waiting).add(change);
        self.news.send_replace(());
    }

    pub(crate) fn watch(&self) -> Watcher {
        let news = self.news.subscribe();
        let mut waiting = lock(&self.waiting);
        waiting.watchers += 1;
        Watcher { waiting: Arc::clone(&self.waiting), next: waiting.end(), news }
    }
}

impl Waiting {
    /// The number of the change that comes next.
    fn end(&self) -> u64 {
        self.first + self.changes.len() as u64
    }

    fn add(&mut self, change: Change) {
        if self.watchers == 0 {
            return;
        }
        self.bytes += change.bytes();
        if let Some(delivery) = change.delivery() {
            self.payloads.add(&delivery.body);
        }
        self.changes.push_back(Kept { change, untaken: self.watchers });
        while self.changes.len() > 1 && self.bytes + self.payloads.bytes() > MOST_BYTES {
            self.drop_first();
        }
    }

    fn drop_first(&mut self) {
        let Some(Kept { change, .. }) = self.changes.pop_front() else { return };
        self.first += 1;
        self.bytes -= change.bytes();
        if let Some(delivery) = change.delivery() {
            self.payloads.remove(&delivery.body);
        }
    }

    fn drop_taken(&mut self) {
        while self.changes.front().is_some_and(|kept| kept.untaken == 0) {
            self.drop_first();
        }
    }

    /// The change for a watcher that has seen those before `next`; `None` if there is none yet.
    fn take(&mut self, next: &mut u64) -> Option<Result<Change, Missed>> {
        if *next < self.first {
            let missed = self.first - *next;
            *next = self.first;
            return Some(Err(Missed::Lagged(missed)));
        }
        let kept = self.changes.get_mut(usize::try_from(*next - self.first).ok()?)?;
        *next += 1;
        kept.untaken -= 1;
        let change = kept.change.clone();
        self.drop_taken();
        Some(Ok(change))
    }
}

/// Receives what changes, from the time on at which it was made.
#[derive(Debug)]
pub(crate) struct Watcher {
    waiting: Arc<Mutex<Waiting>>,
    /// The number of the change that it takes next.
    next: u64,
    news: watch::Receiver<()>,
}

impl Watcher {
    /// Waits for the next change. Loses none if it is dropped before it is done.
    pub(crate) async fn recv(&mut self) -> Result<Change, Missed> {
        loop {
            let taken = lock(&self.waiting).take(&mut self.next);
            if let Some(taken) = taken {
                return taken;
            }
            self.news.changed().await.map_err(|_| Missed::Closed)?;
        }
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        let mut waiting = lock(&self.waiting);
        waiting.watchers -= 1;
        let taken = usize::try_from(self.next.saturating_sub(waiting.first)).unwrap_or(usize::MAX);
        for kept in waiting.changes.iter_mut().skip(taken) {
            kept.untaken -= 1;
        }
        waiting.drop_taken();
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;
    use crate::project::deliveries::tests::delivery;

    fn delivery_of(bytes: usize) -> Change {
        Change::Delivery(Arc::new(Delivery { body: "x".repeat(bytes).into(), ..delivery() }))
    }

    fn take(watcher: &mut Watcher) -> Option<Result<Change, Missed>> {
        watcher.recv().now_or_never()
    }

    #[test]
    fn a_watcher_that_does_not_read_keeps_few_bytes_and_is_told_how_much_it_missed() {
        let changes = Changes::default();
        let mut slow = changes.watch();
        let mut quick = changes.watch();
        for _ in 0..100 {
            changes.tell(delivery_of(1024 * 1024));
            assert!(matches!(take(&mut quick), Some(Ok(Change::Delivery(_)))));
        }
        let (kept, bytes) = {
            let waiting = lock(&changes.waiting);
            (waiting.changes.len(), waiting.bytes + waiting.payloads.bytes())
        };
        assert!((1..8).contains(&kept) && bytes <= MOST_BYTES, "{kept} changes, {bytes} bytes");
        assert_eq!(take(&mut slow).unwrap().unwrap_err(), Missed::Lagged(100 - kept as u64));
        for _ in 0..kept {
            assert!(matches!(take(&mut slow), Some(Ok(Change::Delivery(_)))));
        }
        assert!(take(&mut slow).is_none());
        changes.tell(delivery_of(MOST_BYTES + 1));
        assert!(matches!(take(&mut slow), Some(Ok(Change::Delivery(_)))), "a change may be larger than the limit");
        drop(changes);
        assert_eq!(take(&mut slow).unwrap().unwrap_err(), Missed::Closed);
    }

    #[test]
    fn a_change_is_kept_until_the_last_watcher_took_it_or_is_gone() {
        let changes = Changes::default();
        changes.tell(Change::Faults);
        let kept = || lock(&changes.waiting).changes.len();
        assert_eq!(kept(), 0, "there is no watcher");
        let (mut one, other) = (changes.watch(), changes.watch());
        changes.tell(Change::Faults);
        changes.tell(Change::Reset);
        assert!(matches!(take(&mut one), Some(Ok(Change::Faults))));
        assert_eq!(kept(), 2);
        drop(other);
        assert_eq!(kept(), 1);
        assert!(matches!(take(&mut one), Some(Ok(Change::Reset))));
        assert_eq!((kept(), take(&mut one).is_none()), (0, true));
        let waiting = lock(&changes.waiting);
        assert_eq!((waiting.bytes, waiting.payloads.bytes()), (0, 0));
    }

    #[test]
    fn changes_with_the_same_payload_count_it_once() {
        let changes = Changes::default();
        let mut watcher = changes.watch();
        let change = delivery_of(1024 * 1024);
        for _ in 0..1000 {
            changes.tell(change.clone());
        }
        for _ in 0..1000 {
            assert!(matches!(take(&mut watcher), Some(Ok(Change::Delivery(_)))));
        }
    }
}
