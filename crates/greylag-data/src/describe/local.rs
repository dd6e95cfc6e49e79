//! The side that asks: implements the seam over reader processes.

use super::{Candidate, Described, FileCalls, FileReply, FileRequest, Question};
use crate::chunk::FileFacts;
use crate::executor::content_fingerprint;
use crate::io_error::io_error;
use crate::listing::Anchor;
use crate::seen::Seen;
use greylag_driver::describe::{Describe, Found, Place};
use greylag_driver::error::DriverError;
use greylag_model::code::data as code;
use greylag_model::dataset::{Dataset, Layout, Location};
use greylag_model::snapshot::{Observed, fingerprint};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Datasets in one request.
const BATCH: usize = 64;

/// Describes datasets of local files.
pub struct LocalFiles {
    calls: Arc<dyn FileCalls>,
    roots: BTreeMap<String, PathBuf>,
    seen: Option<Arc<Seen>>,
}

impl LocalFiles {
    /// Has `calls` answer; `roots` are the connections of type `files`, by name, with absolute root directories.
    pub fn new(calls: Arc<dyn FileCalls>, roots: BTreeMap<String, PathBuf>) -> Self {
        Self { calls, roots, seen: None }
    }

    /// The same, telling `seen` of what it describes.
    pub fn telling(self, seen: Arc<Seen>) -> Self {
        Self { seen: Some(seen), ..self }
    }

    /// Where a location lies on this machine.
    pub fn anchor(&self, location: &Location) -> Result<Anchor, DriverError> {
        let Some(connection) = &location.connection else {
            if location.path.starts_with('/') {
                return Ok(Anchor { root: None, path: location.path.clone() });
            }
            let words = format!("`{}` is not an absolute path and names no connection", location.path);
            return Err(DriverError::permanent(code::NOT_FOUND, words).hint("write the whole path"));
        };
        let Some(root) = self.roots.get(connection) else {
            let words = format!("the connection `{connection}` is not known");
            let known: Vec<_> = self.roots.keys().map(|name| format!("`{name}`")).collect();
            let hint =
                if known.is_empty() { "declare it".to_owned() } else { format!("known are {}", known.join(", ")) };
            return Err(DriverError::permanent(code::UNKNOWN_CONNECTION, words).hint(hint));
        };
        if location.path.starts_with('/') || location.path.split('/').any(|part| part == "..") {
            let words = format!("`{}` leads out of the root of connection `{connection}`", location.path);
            return Err(DriverError::permanent(code::OUTSIDE_ROOT, words).hint("write a path below the root"));
        }
        Ok(Anchor { root: Some(root.to_string_lossy().into_owned()), path: location.path.clone() })
    }

    /// The files of a dataset and where they can be cut (see [`crate::chunk::plan_chunks`]).
    pub fn facts(&self, dataset: &Dataset, layout: &Layout, cut_bytes: u64) -> Result<Vec<FileFacts>, DriverError> {
        let question = Question { anchor: self.anchor(&dataset.location)?, declared: dataset.declared.clone() };
        let request = FileRequest::Facts { question, layout: layout.clone(), cut_bytes };
        match self.calls.call(&request)? {
            FileReply::Facts(facts) => Ok(facts),
            _ => Err(crossed()),
        }
    }

    /// Describes in batches, as many at a time as there are readers.
    fn describe_all(&self, questions: &[Question]) -> Vec<Result<Described, DriverError>> {
        let batches: Vec<&[Question]> = questions.chunks(BATCH).collect();
        let next = AtomicUsize::new(0);
        let answers: Mutex<BTreeMap<usize, Vec<Result<Described, DriverError>>>> = Mutex::default();
        let work = || {
            while let Some((index, batch)) = {
                let index = next.fetch_add(1, Ordering::Relaxed);
                batches.get(index).map(|batch| (index, batch))
            } {
                let described = self.describe_batch(batch);
                answers.lock().unwrap_or_else(PoisonError::into_inner).insert(index, described);
            }
        };
        std::thread::scope(|scope| {
            for _ in 1..self.calls.width().min(batches.len()) {
                scope.spawn(work);
            }
            work();
        });
        let answers = answers.into_inner().unwrap_or_else(PoisonError::into_inner);
        answers.into_values().flatten().collect()
    }

    fn describe_batch(&self, batch: &[Question]) -> Vec<Result<Described, DriverError>> {
        let answer = self.calls.call(&FileRequest::Describe(batch.to_vec()));
        match answer {
            Ok(FileReply::Describe(described)) if described.len() == batch.len() => described,
            Err(error) if batch.len() == 1 => {
                let path = batch[0].anchor.absolute();
                vec![Err(DriverError { message: format!("`{}`: {}", path.display(), error.message), ..error })]
            }
            Err(_) => batch.chunks(1).flat_map(|single| self.describe_batch(single)).collect(),
            Ok(_) => batch.iter().map(|_| Err(crossed())).collect(),
        }
    }
}

/// A reply to another request.
fn crossed() -> DriverError {
    DriverError::permanent(code::READER_PROTOCOL, "a reader process answered another request")
}

impl Describe for LocalFiles {
    fn describe(&self, datasets: &[Dataset]) -> Vec<Result<Observed, DriverError>> {
        let anchors: Vec<_> = datasets.iter().map(|dataset| self.anchor(&dataset.location)).collect();
        let question = |(dataset, anchor): (&Dataset, &Result<Anchor, DriverError>)| {
            let declared = dataset.declared.clone();
            anchor.as_ref().ok().map(|anchor| Question { anchor: anchor.clone(), declared })
        };
        let questions: Vec<_> = datasets.iter().zip(&anchors).filter_map(question).collect();
        // Before the look, so that a change during it is not missed.
        let content = |anchor: &Result<Anchor, DriverError>| {
            let path = anchor.as_ref().ok().filter(|_| self.seen.is_some())?.absolute();
            let content = content_fingerprint(&path).ok()?;
            Some((path, content))
        };
        let contents: Vec<_> = anchors.iter().map(content).collect();
        let mut described = self.describe_all(&questions).into_iter();
        let observe = |((dataset, anchor), content): ((&Dataset, Result<Anchor, DriverError>), Option<_>)| {
            anchor?;
            let described = described.next().unwrap_or_else(|| Err(crossed()))?;
            let observed = observed(dataset, described);
            if let (Some(seen), Some((path, content))) = (&self.seen, content) {
                seen.remember(path, content, &observed.fingerprint);
            }
            Ok(observed)
        };
        datasets.iter().zip(anchors).zip(contents).map(observe).collect()
    }

    fn places(&self, locations: &[Location]) -> Vec<Result<Place, DriverError>> {
        locations.iter().map(|location| place(&self.anchor(location)?.absolute())).collect()
    }

    fn scan(&self, root: &Location) -> Result<Vec<Found>, DriverError> {
        let FileReply::Scan(candidates) = self.calls.call(&FileRequest::Scan(self.anchor(root)?))? else {
            return Err(crossed());
        };
        let found = self.find(root, &candidates)?;
        // Directories whose files do not belong together: file by file.
        let apart = |found: &Found| matches!(&found.schema, Err(error) if [code::SCHEMA_DIFFERS, code::MIXED_FORMATS].contains(&error.code));
        let (mut whole, mut files) = (Vec::new(), Vec::new());
        for (candidate, found) in candidates.iter().zip(found) {
            if apart(&found) && !candidate.files.is_empty() {
                files.extend(candidate.files.iter().map(Candidate::whole));
            } else {
                whole.push(found);
            }
        }
        whole.extend(self.find(root, &files)?);
        whole.sort_by(|left, right| left.location.cmp(&right.location));
        Ok(whole)
    }
}

impl LocalFiles {
    fn find(&self, root: &Location, candidates: &[Candidate]) -> Result<Vec<Found>, DriverError> {
        let locations: Vec<_> = candidates.iter().map(|candidate| below(root, &candidate.relative)).collect();
        let question = |location: &Location| Ok(Question { anchor: self.anchor(location)?, declared: BTreeMap::new() });
        let questions: Vec<_> = locations.iter().map(question).collect::<Result<_, DriverError>>()?;
        let found = |(location, described): (Location, Result<Described, DriverError>)| match described {
            Ok(described) => {
                let format = described.layout.format.name();
                let partition_by = described.layout.partition_by;
                Found { location, schema: Ok(described.schema), partition_by, format: format.to_owned() }
            }
            Err(error) => {
                let format = match crate::listing::kind_of(&location.path) {
                    crate::listing::Kind::Data(format) => format.name(),
                    _ => "parquet",
                };
                Found { location, schema: Err(error), partition_by: Vec::new(), format: format.to_owned() }
            }
        };
        let described = candidates.iter().zip(self.describe_all(&questions)).map(|(candidate, described)| {
            if candidate.unnameable {
                let words = format!("the name `{}` is not UTF-8", candidate.relative);
                return Err(DriverError::permanent(code::FILE_NAME, words).hint("rename the file"));
            }
            described
        });
        Ok(locations.into_iter().zip(described).map(found).collect())
    }
}

fn below(root: &Location, relative: &str) -> Location {
    let path = match (root.path.trim_end_matches('/'), relative) {
        (_, "") => root.path.clone(),
        ("" | ".", relative) if root.connection.is_some() => relative.to_owned(),
        (root, relative) => format!("{root}/{relative}"),
    };
    Location { connection: root.connection.clone(), path }
}

fn observed(dataset: &Dataset, described: Described) -> Observed {
    let Described { layout, schema, files, rows, bytes } = described;
    let fingerprint = fingerprint(dataset, &layout, &schema);
    Observed { dataset: dataset.clone(), layout, schema, files, rows, bytes, fingerprint }
}

/// Whether something is at a path, and the free space there or at the nearest directory above that exists.
fn place(path: &Path) -> Result<Place, DriverError> {
    let exists = match std::fs::symlink_metadata(path) {
        Ok(_) => true,
        Err(error) if matches!(error.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory) => false,
        Err(error) => return Err(io_error("look at", path, &error)),
    };
    let mut near = path;
    loop {
        match rustix::fs::statvfs(near) {
            Ok(space) => {
                use std::os::unix::fs::MetadataExt;
                let metadata = std::fs::metadata(near).map_err(|error| io_error("look at", near, &error))?;
                let device = format!("{:x}", metadata.dev());
                return Ok(Place { exists, free_bytes: space.f_bavail.saturating_mul(space.f_frsize), device });
            }
            Err(rustix::io::Errno::NOENT | rustix::io::Errno::NOTDIR) if near.parent().is_some() => {
                near = near.parent().unwrap_or(near);
            }
            Err(error) => return Err(io_error("look at", near, &error.into())),
        }
    }
}
