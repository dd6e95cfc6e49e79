//! The one writing connection of a process, and group commit.
//!
//! A *note* is a small write whose caller waits for it: a checkpoint, what a step publishes to the catalog. Notes queue up
//! while somebody else's transaction waits for the disk; whoever writes next takes all of them along, so that they share
//! its one wait. Each is inside a savepoint of its own: one that fails leaves nothing, is answered with its error, and
//! spoils nobody else's.

use crate::count::{Counter, Counts};
use crate::error::classed;
use crate::session::Session;
use crate::store::lock;
use greylag_driver::error::DriverError;
use rusqlite::Connection;
use std::sync::{Arc, Mutex, MutexGuard};

/// The writing connection and who waits for it.
pub(crate) struct Group {
    writer: Mutex<Connection>,
    notes: Mutex<Vec<Arc<Note>>>,
    pub(crate) counter: Counter,
}

type Work = Box<dyn Fn(&Session<'_>) -> Result<(), DriverError> + Send + Sync>;

/// A small write that may share its transaction with others. It may run more than once, if the transaction fails.
struct Note {
    work: Work,
    answer: Mutex<Option<Result<(), DriverError>>>,
}

impl Group {
    pub(crate) fn new(writer: Connection) -> Self {
        Self { writer: Mutex::new(writer), notes: Mutex::default(), counter: Counter::default() }
    }

    /// The connection itself, once nobody else writes.
    pub(crate) fn connection(&self) -> MutexGuard<'_, Connection> {
        lock(&self.writer)
    }

    /// Runs `work` in one transaction: all or nothing, and on disk when this returns well.
    pub(crate) fn write<T, E: From<DriverError>>(
        &self,
        work: impl FnOnce(&Session<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
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
        let result: Result<(), DriverError> = self.transaction(&writer, |_| Ok(()));
        if result.is_err() {
            // The caller is told that it failed, so nobody may do it later.
            lock(&self.notes).retain(|other| !Arc::ptr_eq(other, &note));
        }
        result?;
        lock(&note.answer).take().unwrap_or(Ok(()))
    }

    /// `work` and whatever notes wait. If the transaction fails, each note that another thread waits for is tried again by
    /// that thread.
    fn transaction<T, E: From<DriverError>>(
        &self,
        writer: &Connection,
        work: impl FnOnce(&Session<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let session = Session { connection: writer, counter: &self.counter };
        statement(writer, "BEGIN IMMEDIATE")?;
        let mut notes = Vec::new();
        let result = work(&session).and_then(|done| {
            // What has come to wait meanwhile goes along.
            notes = std::mem::take(&mut *lock(&self.notes));
            let answers = notes.iter().map(|note| apart(&session, &note.work)).collect::<Result<Vec<_>, _>>()?;
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
}

/// Runs a note inside a savepoint. The outer error is one that took the whole transaction with it.
fn apart(session: &Session<'_>, work: &Work) -> Result<Result<(), DriverError>, DriverError> {
    let connection = session.connection;
    statement(connection, "SAVEPOINT note")?;
    let answer = work(session);
    if let Err(error) = &answer {
        if connection.is_autocommit() {
            return Err(error.clone());
        }
        statement(connection, "ROLLBACK TO note")?;
    }
    statement(connection, "RELEASE note")?;
    Ok(answer)
}

fn statement(connection: &Connection, sql: &str) -> Result<(), DriverError> {
    let mut statement = connection.prepare_cached(sql).map_err(classed)?;
    statement.execute([]).map(drop).map_err(classed)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::lock;
    use crate::error::classed;
    use crate::store::Store;
    use greylag_driver::error::DriverError;
    use greylag_model::code::engine as code;

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
                while lock(&store.group.notes).len() < 8 {
                    std::thread::yield_now();
                }
                Ok(lock(&store.group.notes).len())
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
