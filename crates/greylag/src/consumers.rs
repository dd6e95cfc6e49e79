//! What migrations change for code, and the code that they are held against.

use crate::context::Context;
use crate::failure::{self, Failure};
use crate::migration_files::Files;
use crate::wire;
use greylag_catalog::tables::{Meant as Named, Tables};
use greylag_code::prove::Moved;
use greylag_code::repository::index::{Index, Subject};
use greylag_code::repository::{self, Options, Report};
use greylag_code::tree::{DirectoryTree, LeftOut, MemoryTree, Tree};
use greylag_driver::catalog::Catalog;
use greylag_driver::describe::Describe;
use greylag_model::code;
use greylag_model::consumer::TableChange;
use greylag_model::dataset::Dataset;
use greylag_model::diagnostic::{Diagnostic, Place, Severity};
use greylag_model::entity::{EntityRef, annotation};
use greylag_model::mapping::Mapping;
use greylag_model::plan::mapping_of;
use greylag_model::proof::Sample;
use greylag_model::snapshot::Observed;
use greylag_model::spec::{Migration, Pair};
use greylag_model::table::{self, Meeting, TableName};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Kind that a dataset's reference has when it names none.
const DATASET_KIND: &str = "resource";

/// A repository, or one file of one, on disk.
pub(crate) struct Source {
    /// The directory that paths are relative to.
    pub(crate) root: PathBuf,
    /// Whether all of that directory is meant.
    pub(crate) is_folder: bool,
    /// Its files.
    pub(crate) tree: Box<dyn Tree>,
    /// What lies there and is not among them.
    pub(crate) left_out: LeftOut,
}

impl Source {
    /// What is at a path.
    pub(crate) fn open(path: &Path) -> Result<Self, Failure> {
        let unreadable = |error: &dyn std::fmt::Display| {
            Failure::error(code::cli::FILE_UNREADABLE, format!("`{}` cannot be read: {error}", path.display()))
        };
        let metadata = fs::metadata(path).map_err(|error| unreadable(&error))?;
        if let Some(project) = project_around(path) {
            let message =
                format!("`{}` is a part of a dbt project, and cannot be read without the rest", path.display());
            return Err(Failure::error(code::cli::FILE_UNREADABLE, message)
                .hint(format!("give the whole project: `{}`", project.display())));
        }
        if metadata.is_dir() {
            let tree = DirectoryTree::new(path);
            let left_out = tree.left_out().map_err(|error| unreadable(&error))?;
            return Ok(Self { root: path.to_owned(), is_folder: true, tree: Box::new(tree), left_out });
        }
        if !metadata.is_file() {
            return Err(unreadable(&"it is neither a file nor a directory"));
        }
        let name =
            path.file_name().and_then(|name| name.to_str()).ok_or_else(|| unreadable(&"its name is not UTF-8"))?;
        let bytes = fs::read(path).map_err(|error| unreadable(&error))?;
        let root = path.parent().map_or_else(PathBuf::new, Path::to_path_buf);
        let tree = Box::new(MemoryTree::of([(name.to_owned(), bytes)]));
        Ok(Self { root, is_folder: false, tree, left_out: LeftOut::default() })
    }

    /// Tells people what was not looked at.
    pub(crate) fn tell(&self, context: &Context) {
        let root = self.root.display();
        // What `dbt deps` installs is read where a project of dbt has it.
        let is_installed = |path: &str| matches!(path.rsplit('/').next(), Some("dbt_packages" | "dbt_modules"));
        let ignored: Vec<&String> = self.left_out.ignored.iter().filter(|path| !is_installed(path)).collect();
        match ignored.as_slice() {
            [] => {}
            [one] => context.say(&format!("`{root}`: git ignores `{one}`, which was not looked at")),
            [one, more @ ..] => {
                let more = more.len();
                context.say(&format!("`{root}`: git ignores `{one}` and {more} more, which were not looked at"));
            }
        }
        for name in &self.left_out.unnamed {
            context.say(&format!("`{root}`: the name of `{name}` is not UTF-8, so that it was not looked at"));
        }
    }
}

/// Looks at what is at a path; what did not change since it was looked at last is not read again.
pub(crate) fn look(
    context: &Context,
    source: &Source,
    changes: &[TableChange],
    options: Options<'_>,
) -> Result<Report, Failure> {
    let unreadable = |error: std::io::Error| {
        Failure::error(code::cli::FILE_UNREADABLE, format!("`{}` cannot be read: {error}", source.root.display()))
    };
    let tree = source.tree.as_ref();
    let root = fs::canonicalize(&source.root).ok().filter(|_| source.is_folder);
    let Some(root) = root else {
        let report = repository::look(tree, changes, options).map_err(unreadable)?;
        tell(context, source, &report);
        return Ok(report);
    };
    let (place, reader) = (root.to_string_lossy(), reader());
    let subject = Subject { repository: &place, reader: &reader, changes, options };
    let mut index = Index::open(&context.home()?.scans(), &subject, context.now());
    let report = repository::look_again(tree, changes, options, &mut index).map_err(unreadable)?;
    if let Err(error) = index.save() {
        context.say(&format!("what was found cannot be kept for the next time: {error}"));
    }
    tell(context, source, &report);
    Ok(report)
}

/// Tells people what was found of a repository as a whole.
pub(crate) fn tell(context: &Context, source: &Source, report: &Report) {
    let root = source.root.display();
    if !report.missing.is_empty() {
        let names = report.missing.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        let lack = "what their macros make is not known";
        context
            .say(&format!("`{root}`: {names}: wanted packages that are not there; {lack} (`dbt deps` installs them)"));
    }
    tell_of(context, &source.root, &report.told);
}

/// Tells people what the owner of a repository had better say of it.
pub(crate) fn tell_of(context: &Context, root: &Path, told: &[Diagnostic]) {
    let placed = |told: &Diagnostic| {
        let file = |place: &Place| root.join(&place.file).to_string_lossy().into_owned();
        told.clone().at(told.place.clone().map(|place| Place { file: file(&place), ..place }))
    };
    let told: Vec<Diagnostic> = told.iter().map(placed).collect();
    failure::report(&told, &BTreeMap::new(), context.format().is_json());
}

/// What tells this program from others that read otherwise: its version, and when its file was written.
fn reader() -> String {
    let built = std::env::current_exe().and_then(fs::metadata).and_then(|metadata| {
        let modified = metadata.modified()?.duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        Ok(format!("{} {}", metadata.len(), modified.as_nanos()))
    });
    format!("{} {}", env!("CARGO_PKG_VERSION"), built.unwrap_or_default())
}

/// The dbt project that a path is a part of, in the same repository; none of what is a project or a repository itself.
fn project_around(path: &Path) -> Option<PathBuf> {
    let is_project = |folder: &Path| folder.join("dbt_project.yml").is_file();
    let is_whole = |folder: &Path| is_project(folder) || folder.join(".git").exists();
    let path = fs::canonicalize(path).ok()?;
    let whole = path.ancestors().find(|folder| is_whole(folder))?;
    (whole != path && is_project(whole)).then(|| whole.to_owned())
}

/// What migrations change for code.
pub(crate) struct Changes {
    /// One per pair that can be migrated.
    pub(crate) changes: Vec<TableChange>,
    /// How their rows are converted and where they are, in the same order.
    pub(crate) rows: Vec<Converted>,
    /// Old datasets of the other pairs.
    pub(crate) left_out: Vec<String>,
}

/// What a migration changes for code.
pub(crate) struct Meant<'a> {
    /// The migration.
    pub(crate) migration: &'a Migration,
    /// One for each pair that can be migrated.
    pub(crate) changes: Vec<TableChange>,
    /// How their rows are converted and where they are, in the same order.
    pub(crate) rows: Vec<Converted>,
}

/// How the rows of a dataset are converted, and where they are.
#[derive(Clone)]
pub(crate) struct Converted {
    /// How.
    pub(crate) mapping: Mapping,
    /// Where.
    pub(crate) sample: Sample,
}

impl Converted {
    /// A change with all that is known of its rows.
    pub(crate) fn moved<'a>(&'a self, change: &'a TableChange) -> Moved<'a> {
        Moved { change, mapping: &self.mapping, sample: Some(&self.sample) }
    }
}

/// What every pair of the files' migrations changes for code.
pub(crate) fn changes(context: &Context, files: &Files) -> Result<Changes, Failure> {
    let (meant, left_out) = of_each(context, files)?;
    let (changes, rows): (Vec<_>, Vec<_>) = meant.into_iter().map(|meant| (meant.changes, meant.rows)).unzip();
    Ok(Changes { changes: changes.concat(), rows: rows.concat(), left_out })
}

/// What each migration of the files changes for code, and the old datasets of the pairs that cannot be migrated, which are
/// reported.
pub(crate) fn of_each<'a>(context: &Context, files: &'a Files) -> Result<(Vec<Meant<'a>>, Vec<String>), Failure> {
    let state = context.state()?;
    let catalog = state.catalog.as_ref();
    let describe = wire::describe(state, &files.roots);
    let (mut all, mut blocked, mut left_out) = (Vec::new(), Vec::new(), Vec::new());
    for (migration, places) in &files.migrations {
        let pairs = &migration.spec.datasets;
        let found: Vec<Result<Dataset, Failure>> = pairs.iter().map(|pair| dataset(catalog, &pair.from)).collect();
        let datasets: Vec<Dataset> = found.iter().filter_map(|found| found.as_ref().ok()).cloned().collect();
        let mut described = describe.describe(&datasets).into_iter();
        let (mut changes, mut rows) = (Vec::new(), Vec::new());
        for (at, found) in found.into_iter().enumerate() {
            let observed = found.and_then(|_| match described.next() {
                Some(observed) => observed.map_err(Failure::from),
                None => Err(Failure::error(code::cli::INTERNAL, "a dataset was not described")),
            });
            let mapping = observed.map_err(|failure| failure.diagnostics).and_then(|observed| {
                let mapping = mapping_of(migration, at, &|pointer| Some(places.value(pointer)), &observed)?;
                Ok((observed, mapping))
            });
            match mapping {
                Ok((observed, mapping)) => {
                    let change = change(catalog, &pairs[at], &observed, &mapping)?;
                    changes.push(change.with(&migration.spec.consumers.clone().unwrap_or_default()));
                    rows.push(Converted { mapping, sample: sample(files, observed) });
                }
                Err(why) => {
                    blocked.extend(why.into_iter().map(|why| Diagnostic { severity: Severity::Warning, ..why }));
                    left_out.push(pairs[at].from.clone());
                }
            }
        }
        all.push(Meant { migration, changes, rows });
    }
    failure::report(&blocked, &files.sources, context.format().is_json());
    if !left_out.is_empty() {
        context.say(&format!("left out, since they cannot be migrated: {}", left_out.join(", ")));
    }
    Ok((all, left_out))
}

/// Where the first rows of a dataset are.
fn sample(files: &Files, observed: Observed) -> Sample {
    let location = observed.dataset.location;
    let root = location.connection.and_then(|connection| files.roots.get(&connection).cloned());
    Sample { root, path: location.path, layout: observed.layout, rows: Sample::ROWS }
}

/// What a pair changes for code.
pub(crate) fn change(
    catalog: &dyn Catalog,
    pair: &Pair,
    observed: &Observed,
    mapping: &Mapping,
) -> Result<TableChange, Failure> {
    let entity = &observed.dataset.entity;
    let old = tables(catalog, entity)?;
    let new = new_table(pair, entity, &old)?;
    Ok(TableChange::of(&entity.short(), names(entity, old), new, mapping))
}

fn dataset(catalog: &dyn Catalog, text: &str) -> Result<Dataset, Failure> {
    let unknown = || Failure::error(code::catalog::UNKNOWN_ENTITY, format!("the catalog knows no dataset `{text}`"));
    let entity = EntityRef::parse(text, DATASET_KIND).ok_or_else(unknown)?;
    let summary = catalog.find(std::slice::from_ref(&entity))?.pop().flatten().ok_or_else(unknown)?;
    summary.dataset().ok_or_else(|| {
        Failure::error(code::plan::NO_LOCATION, format!("the catalog does not say where `{entity}` lies"))
    })
}

/// The names that the catalog says code uses for a dataset.
fn tables(catalog: &dyn Catalog, entity: &EntityRef) -> Result<Vec<TableName>, Failure> {
    let found = catalog.record(entity)?.and_then(|record| record.entity);
    let stated = found.as_ref().and_then(|entity| entity.annotation(annotation::TABLE)).unwrap_or_default();
    Ok(annotation::tables(stated).filter_map(Result::ok).collect())
}

/// The names that code uses: those of the catalog, or else the dataset's own.
fn names(entity: &EntityRef, stated: Vec<TableName>) -> Vec<TableName> {
    if stated.is_empty() { TableName::of(&[&entity.name]).into_iter().collect() } else { stated }
}

fn new_table(pair: &Pair, entity: &EntityRef, stated: &[TableName]) -> Result<TableName, Failure> {
    let said = pair.table.as_deref().and_then(|table| table.parse().ok());
    let target = EntityRef::parse(&pair.to, DATASET_KIND).map_or_else(|| pair.to.clone(), |target| target.name);
    let names = names(entity, stated.to_vec());
    said.or_else(|| table::successor(&names, &entity.name, &target)).ok_or_else(|| {
        let message = format!("nothing says by which name code is to read `{}`", pair.to);
        Failure::error(code::spec::COMBINATION, message)
            .hint(format!("give the pair a `table`: code calls the old one `{}`", names[0]))
    })
}

/// A dataset that stays as it is: what refers to it is found, and nothing asks for a change.
pub(crate) fn unchanged(context: &Context, text: &str, called: &[TableName]) -> Result<TableChange, Failure> {
    let state = context.state()?;
    let catalog = state.catalog.as_ref();
    let Some(entity) = named(catalog, text)? else {
        let old = if called.is_empty() { vec![parsed(text)?] } else { called.to_vec() };
        context.say(&format!("the catalog knows no dataset `{text}`: it is looked for as a table of this name"));
        return Ok(TableChange::unchanged(text, old, Vec::new()));
    };
    let summary = catalog.find(std::slice::from_ref(&entity))?.pop().flatten();
    let old = if called.is_empty() { names(&entity, tables(catalog, &entity)?) } else { called.to_vec() };
    // Without its files a dataset has references all the same; its columns are then any.
    let observed = summary
        .and_then(|summary| summary.dataset())
        .and_then(|dataset| wire::describe(state, &BTreeMap::new()).describe(&[dataset]).pop());
    let columns = match observed {
        Some(Ok(observed)) => observed.schema.columns.into_iter().map(|column| column.name).collect(),
        _ => Vec::new(),
    };
    Ok(TableChange::unchanged(&entity.short(), old, columns))
}

/// The dataset that a person names: by its reference, by its name, or as code calls it.
fn named(catalog: &dyn Catalog, text: &str) -> Result<Option<EntityRef>, Failure> {
    let known = match EntityRef::parse(text, DATASET_KIND) {
        Some(entity) if catalog.find(std::slice::from_ref(&entity))?.pop().flatten().is_some() => Some(entity),
        _ => None,
    };
    // What says its kind or namespace is a reference and nothing else.
    if text.contains([':', '/']) {
        return Ok(known);
    }
    let Ok(table) = text.parse::<TableName>() else { return Ok(known) };
    let mut candidates = match Tables::of(catalog)?.stated(table.parts()) {
        Named::Nothing => Vec::new(),
        Named::One(one) => vec![one],
        Named::Several(several) => several,
    };
    // Who says the whole name of a dataset does not mean one of which the name says only the end.
    let is_whole = |entity: &EntityRef| {
        Ok::<bool, Failure>(
            tables(catalog, entity)?.iter().any(|said| said.meets(table.parts()) == Some(Meeting::Whole)),
        )
    };
    if let Some(known) = known {
        let mut others = Vec::new();
        for other in candidates {
            if other != known && is_whole(&other)? {
                others.push(other);
            }
        }
        candidates = others;
        candidates.push(known);
    }
    candidates.sort();
    match candidates.as_slice() {
        [] => Ok(None),
        [one] => Ok(Some(one.clone())),
        several => Err(ambiguous(text, several)),
    }
}

fn ambiguous(text: &str, datasets: &[EntityRef]) -> Failure {
    let names: Vec<String> = datasets.iter().map(|dataset| format!("`{dataset}`")).collect();
    Failure::usage(format!("`{text}` may mean {} datasets: {}", datasets.len(), names.join(", ")))
        .hint(format!("name the one that you mean: `{}`", datasets[0]))
}

fn parsed(text: &str) -> Result<TableName, Failure> {
    text.parse().map_err(|error: table::BadTableName| {
        Failure::usage(error.to_string())
            .hint("name a dataset of the catalog, or a table as code names it: `schema.table`")
    })
}
