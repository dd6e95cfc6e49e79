//! Which files make up a dataset: names and sizes only, contents are never looked at except for four magic bytes of
//! files whose names tell nothing.
//!
//! # Left alone
//! Hidden names (`.x`, `_x`, but not `_x=1`, which is a partition), `_SUCCESS` and `_metadata` among them; half-written
//! ones (`*.tmp`, `*.crc`, `*._COPYING_`, `*.inprogress` …); files of length zero inside directories; pipes, sockets
//! and devices; inside directories also files that no data tool writes (`README.md`, `view.sql`). Data of formats that
//! Greylag does not read (`*.orc`, `*.csv.gz` …) is not left alone: leaving out rows in silence would be loss.
//!
//! # Links
//! Below a connection's root every path is resolved by the kernel with `RESOLVE_BENEATH`: a link that leads out of the
//! root, or is absolute, is an error, also if it is planted between listing and opening. Without a connection the
//! location itself may pass through links (its author typed it), and what lies below a directory is held beneath it.

use crate::hive;
use crate::io_error::io_error;
use greylag_driver::error::DriverError;
use greylag_model::code::data as code;
use greylag_model::dataset::Shape;
use rustix::fs::{Mode, OFlags, ResolveFlags};
use serde::{Deserialize, Serialize};
use std::fs::{File, Metadata};
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Directories are not descended deeper than this.
const DEEPEST: usize = 64;

/// Format of a file by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FileFormat {
    /// Apache Parquet.
    Parquet,
    /// Delimited text.
    Csv,
    /// JSON lines.
    Json,
    /// Avro object container files.
    Avro,
}

impl FileFormat {
    /// That of a layout.
    pub fn of(format: &greylag_model::dataset::Format) -> Self {
        match format {
            greylag_model::dataset::Format::Parquet { .. } => Self::Parquet,
            greylag_model::dataset::Format::Csv(_) => Self::Csv,
            greylag_model::dataset::Format::Json => Self::Json,
            greylag_model::dataset::Format::Avro { .. } => Self::Avro,
        }
    }

    /// `parquet`, `csv`, `json` or `avro`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Parquet => "parquet",
            Self::Csv => "csv",
            Self::Json => "json",
            Self::Avro => "avro",
        }
    }
}

/// Where a dataset lies on this machine.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Anchor {
    /// The connection's root, absolute; nothing outside it is opened. `None`: the path is absolute and its author's own.
    pub root: Option<String>,
    /// Path of the file or directory; relative to the root if there is one.
    pub path: String,
}

impl Anchor {
    /// The whole path, for messages and for writers.
    pub fn absolute(&self) -> PathBuf {
        self.root.as_ref().map_or_else(|| PathBuf::from(&self.path), |root| Path::new(root).join(&self.path))
    }

    /// The whole path of one of its files.
    pub fn absolute_of(&self, relative: &str) -> PathBuf {
        if relative.is_empty() { self.absolute() } else { self.absolute().join(relative) }
    }

    /// Opens a file of the dataset for reading: `relative` is a [`DataFile::relative`], empty for the dataset's own path.
    pub fn open(&self, relative: &str) -> Result<File, DriverError> {
        let file = self.resolve(relative, OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC)?;
        let path = self.absolute_of(relative);
        let metadata = file.metadata().map_err(|error| io_error("read", &path, &error))?;
        if metadata.is_file() {
            return Ok(file);
        }
        let words = format!("`{}` is not a regular file", path.display());
        Err(DriverError::permanent(code::UNKNOWN_FORMAT, words))
    }

    /// What stands at the path, links followed as far as they may be.
    pub fn metadata(&self, relative: &str) -> Result<Metadata, DriverError> {
        let file = self.resolve(relative, OFlags::PATH | OFlags::CLOEXEC)?;
        file.metadata().map_err(|error| io_error("read", &self.absolute_of(relative), &error))
    }

    fn resolve(&self, relative: &str, flags: OFlags) -> Result<File, DriverError> {
        let whole = self.absolute_of(relative);
        let (base, below) = match &self.root {
            Some(root) => (root, join(&self.path, relative)),
            None if relative.is_empty() => {
                let opened = rustix::fs::open(&whole, flags, Mode::empty());
                return opened.map(File::from).map_err(|error| io_error("open", &whole, &error.into()));
            }
            None => (&self.path, relative.to_owned()),
        };
        if below.starts_with('/') || below.split('/').any(|part| part == "..") {
            let words = format!("`{}` leads out of `{base}`", whole.display());
            return Err(
                DriverError::permanent(code::OUTSIDE_ROOT, words).hint("use a path below the root, without `..`")
            );
        }
        let directory = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let directory = rustix::fs::open(base.as_str(), directory, Mode::empty())
            .map_err(|error| io_error("open", Path::new(base), &error.into()))?;
        let below = if below.is_empty() { "." } else { &below };
        let beneath = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
        let opened = match rustix::fs::openat2(&directory, below, flags, Mode::empty(), beneath) {
            Err(rustix::io::Errno::NOSYS | rustix::io::Errno::PERM) => open_checked(Path::new(base), &whole, flags)?,
            opened => opened.map_err(|error| io_error("open", &whole, &error.into()))?.into(),
        };
        Ok(opened)
    }
}

/// For kernels without `openat2`: resolve, compare, open without following a last link. Weaker (there is a moment
/// between), but such kernels are older than 2020.
fn open_checked(base: &Path, whole: &Path, flags: OFlags) -> Result<File, DriverError> {
    let real = |path: &Path| std::fs::canonicalize(path).map_err(|error| io_error("open", path, &error));
    let (base, resolved) = (real(base)?, real(whole)?);
    if !resolved.starts_with(&base) {
        let words = format!("`{}` leads out of `{}`", whole.display(), base.display());
        return Err(DriverError::permanent(code::OUTSIDE_ROOT, words));
    }
    let opened = rustix::fs::open(&resolved, flags | OFlags::NOFOLLOW, Mode::empty());
    opened.map(File::from).map_err(|error| io_error("open", whole, &error.into()))
}

fn join(path: &str, relative: &str) -> String {
    match (path, relative) {
        (path, "") => path.to_owned(),
        ("" | ".", relative) => relative.to_owned(),
        (path, relative) => format!("{}/{relative}", path.trim_end_matches('/')),
    }
}

/// One data file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DataFile {
    /// Path below the dataset's directory, `/` between names; empty if the dataset is this one file.
    pub relative: String,
    /// Its length.
    pub bytes: u64,
    /// When its content last changed, nanoseconds since 1970.
    pub modified_nanos: i64,
    /// Values of the partition columns, in the order of [`Listing::partition_by`]; `None` is null.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub partition: Vec<Option<String>>,
}

/// The data files of a dataset.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listing {
    /// Where the dataset lies.
    pub anchor: Anchor,
    /// One file or a directory.
    pub shape: Shape,
    /// Format of all files.
    pub format: FileFormat,
    /// Names of the partition columns, outermost first.
    pub partition_by: Vec<String>,
    /// The files, sorted by their relative paths as bytes.
    pub files: Vec<DataFile>,
}

impl Listing {
    /// Bytes of all files.
    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.bytes).sum()
    }
}

/// What a name says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A data file of a format.
    Data(FileFormat),
    /// Hidden or half-written.
    Leave,
    /// Data that cannot be read here.
    Foreign,
    /// Nothing can be said.
    Unknown,
}

/// What the name of a file says, whatever its case.
pub(crate) fn kind_of(name: &str) -> Kind {
    if is_hidden(name) {
        return Kind::Leave;
    }
    let name = name.to_lowercase();
    let half_written = [
        ".tmp",
        ".temp",
        ".crc",
        "._copying_",
        ".inprogress",
        ".partial",
        ".part",
        ".filepart",
        ".crdownload",
        ".swp",
        ".lock",
        "~",
    ];
    if half_written.iter().any(|suffix| name.ends_with(suffix)) {
        return Kind::Leave;
    }
    match name.rsplit_once('.').map(|(_, extension)| extension) {
        Some("parquet" | "parq" | "pq") => Kind::Data(FileFormat::Parquet),
        Some("csv" | "tsv" | "psv") => Kind::Data(FileFormat::Csv),
        Some("json" | "jsonl" | "ndjson") => Kind::Data(FileFormat::Json),
        Some("avro") => Kind::Data(FileFormat::Avro),
        Some(
            "orc" | "arrow" | "feather" | "ipc" | "xlsx" | "xls" | "gz" | "bz2" | "xz" | "zst" | "zip" | "lz4"
            | "snappy" | "tar" | "tgz" | "db" | "sqlite" | "duckdb",
        ) => Kind::Foreign,
        _ => Kind::Unknown,
    }
}

/// Names that data tools leave alone. `_key=value` is a partition, not hidden.
pub(crate) fn is_hidden(name: &str) -> bool {
    name.starts_with('.') || (name.starts_with('_') && !name.contains('='))
}

/// Lists the data files of a dataset. `declared` is the format that the dataset declares.
pub fn list(anchor: &Anchor, declared: Option<FileFormat>) -> Result<Listing, DriverError> {
    let metadata = anchor.metadata("")?;
    if metadata.is_dir() {
        return list_directory(anchor, declared);
    }
    let path = anchor.absolute();
    let name = crate::staging::target_name(&path);
    let format = match (declared, kind_of(name)) {
        (Some(format), _) | (None, Kind::Data(format)) => format,
        (None, _) => sniff(anchor, "")?.ok_or_else(|| unknown_format(&anchor.absolute()))?,
    };
    let file = DataFile {
        relative: String::new(),
        bytes: metadata.len(),
        modified_nanos: modified_nanos(&metadata),
        partition: Vec::new(),
    };
    anchor.open("")?; // Readable, and a regular file.
    Ok(Listing { anchor: anchor.clone(), shape: Shape::File, format, partition_by: Vec::new(), files: vec![file] })
}

fn unknown_format(path: &Path) -> DriverError {
    DriverError::permanent(code::UNKNOWN_FORMAT, format!("cannot tell the format of `{}`", path.display()))
        .hint("declare it with the annotation `greylag.dev/format: parquet`, `csv`, `json` or `avro`")
}

fn modified_nanos(metadata: &Metadata) -> i64 {
    metadata.mtime().saturating_mul(1_000_000_000).saturating_add(metadata.mtime_nsec())
}

/// Parquet and Avro by their first four bytes.
fn sniff(anchor: &Anchor, relative: &str) -> Result<Option<FileFormat>, DriverError> {
    let mut magic = [0; 4];
    let read = anchor.open(relative)?.read_exact(&mut magic);
    Ok(match (read, &magic) {
        (Ok(()), b"PAR1") => Some(FileFormat::Parquet),
        (Ok(()), crate::avro::container::MAGIC) => Some(FileFormat::Avro),
        _ => None,
    })
}

fn list_directory(anchor: &Anchor, declared: Option<FileFormat>) -> Result<Listing, DriverError> {
    let mut walk = Walk { anchor, declared, found: Vec::new(), ancestors: Vec::new() };
    walk.directory("", 0)?;
    let mut found = walk.found;
    found.sort_by(|left, right| left.0.relative.cmp(&right.0.relative));
    let Some(format) = found.first().map(|(_, format)| *format) else {
        let words = format!("`{}` has no data files", anchor.absolute().display());
        return Err(DriverError::permanent(code::NO_DATA_FILES, words).hint("check the location"));
    };
    if let Some((other, odd)) = found.iter().find(|(_, other)| *other != format) {
        return Err(mixed(anchor, &found[0].0.relative, format.name(), &other.relative, odd.name()));
    }
    let mut files: Vec<DataFile> = found.into_iter().map(|(file, _)| file).collect();
    let partition_by = partitions(anchor, &mut files)?;
    Ok(Listing { anchor: anchor.clone(), shape: Shape::Directory, format, partition_by, files })
}

fn mixed(anchor: &Anchor, one: &str, format: &str, other: &str, odd: &str) -> DriverError {
    let place = anchor.absolute();
    let words = format!("`{}` holds {format} (`{one}`) and {odd} (`{other}`)", place.display());
    DriverError::permanent(code::MIXED_FORMATS, words)
        .hint("move the odd files away, or begin their names with `_` so that they are left alone")
}

/// Fills in the partition values; all files must lie below the same keys.
fn partitions(anchor: &Anchor, files: &mut [DataFile]) -> Result<Vec<String>, DriverError> {
    let mut keys: Option<(Vec<String>, String)> = None;
    for file in files {
        let names = file.relative.rsplit_once('/').map_or("", |(directory, _)| directory);
        let parsed: Vec<_> = names.split('/').filter(|name| !name.is_empty()).map(hive::parse_directory).collect();
        let pairs: Vec<_> = parsed.iter().flatten().cloned().collect();
        let (own, values): (Vec<String>, Vec<Option<String>>) = pairs.into_iter().unzip();
        let odd = |words: String| {
            let words = format!("{words} in `{}`", anchor.absolute().display());
            DriverError::permanent(code::PARTITION_LAYOUT, words)
                .hint("all data files must lie below the same `key=value` directories")
        };
        if !own.is_empty() && own.len() != parsed.len() {
            return Err(odd(format!("`{}` lies in plain and partition directories", file.relative)));
        }
        let repeated = own.iter().enumerate().any(|(index, key)| own[..index].contains(key));
        if repeated {
            return Err(odd(format!("`{}` names a partition column twice", file.relative)));
        }
        match &keys {
            None => keys = Some((own, file.relative.clone())),
            Some((first, _)) if *first == own => {}
            Some((_, path)) => return Err(odd(format!("`{path}` and `{}` have different partitions", file.relative))),
        }
        file.partition = values;
    }
    Ok(keys.map(|(keys, _)| keys).unwrap_or_default())
}

struct Walk<'a> {
    anchor: &'a Anchor,
    declared: Option<FileFormat>,
    found: Vec<(DataFile, FileFormat)>,
    /// Device and inode of the directories above, against circles of links.
    ancestors: Vec<(u64, u64)>,
}

impl Walk<'_> {
    fn directory(&mut self, relative: &str, depth: usize) -> Result<(), DriverError> {
        let path = self.anchor.absolute_of(relative);
        let own = self.anchor.metadata(relative)?;
        let identity = (own.dev(), own.ino());
        if depth > DEEPEST || self.ancestors.contains(&identity) {
            let words = format!("`{}` leads in a circle, or deeper than {DEEPEST} directories", path.display());
            return Err(DriverError::permanent(code::OUTSIDE_ROOT, words).hint("remove the link"));
        }
        self.ancestors.push(identity);
        let failed = |error: std::io::Error| io_error("list", &path, &error);
        for entry in std::fs::read_dir(&path).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let name = entry.file_name();
            let Some(name) = name.to_str() else {
                let words = format!("the name `{}` in `{}` is not UTF-8", name.to_string_lossy(), path.display());
                return Err(DriverError::permanent(code::FILE_NAME, words).hint("rename the file"));
            };
            if depth == 0 {
                refuse_tables(&path, name)?;
            }
            if is_hidden(name) {
                continue;
            }
            self.entry(&entry, &join(relative, name), name, depth)?;
        }
        self.ancestors.pop();
        Ok(())
    }

    fn entry(
        &mut self,
        entry: &std::fs::DirEntry,
        relative: &str,
        name: &str,
        depth: usize,
    ) -> Result<(), DriverError> {
        let failed = |error: std::io::Error| io_error("read", &entry.path(), &error);
        let mut file_type = entry.file_type().map_err(failed)?;
        let mut followed = None;
        if file_type.is_symlink() {
            if kind_of(name) == Kind::Leave {
                return Ok(());
            }
            let metadata = self.anchor.metadata(relative)?;
            file_type = metadata.file_type();
            followed = Some(metadata);
        }
        if file_type.is_dir() {
            return self.directory(relative, depth + 1);
        }
        let Some(format) = self.format_of(name, relative, file_type.is_file())? else { return Ok(()) };
        let metadata = match followed {
            Some(metadata) => metadata,
            None => entry.metadata().map_err(failed)?,
        };
        if metadata.len() > 0 {
            let (bytes, modified_nanos) = (metadata.len(), modified_nanos(&metadata));
            let file = DataFile { relative: relative.to_owned(), bytes, modified_nanos, partition: Vec::new() };
            self.found.push((file, format));
        }
        Ok(())
    }

    /// The format of a file in a directory; `None` leaves it alone.
    fn format_of(&self, name: &str, relative: &str, regular: bool) -> Result<Option<FileFormat>, DriverError> {
        if !regular {
            return Ok(None);
        }
        match (kind_of(name), self.declared) {
            (Kind::Leave, _) => Ok(None),
            (Kind::Data(format), None) => Ok(Some(format)),
            (Kind::Data(format), Some(declared)) if format == declared => Ok(Some(format)),
            (Kind::Unknown, Some(declared)) if !name.contains('.') || name.to_lowercase().ends_with(".txt") => {
                Ok(Some(declared))
            }
            (Kind::Unknown, None) if !name.contains('.') => sniff(self.anchor, relative),
            (Kind::Unknown, _) => Ok(None),
            (Kind::Data(_) | Kind::Foreign, declared) => {
                let expected = declared.map_or("Parquet, CSV, JSON lines or Avro", FileFormat::name);
                let place = self.anchor.absolute();
                let words = format!("`{relative}` in `{}` is not {expected}", place.display());
                Err(DriverError::permanent(code::MIXED_FORMATS, words)
                    .hint("move it away, or begin its name with `_` so that it is left alone"))
            }
        }
    }
}

/// Tables whose plain files are not their rows.
fn refuse_tables(path: &Path, name: &str) -> Result<(), DriverError> {
    let system = match name {
        "_delta_log" => "Delta",
        ".hoodie" => "Hudi",
        "metadata" if is_iceberg(&path.join(name)) => "Iceberg",
        _ => return Ok(()),
    };
    let words =
        format!("`{}` is a table of {system}, and its files hold rows that the table has deleted", path.display());
    Err(DriverError::permanent(code::TABLE_FORMAT, words).hint("export the table to plain Parquet first"))
}

fn is_iceberg(metadata: &Path) -> bool {
    let Ok(mut entries) = std::fs::read_dir(metadata) else { return false };
    entries.any(|entry| entry.is_ok_and(|entry| entry.file_name().to_string_lossy().ends_with(".metadata.json")))
}

#[cfg(test)]
mod tests;
