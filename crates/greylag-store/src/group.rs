//! The one writing connection of a process, and group commit.
//!
//! A *note* is a small write whose caller waits for it: a checkpoint, what a step publishes to the catalog. Notes queue up
//! while somebody else's transaction waits for the disk; whoever writes next takes all of them along, so that they share
//! its one wait. One that fails leaves nothing, is answered with its error, and spoils nobody else's: all notes are tried
//! inside one savepoint, and if any fails, once more inside a savepoint of its own each.
//!
//! # Who wakes whom
//!
//! A note's caller sleeps until its note is answered or it is its *turn* to write, not whenever the connection is free:
//! with many small writes that would wake all of them for each commit. Giving the connection back gives the turn to the
//! first note in the queue. No note is forgotten: it is queued before its caller tries the connection, so either the
//! caller gets it, or its holder has yet to give it back and then sees the note.

use crate::count::{Counter, Counts};
use crate::error::classed;
use crate::session::Session;
use crate::store::lock;
use greylag_driver::error::DriverError;
use rusqlite::Connection;
use std::ops::Deref;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, TryLockError};

/// The writing connection and who waits for it.
pub(crate) struct Group {
    writer: Mutex<Connection>,
    notes: Mutex<Vec<Arc<Note>>>,
    pub(crate) counter: Counter,
}

/// The writing connection in use. Giving it back gives the turn to the first note that waits.
pub(crate) struct Writer<'g> {
    notes: &'g Mutex<Vec<Arc<Note>>>,
    connection: Option<MutexGuard<'g, Connection>>,
}

impl Deref for Writer<'_> {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        match &self.connection {
            Some(connection) => connection,
            // It is only taken when this is dropped.
            None => unreachable!("a writer has its connection"),
        }
    }
}

impl Drop for Writer<'_> {
    fn drop(&mut self) {
        self.connection = None;
        let first = lock(self.notes).first().map(Arc::clone);
        if let Some(first) = first {
            first.tell(|said| said.turn = true);
        }
    }
}

type Work = Box<dyn Fn(&Session<'_>) -> Result<(), DriverError> + Send + Sync>;

/// A small write that may share its transaction with others. It may run more than once, if the transaction fails.
struct Note {
    work: Work,
    said: Mutex<Said>,
    told: Condvar,
}

/// What the caller of a note is told.
#[derive(Default)]
struct Said {
    answer: Option<Result<(), DriverError>>,
    turn: bool,
}

impl Note {
    fn tell(&self, what: impl FnOnce(&mut Said)) {
        what(&mut lock(&self.said));
        self.told.notify_one();
    }
}

impl Group {
    pub(crate) fn new(writer: Connection) -> Self {
        Self { writer: Mutex::new(writer), notes: Mutex::default(), counter: Counter::default() }
    }

    /// The connection itself, once nobody else writes.
    pub(crate) fn connection(&self) -> Writer<'_> {
        Writer { notes: &self.notes, connection: Some(lock(&self.writer)) }
    }

    /// The connection, or the answer of a note, whichever comes first.
    fn connection_for(&self, note: &Note) -> Result<Writer<'_>, Result<(), DriverError>> {
        loop {
            let connection = match self.writer.try_lock() {
                Ok(connection) => Some(connection),
                Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
                Err(TryLockError::WouldBlock) => None,
            };
            let writer = connection.map(|connection| Writer { notes: &self.notes, connection: Some(connection) });
            let mut said = lock(&note.said);
            if let Some(answer) = said.answer.take() {
                return Err(answer);
            }
            if let Some(writer) = writer {
                return Ok(writer);
            }
            let nothing = |said: &mut Said| said.answer.is_none() && !said.turn;
            said = note.told.wait_while(said, nothing).unwrap_or_else(PoisonError::into_inner);
            said.turn = false;
        }
    }

    /// Runs `work` in one transaction: all or nothing, and on disk when this returns well.
    pub(crate) fn write<T, E: From<DriverError>>(
        &self,
        work: impl FnOnce(&Session<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let writer = self.connection();
        self.transaction(&writer, work)
    }

    /// The same for a small write, which shares its transaction with others that wait at the same time.
    pub(crate) fn note(
        &self,
        work: impl Fn(&Session<'_>) -> Result<(), DriverError> + Send + Sync + 'static,
    ) -> Result<(), DriverError> {
        let note = Arc::new(Note { work: Box::new(work), said: Mutex::default(), told: Condvar::new() });
        lock(&self.notes).push(Arc::clone(&note));
        let writer = match self.connection_for(&note) {
            Ok(writer) => writer,
            Err(answer) => return answer,
        };
        let result: Result<(), DriverError> = self.transaction(&writer, |_| Ok(()));
        if result.is_err() {
            // The caller is told that it failed, so nobody may do it later.
            lock(&self.notes).retain(|other| !Arc::ptr_eq(other, &note));
        }
        result?;
        let answer = lock(&note.said).answer.take();
        answer.unwrap_or(Ok(()))
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
            let answers = together(&session, &notes)?;
            statement(writer, "COMMIT")?;
            Ok((done, answers))
        });
        match result {
            Ok((done, answers)) => {
                if self.counter.is_armed() {
                    self.counter.add(Counts { commits: 1, ..Counts::default() });
                }
                for (note, answer) in notes.iter().zip(answers) {
                    note.tell(|said| said.answer = Some(answer));
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

/// Runs notes inside one savepoint, or each inside its own if that does not go well. The outer error is one that took the
/// whole transaction with it.
fn together(session: &Session<'_>, notes: &[Arc<Note>]) -> Result<Vec<Result<(), DriverError>>, DriverError> {
    let connection = session.connection;
    if notes.len() > 1 {
        statement(connection, "SAVEPOINT notes")?;
        let Err(error) = notes.iter().try_for_each(|note| (note.work)(session)) else {
            statement(connection, "RELEASE notes")?;
            return Ok(vec![Ok(()); notes.len()]);
        };
        if connection.is_autocommit() {
            return Err(error);
        }
        statement(connection, "ROLLBACK TO notes")?;
        statement(connection, "RELEASE notes")?;
    }
    notes.iter().map(|note| apart(session, &note.work)).collect()
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
    fn a_refused_note_spoils_none_that_share_its_commit() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path().join("state.db")).unwrap();
        store.write(|session| session.execute("CREATE TABLE note (number INTEGER PRIMARY KEY)", &[])).unwrap();
        let refusal = DriverError::conflict(code::STALE_ATTEMPT, "late");
        let refused: Vec<usize> = std::thread::scope(|scope| {
            let callers = store.write(|_| {
                let callers: Vec<_> = (0..8_i64)
                    .map(|number| {
                        let (store, refusal) = (&store, refusal.clone());
                        scope.spawn(move || {
                            store.note(move |session| {
                                session.execute("INSERT INTO note (number) VALUES (?1)", &[&number])?;
                                if number % 4 == 1 { Err(refusal.clone()) } else { Ok(()) }
                            })
                        })
                    })
                    .collect();
                while lock(&store.group.notes).len() < 8 {
                    std::thread::yield_now();
                }
                Ok::<_, DriverError>(callers)
            });
            let answers = callers.unwrap().into_iter().map(|caller| caller.join().unwrap());
            answers.enumerate().filter(|(_, answer)| *answer == Err(refusal.clone())).map(|(index, _)| index).collect()
        });
        assert_eq!(refused, vec![1, 5]);
        let found = store
            .read(|session| session.rows("SELECT number FROM note", &[], |row| row.get::<_, i64>(0).map_err(classed)));
        assert_eq!(found.unwrap(), [0, 2, 3, 4, 6, 7]);
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
