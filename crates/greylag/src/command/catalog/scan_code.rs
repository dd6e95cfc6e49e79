//! `greylag catalog scan-code`.

use crate::consumers::{self, Source};
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::output::{self, Format, Row, heading, wide};
use crate::reading::Reading;
use clap::Args;
use greylag_catalog::code::{Repository, Scanned, register};
use greylag_catalog::tables::{Meant, Tables};
use greylag_code::flow::flows;
use greylag_code::repository;
use greylag_driver::catalog::Catalog;
use greylag_model::code;
use greylag_syntax::sql::Schemas;
use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// Find out what code reads and writes, and register that as lineage.
///
/// SQL is read, and dbt projects as dbt would render them; nothing of the code is run. Every file or model that a dataset of the
/// catalog flows through becomes a component, with the places, and the columns where they can be told. Owners come from
/// `catalog-info.yaml` and `CODEOWNERS`. Scanned again, a repository replaces what was known of it, and nothing else.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
                        greylag catalog scan-code ~/src/reports ~/src/warehouse\n  \
                        greylag lineage raw.users")]
pub(crate) struct ScanCode {
    /// Repositories.
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Namespace of the components.
    #[arg(long, default_value = "default", value_name = "NAME")]
    namespace: String,
    #[command(flatten)]
    reading: Reading,
}

impl ScanCode {
    pub(super) fn run(&self, context: &Context) -> Outcome {
        let catalog = context.state()?.catalog.as_ref();
        let tables = Tables::of(catalog)?;
        let mut rows = Vec::new();
        for path in &self.paths {
            let scanned = self.scan(context, catalog, &tables, path)?;
            for (table, datasets) in &scanned.ambiguous {
                let names: Vec<String> = datasets.iter().map(ToString::to_string).collect();
                context.say(&format!("`{table}` may mean {}: it is left out", names.join(", ")));
            }
            context.say(&format!("{}: {}", path.display(), scanned.report));
            rows.push(row(path, &scanned));
        }
        let headings = [
            heading("path"),
            heading("repository"),
            heading("consumers"),
            heading("edges"),
            heading("changed"),
            wide("passed over"),
        ];
        if context.format() == Format::Name {
            return Ok(Exit::Done);
        }
        output::list(context.format(), "scanned", &headings, rows)?;
        Ok(Exit::Done)
    }

    fn scan(&self, context: &Context, catalog: &dyn Catalog, tables: &Tables, path: &Path) -> Result<Scanned, Failure> {
        let unreadable = |error: &dyn std::fmt::Display| {
            Failure::error(code::cli::FILE_UNREADABLE, format!("`{}` cannot be read: {error}", path.display()))
        };
        let root = fs::canonicalize(path).map_err(|error| unreadable(&error))?;
        if !root.is_dir() {
            return Err(unreadable(&"it is no directory").hint("give the repository that it is in"));
        }
        let source = Source::open(path)?;
        let known = Known { catalog, tables, columns: Mutex::default() };
        let told = repository::told(source.tree.as_ref()).map_err(|error| unreadable(&error))?;
        consumers::tell_of(context, path, &told);
        let said = self.reading.said();
        let flows = flows(source.tree.as_ref(), &known, said.options()).map_err(|error| unreadable(&error))?;
        let place = root.to_string_lossy();
        let name = root.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let commit = head(&root);
        let repository =
            Repository { place: &place, name: &name, commit: commit.as_deref(), namespace: &self.namespace };
        Ok(register(catalog, tables, &flows, &repository, context.now())?)
    }
}

fn row(path: &Path, scanned: &Scanned) -> Row {
    let repository = scanned.repository.as_ref().map(ToString::to_string).unwrap_or_default();
    let changed = scanned.report.added() + scanned.report.changed() + scanned.report.removed();
    let cells = vec![
        path.display().to_string(),
        repository.clone(),
        scanned.consumers.to_string(),
        scanned.edges.to_string(),
        changed.to_string(),
        scanned.passed_over.to_string(),
    ];
    let value = serde_json::json!({
        "path": path, "repository": repository, "consumers": scanned.consumers, "edges": scanned.edges,
        "passedOver": scanned.passed_over, "added": scanned.report.added(), "changed": scanned.report.changed(),
        "removed": scanned.report.removed(), "unchanged": scanned.report.unchanged(),
    });
    Row::new(repository, cells, &value)
}

/// The columns that the catalog has of datasets, by the names that code calls them.
struct Known<'a> {
    catalog: &'a dyn Catalog,
    tables: &'a Tables,
    columns: Mutex<HashMap<Vec<String>, Option<Vec<String>>>>,
}

impl Schemas for Known<'_> {
    fn columns(&self, name: &[&str]) -> Option<Vec<String>> {
        let key: Vec<String> = name.iter().map(|part| (*part).to_owned()).collect();
        let mut known = self.columns.lock().unwrap_or_else(PoisonError::into_inner);
        known
            .entry(key)
            .or_insert_with(|| {
                let Meant::One(dataset) = self.tables.meant(name) else { return None };
                // What cannot be had is not known.
                let last = self.catalog.schemas(&dataset).ok()?.pop()?;
                Some(last.schema.columns.into_iter().map(|column| column.name).collect())
            })
            .clone()
    }
}

/// The commit that is checked out, as the files of git say.
fn head(root: &Path) -> Option<String> {
    let git = root.join(".git");
    let text = |path: &Path| fs::read_to_string(path).ok();
    let head = text(&git.join("HEAD"))?;
    let id = match head.trim().strip_prefix("ref: ") {
        None => head.trim().to_owned(),
        Some(name) if name.starts_with("refs/") && !name.contains("..") => match text(&git.join(name)) {
            Some(id) => id.trim().to_owned(),
            None => packed(&text(&git.join("packed-refs"))?, name)?,
        },
        Some(_) => return None,
    };
    let is_id = matches!(id.len(), 40 | 64) && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_id.then_some(id)
}

fn packed(text: &str, name: &str) -> Option<String> {
    let lines = text.lines().filter_map(|line| line.split_once(' '));
    lines.filter(|(_, found)| *found == name).map(|(id, _)| id.to_owned()).next()
}
