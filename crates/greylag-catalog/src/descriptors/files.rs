//! Finding and reading descriptor files.

use super::location;
use greylag_model::code::catalog as code;
use greylag_model::diagnostic::{Diagnostic, Place};
use greylag_model::entity::descriptor::{self, Descriptor, MAX_BYTES};
use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// Directories are not descended deeper than this, and `Location`s not followed further.
const DEEPEST: usize = 64;

/// Everything that was read.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    pub(super) files: Vec<ReadFile>,
    pub(super) diagnostics: Vec<Diagnostic>,
    /// Whether everything could be looked at, so that what was not found is not there.
    pub(super) complete: bool,
    pub(super) passed_over: usize,
    /// What was given, resolved.
    given: Vec<PathBuf>,
    seen: BTreeSet<PathBuf>,
}

/// A file that was read.
#[derive(Debug)]
pub(super) struct ReadFile {
    /// Resolved: the source's name.
    pub(super) path: String,
    /// The path given to the import that led here, resolved.
    pub(super) via: String,
    pub(super) descriptors: Vec<Descriptor>,
    /// Whether all of its documents could be read.
    pub(super) complete: bool,
}

/// A root that is being walked.
#[derive(Clone, Copy)]
pub(super) struct Walk<'a> {
    /// Resolved; nothing outside is read.
    pub(super) root: &'a Path,
    /// The path given, resolved.
    pub(super) via: &'a Path,
}

/// How a file came to be read.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    /// By the walk of a directory: it may be something else.
    Walking,
    /// Somebody named it.
    Named,
}

impl Gathered {
    pub(super) fn descriptors(&self) -> impl Iterator<Item = &Descriptor> {
        self.files.iter().flat_map(|file| &file.descriptors)
    }

    /// Whether this import has looked at all that led to a file before.
    pub(super) fn covers(&self, path: &str, via: &str) -> bool {
        let (path, via) = (Path::new(path), Path::new(via));
        self.given.iter().any(|given| path.starts_with(given) || via == given)
    }

    pub(super) fn error(&mut self, error: Diagnostic) {
        self.complete = false;
        self.diagnostics.push(error);
    }

    fn unreadable(&mut self, shown: &str, error: &io::Error, place: Option<Place>) {
        let message = format!("`{shown}` cannot be read: {}", reason(error));
        self.error(Diagnostic::error(code::UNREADABLE_PATH, message).at(place));
    }

    fn directory(&mut self, walk: Walk<'_>, path: &Path, shown: &Path, depth: usize) {
        if depth > DEEPEST {
            let message = format!("`{}` is more than {DEEPEST} directories deep", shown.display());
            self.error(Diagnostic::error(code::UNREADABLE_PATH, message));
            return;
        }
        let entries = std::fs::read_dir(path).and_then(|entries| entries.collect::<io::Result<Vec<_>>>());
        let mut entries = match entries {
            Ok(entries) => entries,
            Err(error) => return self.unreadable(&shown.display().to_string(), &error, None),
        };
        entries.sort_by_key(std::fs::DirEntry::file_name);
        for entry in entries {
            let name = entry.file_name();
            let (path, shown) = (path.join(&name), shown.join(&name));
            if name.to_string_lossy().starts_with('.') {
                continue;
            }
            match entry.file_type() {
                // A link to a directory is not followed: what it leads to is either here anyway or not meant.
                Ok(kind) if kind.is_dir() => self.directory(walk, &path, &shown, depth + 1),
                Ok(_) if !is_yaml(&path) || path.is_dir() => {}
                Ok(_) => self.file(walk, &path, &shown, Found::Walking, None, &mut Vec::new()),
                Err(error) => self.unreadable(&shown.display().to_string(), &error, None),
            }
        }
    }

    /// Reads a file, unless it was read already; `place` is where it is named, `chain` the files whose `Location`s led
    /// here.
    pub(super) fn file(
        &mut self,
        walk: Walk<'_>,
        path: &Path,
        shown: &Path,
        found: Found,
        place: Option<Place>,
        chain: &mut Vec<PathBuf>,
    ) {
        let name = shown.display().to_string();
        let resolved = match path.canonicalize() {
            Ok(resolved) => resolved,
            Err(error) => return self.unreadable(&name, &error, place),
        };
        if !resolved.starts_with(walk.root) {
            let message = format!("`{name}` leads out of `{}`", walk.root.display());
            let error = Diagnostic::error(code::ILLEGAL_TARGET, message).at(place);
            return self.error(error.hint("give the import a directory that holds both"));
        }
        if chain.contains(&resolved) || chain.len() > DEEPEST {
            let message = format!("the target `{name}` is a `Location` that leads back here");
            return self.error(Diagnostic::error(code::ILLEGAL_TARGET, message).at(place));
        }
        if self.seen.contains(&resolved) {
            return;
        }
        let Some(text) = resolved.to_str().map(str::to_owned) else {
            let message = format!("the path `{name}` is not UTF-8 text");
            return self.error(Diagnostic::error(code::UNREADABLE_PATH, message).at(place));
        };
        let bytes = match read(&resolved) {
            Ok(Some(bytes)) => bytes,
            Ok(None) => {
                let message = format!("`{name}` has more than {MAX_BYTES} bytes");
                let error = Diagnostic::error(code::DESCRIPTOR_TOO_LARGE, message).at(place);
                return self.error(error.hint("cut it into several files; a directory can be imported whole"));
            }
            Err(error) => return self.unreadable(&name, &error, place),
        };
        if found == Found::Walking && !holds(&bytes, b"backstage.io/") {
            self.passed_over += 1;
            return;
        }
        self.seen.insert(resolved.clone());
        let read = descriptor::read(&name, &bytes);
        self.diagnostics.extend(read.diagnostics);
        let mut targets = Vec::new();
        for descriptor in &read.entities {
            targets.extend(descriptor.targets.iter().cloned());
        }
        // A document that could not be read may have been a `Location`.
        self.complete &= read.complete;
        let via = walk.via.display().to_string();
        self.files.push(ReadFile { path: text, via, descriptors: read.entities, complete: read.complete });
        chain.push(resolved.clone());
        for (target, place) in targets {
            location::follow(self, walk, (&resolved, shown), &target, &place, chain);
        }
        chain.pop();
    }
}

/// Reads all that the given paths lead to.
pub(super) fn gather(paths: &[PathBuf], directory: &Path) -> Gathered {
    let mut gathered = Gathered { complete: true, ..Gathered::default() };
    for shown in paths {
        let path = directory.join(shown);
        let resolved = match path.canonicalize() {
            Ok(resolved) => resolved,
            Err(error) => {
                gathered.unreadable(&shown.display().to_string(), &error, None);
                continue;
            }
        };
        gathered.given.push(resolved.clone());
        let before = (gathered.files.len(), gathered.diagnostics.len());
        let seen = gathered.seen.len();
        if resolved.is_dir() {
            let shown = if shown == Path::new(".") { Path::new("") } else { shown };
            gathered.directory(Walk { root: &resolved, via: &resolved }, &resolved, shown, 0);
        } else {
            let root = resolved.parent().unwrap_or(Path::new("/"));
            let walk = Walk { root, via: &resolved };
            gathered.file(walk, &resolved, shown, Found::Named, None, &mut Vec::new());
        }
        // Unless an earlier path has led to all of it.
        if (gathered.files.len(), gathered.diagnostics.len()) == before && seen == 0 {
            let message = format!("`{}` holds no descriptors", shown.display());
            let warning = Diagnostic::warning(code::NO_DESCRIPTORS, message);
            gathered.diagnostics.push(warning.hint("descriptors are files whose names end in `.yaml` or `.yml`"));
        }
    }
    gathered
}

fn is_yaml(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml")
}

/// The file's bytes; `None` if there are too many.
fn read(path: &Path) -> io::Result<Option<Vec<u8>>> {
    // A pipe would wait for a writer: look before opening.
    if !path.metadata()?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file"));
    }
    let mut bytes = Vec::new();
    File::open(path)?.take(MAX_BYTES as u64 + 1).read_to_end(&mut bytes)?;
    Ok((bytes.len() <= MAX_BYTES).then_some(bytes))
}

fn holds(bytes: &[u8], wanted: &[u8]) -> bool {
    bytes.windows(wanted.len()).any(|window| window == wanted)
}

/// The error in words that are the same on every system.
fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "it does not exist".to_owned(),
        io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        _ => error.to_string(),
    }
}
