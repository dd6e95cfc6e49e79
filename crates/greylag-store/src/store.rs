//! The database file: opening it, its connections.

use crate::alive::Alive;
use crate::catalog::SqliteCatalog;
use crate::count::Counts;
use crate::error::classed;
use crate::group::Group;
use crate::schema::migrate;
use crate::session::Session;
use greylag_driver::error::DriverError;
use greylag_model::code::engine as code;
use greylag_model::id::RunId;
use rusqlite::config::DbConfig;
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
    pub(crate) path: PathBuf,
    options: Options,
    pub(crate) group: Arc<Group>,
    pub(crate) readers: Mutex<Vec<Connection>>,
    pub(crate) alive: Alive,
    /// Requests that this process has left: its own writes do not show in SQLite's data version.
    pub(crate) posted: AtomicU64,
    /// Keys of runs and of their plans, which change only if a stale task is planned anew.
    pub(crate) keys: Mutex<HashMap<RunId, (i64, i64)>>,
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
            group: Arc::new(Group::new(writer)),
            readers: Mutex::default(),
            posted: AtomicU64::new(0),
            keys: Mutex::default(),
        })
    }

    /// The catalog in the same file, over the same writing connection.
    pub fn catalog(&self) -> SqliteCatalog {
        let (path, options) = (self.path.clone(), self.options.clone());
        SqliteCatalog::shared(Arc::clone(&self.group)).reading_by(move || connect_to_read(&path, &options))
    }

    /// Counts what the store does from now on. Costs a little, so it is for tests and measurements.
    pub fn count(&self) {
        self.group.counter.arm();
    }

    /// What it has done since counting began.
    pub fn counts(&self) -> Counts {
        self.group.counter.read()
    }

    /// Runs `work` in one transaction: all or nothing, and on disk when this returns well.
    pub(crate) fn write<T>(&self, work: impl FnOnce(&Session<'_>) -> Result<T, DriverError>) -> Result<T, DriverError> {
        self.group.write(work)
    }

    /// The same for a small write, which shares its transaction with others that wait at the same time.
    pub(crate) fn note(
        &self,
        work: impl Fn(&Session<'_>) -> Result<(), DriverError> + Send + Sync + 'static,
    ) -> Result<(), DriverError> {
        self.group.note(work)
    }

    /// Runs `work` on a connection that only reads.
    pub(crate) fn read<T>(&self, work: impl FnOnce(&Session<'_>) -> Result<T, DriverError>) -> Result<T, DriverError> {
        let pooled = lock(&self.readers).pop();
        let reader = match pooled {
            Some(reader) => reader,
            None => connect_to_read(&self.path, &self.options)?,
        };
        let result = work(&Session { connection: &reader, counter: &self.group.counter });
        lock(&self.readers).push(reader);
        result
    }

    /// A number that is another one after another process has written, or this one has left a request.
    pub(crate) fn data_version(&self) -> Result<u64, DriverError> {
        let writer = self.group.connection();
        let mut statement = writer.prepare_cached("PRAGMA data_version").map_err(classed)?;
        let version: i64 = statement.query_row([], |row| row.get(0)).map_err(classed)?;
        Ok((version as u64) ^ (self.posted.load(Ordering::Acquire) << 32))
    }
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
    // With statistics compiled in, SQLite else prepares a statement anew whenever a value that its plan could depend on is
    // bound. Ours name their indexes.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).map_err(classed)?;
    connection.set_prepared_statement_cache_capacity(128);
    let pages = options.checkpoint_pages;
    connection
        .execute_batch(&format!(
            "PRAGMA synchronous = FULL; PRAGMA cache_size = -8192; PRAGMA wal_autocheckpoint = {pages};"
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
