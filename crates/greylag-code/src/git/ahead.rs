//! Files of a commit, read ahead of being asked for.
//!
//! Whoever looks at a repository reads nearly all of it, file after file, and one question after the other costs more in waiting
//! for git than git takes to answer. So with a file the small ones that follow it are read, and kept until they are asked
//! for or there are too many of them. What is kept is a copy of objects that never change.

use super::batch::{Batch, Kind};
use super::object::{ObjectId, damaged, missing};
use super::repository::Repository;
use super::tree::Listing;
use greylag_driver::error::DriverError;
use std::collections::{HashMap, HashSet};
use std::ops::Bound;
use std::sync::Arc;

/// How many files are asked about at a time.
const AT_ONCE: usize = 256;
/// The longest file that is read ahead, and how much is at a time, in bytes.
const SMALL: usize = 64 << 10;
const CHUNK: usize = 2 << 20;
/// How much is kept, in bytes.
const MOST: usize = 48 << 20;

/// A process of git, and what it has read.
pub(super) struct Ahead {
    batch: Option<Batch>,
    kept: HashMap<ObjectId, Arc<[u8]>>,
    bytes: usize,
}

impl Ahead {
    pub(super) fn new(batch: Batch) -> Self {
        Self { batch: Some(batch), kept: HashMap::new(), bytes: 0 }
    }

    /// The bytes of a file of the listing.
    pub(super) fn read(
        &mut self,
        repository: &Repository,
        listing: &Listing,
        path: &str,
    ) -> Result<Option<Arc<[u8]>>, DriverError> {
        let Some(file) = listing.files.get(path) else { return Ok(None) };
        if let Some(bytes) = self.kept.get(&file.id) {
            return Ok(Some(Arc::clone(bytes)));
        }
        let mut batch = self.begin(repository)?;
        let names = self.wanted(&mut batch, listing, path, &file.id)?;
        self.take(&mut batch, &names)?;
        self.batch = Some(batch);
        Ok(self.kept.get(&file.id).cloned())
    }

    /// Asks the process something else.
    pub(super) fn by<T>(
        &mut self,
        repository: &Repository,
        ask: impl FnOnce(&mut Batch) -> Result<T, DriverError>,
    ) -> Result<T, DriverError> {
        let mut batch = self.begin(repository)?;
        let answer = ask(&mut batch)?;
        self.batch = Some(batch);
        Ok(answer)
    }

    /// The process, which whoever takes it gives back unless it has met an error.
    fn begin(&mut self, repository: &Repository) -> Result<Batch, DriverError> {
        self.batch.take().map_or_else(|| Batch::start(repository), Ok)
    }

    /// The file itself and those after it that are worth it.
    fn wanted(
        &self,
        batch: &mut Batch,
        listing: &Listing,
        path: &str,
        id: &ObjectId,
    ) -> Result<Vec<String>, DriverError> {
        let mut seen = HashSet::from([id]);
        let after = listing.files.range::<str, _>((Bound::Excluded(path), Bound::Unbounded)).take(AT_ONCE);
        let after: Vec<String> = after
            .filter(|(_, file)| !self.kept.contains_key(&file.id) && seen.insert(&file.id))
            .map(|(_, file)| file.id.as_str().to_owned())
            .collect();
        let sizes = batch.sizes(&after)?;
        let mut left = CHUNK;
        let mut names = vec![id.as_str().to_owned()];
        for (name, size) in after.into_iter().zip(sizes) {
            let Some(size) = size.filter(|size| *size <= SMALL) else { continue };
            let Some(rest) = left.checked_sub(size) else { break };
            left = rest;
            names.push(name);
        }
        Ok(names)
    }

    /// Reads objects; the first must be there.
    fn take(&mut self, batch: &mut Batch, names: &[String]) -> Result<(), DriverError> {
        if self.bytes > MOST {
            self.kept.clear();
            self.bytes = 0;
        }
        let mut asked = names.iter();
        batch.read(names, &mut |object| {
            let name = asked.next().map(String::as_str).unwrap_or_default();
            let object = object.ok_or_else(|| missing(&format!("object `{name}`")))?;
            if object.kind != Kind::Blob {
                return Err(damaged(&format!("`{name}` is no file")));
            }
            self.bytes += object.bytes.len();
            self.kept.insert(object.id, Arc::from(object.bytes));
            Ok(())
        })
    }
}
