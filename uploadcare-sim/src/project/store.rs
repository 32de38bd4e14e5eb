//! Keeps subscriptions and deliveries in a file, so that a restart loses nothing.
//!
//! A thread of its own writes. It takes all changes that wait and writes them in one transaction,
//! so a burst of events costs a few writes to the disk. `file.rs` has the tables.

mod file;

use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
    sync::{
        Arc,
        mpsc::{self, Receiver, Sender},
    },
    thread,
};

use tokio::sync::oneshot;

use self::file::StoreFile;
use super::{Delivery, Subscription, Totals};

/// The most changes that one transaction takes.
const MOST_CHANGES: usize = 10_000;

/// What a file had when it was opened.
#[derive(Debug, Default)]
pub(crate) struct Kept {
    pub(super) subscriptions: Vec<Subscription>,
    /// The highest id that a subscription ever had.
    pub(super) last_subscription: u64,
    pub(super) deliveries: Vec<Delivery>,
    pub(super) totals: Totals,
}

/// Changes that are not written yet.
#[derive(Debug, Default)]
struct Batch {
    /// All subscriptions, and the highest id that one ever had.
    subscriptions: Option<(Vec<Subscription>, u64)>,
    /// Forgets all deliveries before those in `deliveries`.
    clear: bool,
    /// By number; `None` for deliveries that were dropped.
    deliveries: BTreeMap<u64, Option<Arc<Delivery>>>,
    totals: Option<Totals>,
}

impl Batch {
    fn is_empty(&self) -> bool {
        self.subscriptions.is_none() && self.totals.is_none()
    }
}

/// Is told how the writing of all changes before it went.
type Written = Box<dyn FnOnce(Result<(), String>) + Send>;

enum Order {
    Subscriptions(Vec<Subscription>, u64),
    Deliveries { clear: bool, put: Option<Arc<Delivery>>, dropped: Vec<u64>, totals: Totals },
    Flush(Written),
    Close(Written),
}

/// Writes to the file. Changes are written in the order in which these methods are called.
#[derive(Debug)]
pub(crate) struct Store {
    orders: Sender<Order>,
    folder: PathBuf,
}

impl Store {
    /// Opens the file in this folder, and makes both if they do not exist.
    ///
    /// # Errors
    /// If the folder or the file cannot be opened, another simulator uses it, or it is damaged.
    pub(crate) fn open(folder: &Path) -> io::Result<(Self, Kept)> {
        let (file, kept) = StoreFile::open(folder)?;
        let (orders, receiver) = mpsc::channel();
        let writer = Writer { folder: folder.to_owned(), file: Some(file) };
        thread::Builder::new().name("uploadcare-sim-store".to_owned()).spawn(move || run(&receiver, writer))?;
        Ok((Self { orders, folder: folder.to_owned() }, kept))
    }

    pub(super) fn subscriptions(&self, all: &[Subscription], last_id: u64) {
        self.order(Order::Subscriptions(all.to_vec(), last_id));
    }

    /// A delivery is new or changed, and others were dropped.
    pub(super) fn delivery(&self, delivery: Option<Arc<Delivery>>, dropped: &[Arc<Delivery>], totals: Totals) {
        let dropped = dropped.iter().map(|dropped| dropped.number).collect();
        self.order(Order::Deliveries { clear: false, put: delivery, dropped, totals });
    }

    /// All deliveries were forgotten.
    pub(super) fn clear_deliveries(&self, totals: Totals) {
        self.order(Order::Deliveries { clear: true, put: None, dropped: Vec::new(), totals });
    }

    /// Waits until all changes so far are on the disk.
    ///
    /// # Errors
    /// Returns why they are not.
    pub(super) async fn flush(&self) -> Result<(), String> {
        let (sender, receiver) = oneshot::channel();
        self.order(Order::Flush(Box::new(move |written| drop(sender.send(written)))));
        self.words(receiver.await.unwrap_or_else(|_| Err("the file is closed".to_owned())))
    }

    /// The same for callers that are not async.
    pub(super) fn flush_blocking(&self) -> Result<(), String> {
        self.wait_for(Order::Flush)
    }

    /// Writes what waits, and closes the file, so that another simulator can open it. Later changes
    /// are not written.
    pub(super) fn close(&self) -> Result<(), String> {
        self.wait_for(Order::Close)
    }

    fn wait_for(&self, order: impl FnOnce(Written) -> Order) -> Result<(), String> {
        let (sender, receiver) = mpsc::channel();
        self.order(order(Box::new(move |written| drop(sender.send(written)))));
        self.words(receiver.recv().unwrap_or_else(|_| Err("the file is closed".to_owned())))
    }

    fn words(&self, written: Result<(), String>) -> Result<(), String> {
        written.map_err(|problem| {
            let folder = self.folder.display();
            format!(
                "the simulator cannot write to its folder {folder}: {problem}; it tries again with the next change, \
                 and what it cannot write until it ends is lost"
            )
        })
    }

    fn order(&self, order: Order) {
        // This fails only after `close`.
        let _ = self.orders.send(order);
    }
}

/// Writes to the file, and opens it again after a write that failed, as on a full disk: redb then
/// refuses all that follows.
struct Writer {
    folder: PathBuf,
    file: Option<StoreFile>,
}

impl Writer {
    fn write(&mut self, batch: &Batch) -> Result<(), String> {
        let mut file = match self.file.take() {
            Some(file) => file,
            None => StoreFile::reopen(&self.folder).map_err(|error| error.to_string())?,
        };
        file.write(batch)?;
        self.file = Some(file);
        Ok(())
    }
}

/// Writes until the file is closed, or the simulator is gone.
fn run(orders: &Receiver<Order>, mut writer: Writer) {
    let mut batch = Batch::default();
    while let Ok(first) = orders.recv() {
        let mut waiting: Vec<Written> = Vec::new();
        let mut close = None;
        for order in std::iter::once(first).chain(orders.try_iter()).take(MOST_CHANGES) {
            match order {
                Order::Flush(written) => waiting.push(written),
                Order::Close(written) => {
                    close = Some(written);
                    break;
                }
                change => batch.add(change),
            }
        }
        // Changes that could not be written are tried again with the next ones.
        let written = if batch.is_empty() { Ok(()) } else { writer.write(&batch) };
        if written.is_ok() {
            batch = Batch::default();
        }
        for waits in waiting {
            waits(written.clone());
        }
        if let Some(closed) = close {
            drop(writer);
            closed(written);
            return;
        }
    }
}

impl Batch {
    fn add(&mut self, order: Order) {
        match order {
            Order::Subscriptions(all, last_id) => self.subscriptions = Some((all, last_id)),
            Order::Deliveries { clear, put, dropped, totals } => {
                if clear {
                    self.clear = true;
                    self.deliveries.clear();
                }
                self.deliveries.extend(put.map(|delivery| (delivery.number, Some(delivery))));
                self.deliveries.extend(dropped.into_iter().map(|number| (number, None)));
                self.totals = Some(totals);
            }
            Order::Flush(_) | Order::Close(_) => {}
        }
    }
}
