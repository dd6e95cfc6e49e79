//! Reading migration files: from files, directories and standard input, with all that is wrong with them.

use crate::exit::Exit;
use crate::failure::{self, Failure};
use greylag_model::code;
use greylag_model::diagnostic::{Diagnostic, Place, Severity};
use greylag_model::spec::{self, CheckSpec, Connection, Document, Migration, MigrationTemplate, Parsed, With};
use greylag_model::template::Rendered;
use greylag_model::yaml::Places;
use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::{Component, Path, PathBuf};

/// What the files hold.
pub(crate) struct Files {
    /// Migrations with their places.
    pub(crate) migrations: Vec<(Migration, Origin)>,
    /// Templates with their places; see [`crate::templates`].
    pub(crate) templates: Vec<(MigrationTemplate, Places)>,
    /// Roots of the connections, by name, absolute.
    pub(crate) roots: BTreeMap<String, String>,
    /// Texts, for excerpts.
    pub(crate) sources: BTreeMap<String, String>,
}

/// Where a migration comes from.
pub(crate) enum Origin {
    /// It was written.
    Written(Places),
    /// A template became it.
    Rendered(Box<Rendered>),
}

impl Origin {
    /// Where what a pointer names stands in a file.
    pub(crate) fn value(&self, pointer: &str) -> Place {
        match self {
            Self::Written(places) => places.value(pointer),
            Self::Rendered(rendered) => rendered.place(pointer),
        }
    }
}

/// Reads files, directories (their `*.yaml` and `*.yml`) and `-` (standard input). Any error in any of them is reported
/// with all the others, and nothing is planned.
pub(crate) fn read(paths: &[PathBuf], json: bool) -> Result<Files, Failure> {
    let mut parsed: Vec<(PathBuf, Parsed)> = Vec::new();
    let mut sources = BTreeMap::new();
    for path in expanded(paths)? {
        let name = path.display().to_string();
        let bytes = bytes(&path)?;
        sources.insert(name.clone(), String::from_utf8_lossy(&bytes).into_owned());
        parsed.push((path, spec::parse_bytes(&name, &bytes, &spec::LIMITS)));
    }
    let mut diagnostics: Vec<Diagnostic> =
        parsed.iter_mut().flat_map(|(_, parsed)| std::mem::take(&mut parsed.diagnostics)).collect();
    let only: Vec<Parsed> = parsed.iter().map(|(_, parsed)| parsed.clone()).collect();
    diagnostics.extend(spec::across(&only));
    if diagnostics.iter().any(|diagnostic| diagnostic.severity == Severity::Error) {
        return Err(Failure { exit: Exit::Failed, diagnostics, sources });
    }
    failure::report(&diagnostics, &sources, json);
    let mut files = Files { migrations: Vec::new(), templates: Vec::new(), roots: BTreeMap::new(), sources };
    for (path, parsed) in parsed {
        for document in parsed.documents {
            match document {
                Document::Migration(mut migration, places) => {
                    let spec = &mut migration.spec;
                    let own = spec.datasets.iter_mut().flat_map(|pair| &mut pair.checks);
                    absolute(&path, spec.checks.iter_mut().chain(own))?;
                    files.migrations.push((*migration, Origin::Written(places)));
                }
                Document::Template(mut template, places) => {
                    absolute(&path, template.spec.checks.iter_mut())?;
                    files.templates.push((*template, places));
                }
                // Limits are the installation's, not the migration's: `greylag limits apply`.
                Document::Limits(..) => {}
                Document::Connection(connection, places) => {
                    let root = root(&path, &connection, &places)?;
                    files.roots.insert(connection.metadata.name, root);
                }
            }
        }
    }
    if files.migrations.is_empty() && files.templates.is_empty() {
        return Err(Failure::error(code::cli::NOT_FOUND, "the files hold no migration")
            .hint("a document with `kind: Migration` or `kind: MigrationTemplate` says what is to change"));
    }
    Ok(files)
}

/// A connection's root; a relative one starts at the file that declares it.
fn root(file: &Path, connection: &Connection, places: &Places) -> Result<String, Failure> {
    let base = file.parent().unwrap_or_else(|| Path::new(""));
    let joined = base.join(&connection.spec.root);
    let root = fs::canonicalize(&joined).map_err(|error| {
        let message = format!(
            "the root `{}` of connection `{}` cannot be used: {error}",
            joined.display(),
            connection.metadata.name
        );
        Failure::new(
            Exit::Failed,
            Diagnostic::error(code::cli::CONFIGURATION, message).at(Some(places.value("/spec/root"))),
        )
    })?;
    root.into_os_string().into_string().map_err(|root| {
        Failure::error(code::cli::CONFIGURATION, format!("the root `{}` is not UTF-8", root.to_string_lossy()))
    })
}

/// Makes the paths of datasets that checks compare with absolute; relative ones start at the file that names them.
fn absolute<'a>(file: &Path, checks: impl Iterator<Item = &'a mut CheckSpec>) -> Result<(), Failure> {
    for diff in checks.filter_map(|check| check.diff.as_mut()) {
        let With::Path(relative) = diff.with() else { continue };
        let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
        let mut path = fs::canonicalize(folder).map_err(|error| unreadable(folder, &error))?;
        for part in Path::new(relative).components() {
            match part {
                Component::ParentDir => drop(path.pop()),
                Component::CurDir => {}
                // The root replaces what was there.
                part => path.push(part),
            }
        }
        let text = path.into_os_string().into_string().map_err(|path| {
            Failure::error(code::cli::FILE_UNREADABLE, format!("the path `{}` is not UTF-8", path.to_string_lossy()))
        })?;
        diff.with = Some(text);
    }
    Ok(())
}

fn expanded(paths: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
    let mut files = Vec::new();
    for path in paths {
        if !path.is_dir() {
            files.push(path.clone());
            continue;
        }
        let entries = fs::read_dir(path).map_err(|error| unreadable(path, &error))?;
        let mut inside: Vec<PathBuf> = entries
            .filter_map(|entry| entry.ok().map(|entry| entry.path()))
            .filter(|path| path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml"))
            .collect();
        if inside.is_empty() {
            return Err(Failure::error(code::cli::NOT_FOUND, format!("`{}` holds no `*.yaml` file", path.display())));
        }
        inside.sort();
        files.append(&mut inside);
    }
    Ok(files)
}

fn bytes(path: &Path) -> Result<Vec<u8>, Failure> {
    if path == Path::new("-") {
        let mut bytes = Vec::new();
        let limit = spec::LIMITS.bytes as u64 + 1;
        std::io::stdin().lock().take(limit).read_to_end(&mut bytes).map_err(|error| unreadable(path, &error))?;
        return Ok(bytes);
    }
    // One byte more than is allowed, so that the parser says what the limit is instead of reading on for ever.
    let file = fs::File::open(path).map_err(|error| unreadable(path, &error))?;
    let mut bytes = Vec::new();
    file.take(spec::LIMITS.bytes as u64 + 1).read_to_end(&mut bytes).map_err(|error| unreadable(path, &error))?;
    Ok(bytes)
}

fn unreadable(path: &Path, error: &std::io::Error) -> Failure {
    Failure::error(code::cli::FILE_UNREADABLE, format!("`{}` cannot be read: {error}", path.display()))
}
