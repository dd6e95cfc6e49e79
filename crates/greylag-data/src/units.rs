//! Units of work: neighbouring chunks that one request does, and one checkpoint knows.
//!
//! Chunks never mix partitions, and a dataset of a thousand small partitions would be a thousand requests. So small
//! chunks share a unit up to the size of a chunk. Units follow from the listing alone: the same files give the same
//! units with the same names in every attempt.

use crate::chunk::{Chunk, FileFacts, Pieces, plan_chunks};
use crate::listing::{Anchor, DataFile};
use crate::request::{FactsRequest, Reply, Request};
use greylag_driver::error::DriverError;
use greylag_model::dataset::Layout;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

/// Chunks that are done together.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Unit {
    /// `unit-00012`.
    pub(crate) key: String,
    pub(crate) chunks: Vec<Chunk>,
}

impl Unit {
    pub(crate) fn bytes(&self) -> u64 {
        self.chunks.iter().map(Chunk::bytes).sum()
    }
}

/// The units of a dataset; `call` has a reader look where large files can be cut.
pub(crate) fn units(
    call: &dyn Fn(&Request) -> Result<Reply, DriverError>,
    anchor: &Anchor,
    layout: &Layout,
    files: &[DataFile],
    chunk_bytes: u64,
) -> Result<Vec<Unit>, DriverError> {
    let large: Vec<DataFile> = files.iter().filter(|file| file.bytes > chunk_bytes).cloned().collect();
    let mut cut = Vec::new();
    if !large.is_empty() {
        let request = FactsRequest { anchor: anchor.clone(), layout: layout.clone(), files: large, chunk_bytes };
        let Reply::Facts(facts) = call(&Request::Facts(request))? else {
            return Err(crate::error::odd_reply());
        };
        cut = facts;
    }
    let mut cut = cut.into_iter().peekable();
    let facts = files.iter().map(|file| match cut.peek() {
        Some(next) if next.file.relative == file.relative => cut.next().unwrap_or_else(|| whole(file)),
        _ => whole(file),
    });
    let facts: Vec<FileFacts> = facts.collect();
    Ok(group(plan_chunks(&facts, chunk_bytes), chunk_bytes))
}

/// Does `work` for every item in so many threads, until one fails or `go_on` does.
pub(crate) fn in_parallel<T: Sync>(
    threads: usize,
    items: &[T],
    go_on: &(dyn Fn() -> Result<(), DriverError> + Sync),
    work: impl Fn(usize, &T) -> Result<(), DriverError> + Sync,
) -> Result<(), DriverError> {
    let threads = threads.min(items.len());
    if threads <= 1 {
        return items.iter().enumerate().try_for_each(|(index, item)| go_on().and_then(|()| work(index, item)));
    }
    let (next, stop, failed) = (AtomicUsize::new(0), AtomicBool::new(false), Mutex::new(None));
    let run = || {
        while !stop.load(Ordering::Relaxed) {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(item) = items.get(index) else { return };
            if let Err(error) = go_on().and_then(|()| work(index, item)) {
                stop.store(true, Ordering::Relaxed);
                failed.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(run);
        }
    });
    failed.into_inner().unwrap_or_else(PoisonError::into_inner).map_or(Ok(()), Err)
}

/// A file that is not cut: nobody needs to open it to know that.
fn whole(file: &DataFile) -> FileFacts {
    FileFacts { file: file.clone(), pieces: Pieces::Records(Vec::new()) }
}

fn group(chunks: Vec<Chunk>, unit_bytes: u64) -> Vec<Unit> {
    let mut units: Vec<Unit> = Vec::new();
    let mut filled = 0;
    for chunk in chunks {
        let bytes = chunk.bytes();
        match units.last_mut().filter(|_| filled + bytes <= unit_bytes) {
            Some(unit) => unit.chunks.push(chunk),
            None => {
                units.push(Unit { key: format!("unit-{:05}", units.len()), chunks: vec![chunk] });
                filled = 0;
            }
        }
        filled += bytes;
    }
    units
}
