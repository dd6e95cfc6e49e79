//! Proof of life: a file per worker, locked while its process lives.

use greylag_driver::error::DriverError;
use greylag_model::code::engine as code;
use greylag_model::id::WorkerId;
use std::collections::HashMap;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// The lock files of one state folder, and those that this process holds.
#[derive(Debug)]
pub(crate) struct Alive {
    folder: PathBuf,
    held: Mutex<HashMap<WorkerId, File>>,
}

impl Alive {
    /// Beside the database at `path`.
    pub(crate) fn beside(path: &Path) -> Self {
        let mut folder = path.as_os_str().to_owned();
        folder.push("-workers");
        Self { folder: folder.into(), held: Mutex::default() }
    }

    /// Locks this process's file for `worker`, until the store is dropped or the process ends.
    pub(crate) fn hold(&self, worker: &WorkerId) -> Result<(), DriverError> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if held.contains_key(worker) {
            return Ok(());
        }
        let path = self.path(worker);
        let failed = |error: std::io::Error| {
            let class =
                if error.kind() == ErrorKind::StorageFull { DriverError::transient } else { DriverError::permanent };
            class(code::STATE_IO, format!("`{}` cannot be locked: {error}", path.display()))
        };
        fs::create_dir_all(&self.folder).map_err(failed)?;
        // One that clears away dead workers' files may hold the lock for a moment, or have removed the file just now.
        for _ in 0..50 {
            let file = OpenOptions::new().create(true).truncate(false).write(true).open(&path).map_err(failed)?;
            match file.try_lock() {
                Ok(()) if file.metadata().map_err(failed)?.nlink() > 0 => {
                    held.insert(worker.clone(), file);
                    return Ok(());
                }
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => std::thread::park_timeout(Duration::from_millis(2)),
                Err(TryLockError::Error(error)) => return Err(failed(error)),
            }
        }
        let message = format!("another process has the worker's name `{worker}`");
        Err(DriverError::conflict(code::RUN_DRIVEN, message))
    }

    /// Whether the operating system has let go of the worker's lock. A file that is gone was removed by the worker's own
    /// orderly end.
    pub(crate) fn is_dead(&self, worker: &WorkerId) -> bool {
        if self.held.lock().unwrap_or_else(PoisonError::into_inner).contains_key(worker) {
            return false;
        }
        match File::open(self.path(worker)) {
            // Shared, so that two who ask at once do not take each other for the worker.
            Ok(file) => file.try_lock_shared().is_ok(),
            Err(error) => error.kind() == ErrorKind::NotFound,
        }
    }

    /// Removes the files of all workers that are dead.
    pub(crate) fn bury_dead(&self) -> Result<(), DriverError> {
        let entries = match fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            Err(error) => {
                let message = format!("`{}` cannot be read: {error}", self.folder.display());
                return Err(DriverError::permanent(code::STATE_IO, message));
            }
        };
        let own: Vec<PathBuf> = {
            let held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
            held.keys().map(|worker| self.path(worker)).collect()
        };
        for path in entries.flatten().map(|entry| entry.path()).filter(|path| !own.contains(path)) {
            // The lock is kept until the file is gone, so that no worker takes it in between and is then without one.
            if let Ok(file) = File::open(&path)
                && file.try_lock().is_ok()
            {
                let _ = fs::remove_file(&path);
            }
        }
        Ok(())
    }

    /// Removes what a dead worker left.
    pub(crate) fn bury(&self, worker: &WorkerId) {
        // One that stays is asked again next time.
        let _ = fs::remove_file(self.path(worker));
    }

    fn path(&self, worker: &WorkerId) -> PathBuf {
        let mut name = String::new();
        for byte in worker.as_str().bytes() {
            if byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_' {
                name.push(char::from(byte));
            } else {
                name.extend(['%', hex(byte >> 4), hex(byte & 15)]);
            }
        }
        name.push_str(".lock");
        self.folder.join(name)
    }
}

fn hex(digit: u8) -> char {
    char::from_digit(u32::from(digit), 16).unwrap_or('0')
}

impl Drop for Alive {
    fn drop(&mut self) {
        let held = std::mem::take(self.held.get_mut().unwrap_or_else(PoisonError::into_inner));
        for (worker, file) in held {
            self.bury(&worker);
            drop(file);
        }
    }
}
