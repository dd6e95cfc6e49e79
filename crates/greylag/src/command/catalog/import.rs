//! `greylag catalog import`.

use crate::context::Context;
use crate::exit::Exit;
use crate::failure::{self, Failure, Outcome};
use crate::output::{self, Format};
use crate::wire;
use clap::Args;
use greylag_catalog::{Report, descriptors, scan};
use greylag_model::code;
use greylag_model::dataset::Location;
use greylag_model::diagnostic::Severity;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Facts that were kept against an import are named up to this number.
const NAMED: usize = 20;

/// Register descriptors (Backstage YAML) and directories of data files.
///
/// A directory that holds descriptors is read for them; one that holds none (migration files do not count) is scanned: every file and every directory of
/// files of one format and schema becomes a dataset named after its path. Importing again is safe: what did not change is
/// left alone, and what a migration published is not overwritten by an older descriptor.
#[derive(Debug, Args)]
pub(crate) struct Import {
    /// Descriptor files, directories of them, or directories of data files.
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Scan directories for data files in any case.
    #[arg(long)]
    scan: bool,
    /// Namespace of datasets that a scan finds.
    #[arg(long, default_value = "default", value_name = "NAME")]
    namespace: String,
}

impl Import {
    pub(super) fn run(&self, context: &Context) -> Outcome {
        let directory = std::env::current_dir().map_err(|error| {
            Failure::error(code::cli::FILE_UNREADABLE, format!("the current directory cannot be had: {error}"))
        })?;
        let mut total = Report::default();
        let (scanned, described): (Vec<&PathBuf>, Vec<&PathBuf>) =
            self.paths.iter().partition(|path| self.scan && path.is_dir());
        let state = context.state()?;
        let mut to_scan: Vec<&PathBuf> = scanned;
        // Descriptor files of one call are read together, so that they can refer to one another.
        let mut together = Vec::new();
        for path in described {
            if path.is_dir() && !holds_descriptors(path) {
                to_scan.push(path);
            } else if is_data(path) {
                return Err(data_file(path));
            } else {
                together.push(path.clone());
            }
        }
        if !together.is_empty() {
            add(&mut total, descriptors::import(state.catalog.as_ref(), &together, &directory, context.now())?);
        }
        let describe = wire::describe(state, &BTreeMap::new());
        for path in to_scan {
            let root = std::fs::canonicalize(path).map_err(|error| {
                Failure::error(code::cli::FILE_UNREADABLE, format!("`{}` cannot be read: {error}", path.display()))
            })?;
            let location = Location { connection: None, path: root.to_string_lossy().into_owned() };
            let found = scan::scan(state.catalog.as_ref(), &describe, &location, &self.namespace, context.now())?;
            if found.read == 0 {
                context.say(&format!("`{}` holds neither descriptors nor data files", path.display()));
            }
            add(&mut total, found);
        }
        tell(context, &total)
    }
}

/// Whether a file is data by its name: what a descriptor never is.
fn is_data(path: &Path) -> bool {
    let extension = path.extension().map(|extension| extension.to_ascii_lowercase());
    path.is_file()
        && extension.is_some_and(|extension| {
            ["csv", "tsv", "psv", "parquet", "jsonl", "ndjson", "avro"].iter().any(|data| extension == *data)
        })
}

fn data_file(path: &Path) -> Failure {
    let holder = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    Failure::usage(format!("`{}` is a data file, not a descriptor", path.display()))
        .hint(format!("register all of its directory: `greylag catalog import {}`", holder.display()))
}

/// Whether a directory holds a YAML file at any depth that calls itself something and is no migration; whether those are
/// descriptors the import says. Other YAML often lies beside data.
fn holds_descriptors(directory: &Path) -> bool {
    let Ok(entries) = std::fs::read_dir(directory) else { return false };
    entries.flatten().any(|entry| {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let Ok(kind) = entry.file_type() else { return false };
        if name.starts_with('.') {
            return false;
        }
        if kind.is_dir() {
            return holds_descriptors(&entry.path());
        }
        (name.ends_with(".yaml") || name.ends_with(".yml")) && has_a_kind(&entry.path())
    })
}

/// Whether a YAML file has documents with a kind that is not one of migration files, which often lie beside the data, too.
/// One that cannot be read is for the import to tell of.
fn has_a_kind(path: &Path) -> bool {
    let Ok(bytes) = std::fs::read(path) else { return true };
    let text = String::from_utf8_lossy(&bytes);
    let value = |line: &str, key: &str| line.strip_prefix(key).map(|value| value.trim().to_owned());
    let mut kinds = text.lines().filter_map(|line| value(line, "kind:")).peekable();
    if kinds.peek().is_none() {
        return text.lines().any(|line| value(line, "apiVersion:").is_some());
    }
    !kinds.all(|kind| matches!(kind.as_str(), "Migration" | "MigrationTemplate" | "Connection"))
}

fn add(total: &mut Report, more: Report) {
    total.entities.extend(more.entities);
    total.kept.extend(more.kept);
    total.diagnostics.extend(more.diagnostics);
    total.read += more.read;
    total.passed_over += more.passed_over;
}

fn tell(context: &Context, report: &Report) -> Outcome {
    failure::report(&report.diagnostics, &BTreeMap::new(), context.format().is_json());
    let errors = report.errors();
    match context.format() {
        Format::Json | Format::Ndjson => {
            let value = serde_json::json!({
                "added": report.added(),
                "changed": report.changed(),
                "unchanged": report.unchanged(),
                "removed": report.removed(),
                "kept": report.kept,
                "errors": errors,
                "read": report.read,
                "passedOver": report.passed_over,
            });
            output::document(context.format(), "import", &value)?;
        }
        Format::Name => {
            for touched in &report.entities {
                output::text(&format!("{}\n", touched.entity))?;
            }
        }
        Format::Table | Format::Wide => {
            for kept in report.kept.iter().take(NAMED) {
                let fact = serde_json::to_value(&kept.fact).unwrap_or_default();
                context.say(&format!("kept: {}: {fact}", kept.entity));
            }
            let warnings = report.diagnostics.iter().filter(|found| found.severity == Severity::Warning).count();
            output::text(&format!(
                "{} added, {} changed, {} unchanged, {} removed; {} facts kept against it, {errors} errors, {warnings} warnings\n",
                report.added(),
                report.changed(),
                report.unchanged(),
                report.removed(),
                report.kept.len(),
            ))?;
        }
    }
    Ok(match (errors, report.entities.len()) {
        (0, _) => Exit::Done,
        (_, 0) => Exit::Failed,
        _ => Exit::Incomplete,
    })
}
