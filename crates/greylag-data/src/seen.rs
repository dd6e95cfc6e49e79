//! What datasets were when this process last looked at them, so that a look at one that has not been touched since needs no
//! reader process.
//!
//! `apply` describes every source before it begins, and each task looks again when it is released. In between nothing has
//! happened to nearly all of them. A description is remembered together with the identities of the files as they were
//! *before* it was made (device, inode, size, time of change): while those are the same, so is what they say. Nothing is
//! remembered beyond the process, and what was asked for once is forgotten.

use crate::executor::content_fingerprint;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// Fingerprints of datasets, by the path of each.
#[derive(Debug, Default)]
pub struct Seen {
    datasets: Mutex<HashMap<PathBuf, Sight>>,
}

#[derive(Debug)]
struct Sight {
    /// The identities of the files.
    content: String,
    /// The fingerprint of the dataset.
    fingerprint: String,
}

impl Seen {
    /// Remembers that the dataset at `path` has `fingerprint` as long as its files are those of `content`, taken before it
    /// was described.
    pub(crate) fn remember(&self, path: PathBuf, content: String, fingerprint: &str) {
        let sight = Sight { content, fingerprint: fingerprint.to_owned() };
        self.datasets.lock().unwrap_or_else(PoisonError::into_inner).insert(path, sight);
    }

    /// The fingerprint of the dataset at `path`, if it is known and nothing has been written there since.
    pub(crate) fn recall(&self, path: &Path) -> Option<String> {
        let sight = self.datasets.lock().unwrap_or_else(PoisonError::into_inner).remove(path)?;
        let now = content_fingerprint(path).ok()?;
        (now == sight.content).then_some(sight.fingerprint)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::Seen;
    use crate::executor::content_fingerprint;
    use std::fs;

    #[test]
    fn what_was_seen_holds_until_a_file_is_touched() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("dataset");
        fs::create_dir(&path).unwrap();
        fs::write(path.join("part-0.csv"), "id\n1\n").unwrap();
        let seen = Seen::default();
        let look = || seen.remember(path.clone(), content_fingerprint(&path).unwrap(), "f-1");
        look();
        assert_eq!(seen.recall(&path).as_deref(), Some("f-1"));
        assert_eq!(seen.recall(&path), None, "it is asked for once");
        look();
        fs::write(path.join("part-1.csv"), "id\n2\n").unwrap();
        assert_eq!(seen.recall(&path), None);
        look();
        fs::remove_dir_all(&path).unwrap();
        assert_eq!(seen.recall(&path), None);
    }
}
