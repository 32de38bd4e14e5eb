//! The file with subscriptions and deliveries: one table for each, with values in JSON.

use std::{
    fs::{DirBuilder, OpenOptions},
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
};

use redb::{Database, DatabaseError, Error as DbError, ReadableDatabase, ReadableTable, StorageError, TableDefinition};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::{Batch, Kept};
use crate::project::{Delivery, Subscription};

const FILE: &str = "uploadcare-sim.redb";
/// The form of the tables. A file of another form is refused.
const FORM: u64 = 1;

const SUBSCRIPTIONS: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("subscriptions");
const DELIVERIES: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("deliveries");
const COUNTERS: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("counters");

/// A delivery with the secret that its own JSON leaves out.
#[derive(Serialize, Deserialize)]
struct Row<D> {
    delivery: D,
    signing_secret: Option<String>,
}

pub(super) struct StoreFile(Database);

/// Why a file cannot be used.
enum Unusable {
    /// Another simulator has it open.
    Taken,
    /// It cannot be read or written.
    Io(io::Error),
    /// What it holds cannot be read.
    Damaged(String),
}

impl From<DbError> for Unusable {
    fn from(error: DbError) -> Self {
        match error {
            DbError::DatabaseAlreadyOpen | DbError::LockProtocolMismatch => Self::Taken,
            // redb says so of a file that is no database.
            DbError::Io(error) if error.kind() == io::ErrorKind::InvalidData => Self::Damaged(error.to_string()),
            DbError::Io(error) => Self::Io(error),
            other => Self::Damaged(other.to_string()),
        }
    }
}

impl From<DatabaseError> for Unusable {
    fn from(error: DatabaseError) -> Self {
        DbError::from(error).into()
    }
}

impl From<StorageError> for Unusable {
    fn from(error: StorageError) -> Self {
        DbError::from(error).into()
    }
}

impl From<io::Error> for Unusable {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl StoreFile {
    /// Opens the file in this folder, and makes both if they do not exist: the folder for the owner
    /// only, and the file as well, since it holds secrets.
    pub(super) fn open(folder: &Path) -> io::Result<(Self, Kept)> {
        Self::within(folder, |path| {
            let file = Self::connect(folder, path)?;
            let kept = file.load()?;
            Ok((file, kept))
        })
    }

    /// Opens the file once more, after a write failed.
    pub(super) fn reopen(folder: &Path) -> io::Result<Self> {
        Self::within(folder, |path| Self::connect(folder, path))
    }

    /// Says in words why the file in this folder cannot be used.
    fn within<T>(folder: &Path, open: impl FnOnce(&Path) -> Result<T, Unusable>) -> io::Result<T> {
        let path = folder.join(FILE);
        // redb may panic on a file that was damaged on purpose or by a broken disk.
        let opened = catch_unwind(AssertUnwindSafe(|| open(&path)))
            .unwrap_or_else(|_| Err(Unusable::Damaged("reading it panicked".to_owned())));
        opened.map_err(|problem| {
            let (folder, path) = (folder.display(), path.display());
            match problem {
                Unusable::Taken => io::Error::new(
                    io::ErrorKind::ResourceBusy,
                    format!("another simulator uses the folder {folder}; stop it, or choose another folder"),
                ),
                Unusable::Io(error) => {
                    io::Error::new(error.kind(), format!("the folder {folder} cannot be used: {error}"))
                }
                Unusable::Damaged(problem) => io::Error::new(
                    io::ErrorKind::InvalidData,
                    format!(
                        "{path} is damaged ({problem}). Nothing in it was deleted: put a copy of the file in its \
                         place, or move the file away to start without subscriptions and deliveries"
                    ),
                ),
            }
        })
    }

    fn connect(folder: &Path, path: &Path) -> Result<Self, Unusable> {
        make_folder(folder)?;
        make_file(path)?;
        let database = Database::builder().set_check_integrity_on_open(true).create(path)?;
        let file = Self(database);
        file.check_form()?;
        Ok(file)
    }

    fn load(&self) -> Result<Kept, Unusable> {
        let begun = self.0.begin_read().map_err(DbError::from)?;
        let counters = begun.open_table(COUNTERS).map_err(DbError::from)?;
        let counter = |name: &str| -> Result<Vec<u8>, Unusable> {
            Ok(counters.get(name)?.map(|value| value.value().to_vec()).unwrap_or_default())
        };
        let mut kept = Kept::default();
        for row in begun.open_table(SUBSCRIPTIONS).map_err(DbError::from)?.iter()? {
            let (_, value) = row?;
            kept.subscriptions.push(from_json("a subscription", value.value())?);
        }
        for row in begun.open_table(DELIVERIES).map_err(DbError::from)?.iter()? {
            let (_, value) = row?;
            let row: Row<Delivery> = from_json("a delivery", value.value())?;
            kept.deliveries.push(Delivery { signing_secret: row.signing_secret, ..row.delivery });
        }
        if let last @ [_, ..] = counter("last_subscription")?.as_slice() {
            kept.last_subscription = from_json("the counter of subscriptions", last)?;
        }
        if let totals @ [_, ..] = counter("totals")?.as_slice() {
            kept.totals = from_json("the counters of deliveries", totals)?;
        }
        Ok(kept)
    }

    /// Makes the tables of a new file, and refuses a file of another form.
    fn check_form(&self) -> Result<(), Unusable> {
        let begun = self.0.begin_write().map_err(DbError::from)?;
        {
            let mut counters = begun.open_table(COUNTERS).map_err(DbError::from)?;
            let found = counters.get("form")?.map(|value| value.value().to_vec());
            match found {
                Some(form) => {
                    let form: u64 = from_json("its form", &form)?;
                    if form != FORM {
                        return Err(Unusable::Damaged(format!(
                            "its tables have form {form}, and this version of the simulator reads form {FORM}"
                        )));
                    }
                    return Ok(());
                }
                None => {
                    counters.insert("form", to_json(&FORM).map_err(Unusable::Damaged)?.as_slice())?;
                }
            }
            begun.open_table(SUBSCRIPTIONS).map_err(DbError::from)?;
            begun.open_table(DELIVERIES).map_err(DbError::from)?;
        }
        begun.commit().map_err(DbError::from)?;
        Ok(())
    }

    /// Writes all of a batch in one transaction.
    pub(super) fn write(&mut self, batch: &Batch) -> Result<(), String> {
        let words = |error: DbError| error.to_string();
        let begun = self.0.begin_write().map_err(|error| words(error.into()))?;
        fill(&begun, batch)?;
        begun.commit().map_err(|error| words(error.into()))
    }
}

fn fill(begun: &redb::WriteTransaction, batch: &Batch) -> Result<(), String> {
    let words = |error: DbError| error.to_string();
    let storage = |error: StorageError| error.to_string();
    let mut counters = begun.open_table(COUNTERS).map_err(|error| words(error.into()))?;
    if let Some((all, last_id)) = &batch.subscriptions {
        let mut table = begun.open_table(SUBSCRIPTIONS).map_err(|error| words(error.into()))?;
        table.retain(|_, _| false).map_err(storage)?;
        for subscription in all {
            table.insert(subscription.id, to_json::<Subscription>(subscription)?.as_slice()).map_err(storage)?;
        }
        counters.insert("last_subscription", to_json(last_id)?.as_slice()).map_err(storage)?;
    }
    let mut table = begun.open_table(DELIVERIES).map_err(|error| words(error.into()))?;
    if batch.clear {
        table.retain(|_, _| false).map_err(storage)?;
    }
    for (number, delivery) in &batch.deliveries {
        match delivery {
            Some(delivery) => {
                let row = Row { delivery: &**delivery, signing_secret: delivery.signing_secret.clone() };
                table.insert(number, to_json(&row)?.as_slice()).map_err(storage)?;
            }
            None => drop(table.remove(number).map_err(storage)?),
        }
    }
    if let Some(totals) = &batch.totals {
        counters.insert("totals", to_json(totals)?.as_slice()).map_err(storage)?;
    }
    Ok(())
}

fn to_json<T: Serialize>(value: &T) -> Result<Vec<u8>, String> {
    serde_json::to_vec(value).map_err(|error| error.to_string())
}

fn from_json<T: DeserializeOwned>(what: &str, bytes: &[u8]) -> Result<T, Unusable> {
    serde_json::from_slice(bytes).map_err(|error| Unusable::Damaged(format!("{what} in it cannot be read: {error}")))
}

fn make_folder(folder: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

fn make_file(path: &Path) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop)
}
