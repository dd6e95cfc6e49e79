//! The database file: connections, transactions, group commit.

use crate::alive::Alive;
use crate::catalog::SqliteCatalog;
use crate::count::{Counter, Counts};
use crate::error::classed;
use crate::schema::migrate;
use crate::session::Session;
use greylag_driver::error::DriverError;
use greylag_model::code::engine as code;
use greylag_model::id::RunId;
use rusqlite::{Connection, OpenFlags};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How a store is opened.
#[derive(Clone, Debug)]
pub struct Options {
    /// How long a write waits for another process, milliseconds.
    pub busy_millis: u64,
    /// Name of a registered SQLite VFS; none is the platform's own.
    pub vfs: Option<String>,
    /// Pages of write-ahead log after which it is copied into the database.
    pub checkpoint_pages: u32,
}

impl Default for Options {
    fn default() -> Self {
        Self { busy_millis: 10_000, vfs: None, checkpoint_pages: 4_000 }
    }
}

/// The state on SQLite. Shared between threads behind an `Arc`.
pub struct Store {
    path: PathBuf,
    options: Options,
    writer: Arc<Mutex<Connection>>,
    readers: Mutex<Vec<Connection>>,
    notes: Mutex<Vec<Arc<Note>>>,
    pub(crate) alive: Alive,
    pub(crate) counter: Counter,
    /// Requests that this process has left: its own writes do not show in SQLite's data version.
    pub(crate) posted: AtomicU64,
    /// Keys of runs and of their plans, which never change.
    pub(crate) keys: Mutex<HashMap<RunId, (i64, i64)>>,
}

type Work = Box<dyn Fn(&Session<'_>) -> Result<(), DriverError> + Send + Sync>;

/// A small write that may share its transaction with others.
struct Note {
    work: Work,
    answer: Mutex<Option<Result<(), DriverError>>>,
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Store {
    /// Opens the database at `path` and brings its schema up to date; makes it if it is not there (its directory must be).
    pub fn open(path: impl AsRef<Path>) -> Result<Self, DriverError> {
        Self::open_with(path, Options::default())
    }

    /// The same, with options.
    pub fn open_with(path: impl AsRef<Path>, options: Options) -> Result<Self, DriverError> {
        let path = path.as_ref().to_owned();
        let mut writer = connect(&path, &options)?;
        go_write_ahead(&writer)?;
        migrate(&mut writer)?;
        Ok(Self {
            alive: Alive::beside(&path),
            path,
            options,
            writer: Arc::new(Mutex::new(writer)),
            readers: Mutex::default(),
            notes: Mutex::default(),
            counter: Counter::default(),
            posted: AtomicU64::new(0),
            keys: Mutex::default(),
        })
    }

    /// The catalog in the same file, over the same writing connection: what a step publishes there is in the log before
    /// its outcome is.
    pub fn catalog(&self) -> SqliteCatalog {
        let (path, options) = (self.path.clone(), self.options.clone());
        SqliteCatalog::shared(Arc::clone(&self.writer)).reading_by(move || connect_to_read(&path, &options))
    }

    /// Counts what the store does from now on. Costs a little, so it is for tests and measurements.
    pub fn count(&self) {
        self.counter.arm();
    }

    /// What it has done since counting began.
    pub fn counts(&self) -> Counts {
        self.counter.read()
    }

    /// Runs `work` in one transaction: all or nothing, and on disk when this returns well.
    pub(crate) fn write<T>(&self, work: impl FnOnce(&Session<'_>) -> Result<T, DriverError>) -> Result<T, DriverError> {
        let writer = lock(&self.writer);
        self.transaction(&writer, work)
    }

    /// The same for a small write, which shares its transaction with others that wait at the same time.
    pub(crate) fn note(
        &self,
        work: impl Fn(&Session<'_>) -> Result<(), DriverError> + Send + Sync + 'static,
    ) -> Result<(), DriverError> {
        let note = Arc::new(Note { work: Box::new(work), answer: Mutex::default() });
        lock(&self.notes).push(Arc::clone(&note));
        let writer = lock(&self.writer);
        if let Some(answer) = lock(&note.answer).take() {
            return answer;
        }
        let result = self.transaction(&writer, |_| Ok(()));
        if result.is_err() {
            // The caller is told that it failed, so nobody may do it later.
            lock(&self.notes).retain(|other| !Arc::ptr_eq(other, &note));
        }
        result?;
        lock(&note.answer).take().unwrap_or(Ok(()))
    }

    /// `work` and whatever notes wait. If the transaction fails, each note that another thread waits for is tried again by
    /// that thread.
    fn transaction<T>(
        &self,
        writer: &Connection,
        work: impl FnOnce(&Session<'_>) -> Result<T, DriverError>,
    ) -> Result<T, DriverError> {
        let session = Session { connection: writer, counter: &self.counter };
        statement(writer, "BEGIN IMMEDIATE")?;
        let mut notes = Vec::new();
        let result = work(&session).and_then(|done| {
            // What has come to wait meanwhile goes along.
            notes = std::mem::take(&mut *lock(&self.notes));
            let answers: Vec<_> = notes.iter().map(|note| (note.work)(&session)).collect();
            // A note that is refused has written nothing. One that failed for another reason spoils the transaction.
            if let Some(Err(error)) = answers.iter().find(|answer| answer.as_ref().is_err_and(is_spoilt)) {
                return Err(error.clone());
            }
            statement(writer, "COMMIT")?;
            Ok((done, answers))
        });
        match result {
            Ok((done, answers)) => {
                if self.counter.is_armed() {
                    self.counter.add(Counts { commits: 1, ..Counts::default() });
                }
                for (note, answer) in notes.iter().zip(answers) {
                    *lock(&note.answer) = Some(answer);
                }
                Ok(done)
            }
            Err(error) => {
                if !writer.is_autocommit() {
                    // If this fails too, the next `BEGIN` tells.
                    let _ = statement(writer, "ROLLBACK");
                }
                lock(&self.notes).extend(notes);
                Err(error)
            }
        }
    }

    /// Runs `work` on a connection that only reads.
    pub(crate) fn read<T>(&self, work: impl FnOnce(&Session<'_>) -> Result<T, DriverError>) -> Result<T, DriverError> {
        let pooled = lock(&self.readers).pop();
        let reader = match pooled {
            Some(reader) => reader,
            None => connect_to_read(&self.path, &self.options)?,
        };
        let result = work(&Session { connection: &reader, counter: &self.counter });
        lock(&self.readers).push(reader);
        result
    }

    /// A number that is another one after another process has written, or this one has left a request.
    pub(crate) fn data_version(&self) -> Result<u64, DriverError> {
        let writer = lock(&self.writer);
        let mut statement = writer.prepare_cached("PRAGMA data_version").map_err(classed)?;
        let version: i64 = statement.query_row([], |row| row.get(0)).map_err(classed)?;
        Ok((version as u64) ^ (self.posted.load(Ordering::Acquire) << 32))
    }
}

/// Whether the error is one of the database rather than a refusal of what was asked.
fn is_spoilt(error: &DriverError) -> bool {
    error.code != code::STALE_ATTEMPT && error.code != code::RUN_UNKNOWN
}

fn statement(connection: &Connection, sql: &str) -> Result<(), DriverError> {
    let mut statement = connection.prepare_cached(sql).map_err(classed)?;
    statement.execute([]).map(drop).map_err(classed)
}

fn connect(path: &Path, options: &Options) -> Result<Connection, DriverError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = match &options.vfs {
        Some(vfs) => Connection::open_with_flags_and_vfs(path, flags, vfs.as_str()),
        None => Connection::open_with_flags(path, flags),
    };
    let connection =
        connection.map_err(|error| classed(error).hint(format!("the database is `{}`", path.display())))?;
    connection.busy_timeout(Duration::from_millis(options.busy_millis)).map_err(classed)?;
    connection.set_prepared_statement_cache_capacity(128);
    let pages = options.checkpoint_pages;
    connection
        .execute_batch(&format!(
            "PRAGMA synchronous = FULL; PRAGMA cache_size = -32768; PRAGMA wal_autocheckpoint = {pages};"
        ))
        .map_err(classed)?;
    Ok(connection)
}

fn connect_to_read(path: &Path, options: &Options) -> Result<Connection, DriverError> {
    let reader = connect(path, options)?;
    reader.pragma_update(None, "query_only", true).map_err(classed)?;
    Ok(reader)
}

/// Write-ahead logging is kept in the file; switching to it needs the file for oneself for a moment, and SQLite does not
/// wait for that by itself.
fn go_write_ahead(connection: &Connection) -> Result<(), DriverError> {
    let mut tries = 0;
    loop {
        let switched = connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get::<_, String>(0));
        match switched.map_err(classed) {
            Ok(mode) if mode == "wal" => return Ok(()),
            Ok(mode) => {
                let message = format!("the state's database: write-ahead logging is not possible (`{mode}`)");
                return Err(DriverError::permanent(code::STATE_IO, message)
                    .hint("the state folder must be on a local file system"));
            }
            Err(error) if error.code == code::STATE_LOCKED && tries < 200 => {
                tries += 1;
                std::thread::park_timeout(Duration::from_millis(10));
            }
            Err(error) => return Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn notes_that_wait_share_one_commit() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path().join("state.db")).unwrap();
        store.write(|session| session.execute("CREATE TABLE note (number INTEGER PRIMARY KEY)", &[])).unwrap();
        store.count();
        std::thread::scope(|scope| {
            let waiting = store.write(|_| {
                for number in 0..8_i64 {
                    let store = &store;
                    scope.spawn(move || {
                        store.note(move |session| {
                            session.execute("INSERT INTO note (number) VALUES (?1)", &[&number]).map(drop)
                        })
                    });
                }
                while lock(&store.notes).len() < 8 {
                    std::thread::yield_now();
                }
                Ok(lock(&store.notes).len())
            });
            assert_eq!(waiting, Ok(8));
        });
        assert_eq!(store.counts().commits, 1);
        let found = store.read(|session| session.rows("SELECT number FROM note", &[], |_| Ok(()))).unwrap();
        assert_eq!(found.len(), 8);
    }

    #[test]
    fn a_refused_note_spoils_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path().join("state.db")).unwrap();
        store.write(|session| session.execute("CREATE TABLE note (number INTEGER PRIMARY KEY)", &[])).unwrap();
        let refusal = DriverError::conflict(code::STALE_ATTEMPT, "late");
        let answer = {
            let refusal = refusal.clone();
            store.note(move |_| Err(refusal.clone()))
        };
        assert_eq!(answer, Err(refusal));
        store.note(|session| session.execute("INSERT INTO note (number) VALUES (1)", &[]).map(drop)).unwrap();
        // One that fails for another reason is told so, leaves nothing, and is not done later.
        let broken = store.note(|session| {
            session.execute("INSERT INTO note (number) VALUES (2)", &[])?;
            session.execute("INSERT INTO note (number) VALUES (1)", &[]).map(drop)
        });
        assert_eq!(broken.unwrap_err().code, code::STATE_DAMAGED);
        store.note(|session| session.execute("INSERT INTO note (number) VALUES (3)", &[]).map(drop)).unwrap();
        let found = store
            .read(|session| session.rows("SELECT number FROM note", &[], |row| row.get::<_, i64>(0).map_err(classed)));
        assert_eq!(found.unwrap(), [1, 3]);
    }
}
