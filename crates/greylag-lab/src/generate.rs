//! Writes an estate.
//!
//! Datasets are made on as many threads as asked, each from streams of its own, and put together in the order of their
//! numbers: neither the threads nor the order of directory listings or hash maps can be seen in the result. Nothing
//! reads a clock. `truth/estate.json` is written last: a directory without it is no estate, so one that was cut off
//! half-way cannot be taken for a whole one.

use crate::catalog;
use crate::design::{Design, Estate, PER_SYSTEM, design};
use crate::draws::Draws;
use crate::error::LabError;
use crate::files::{create_directories, create_directory, write_file, write_old, write_truth};
use crate::hostile::Hostile;
use crate::layout::Shape;
use crate::manifest::manifest;
use crate::migration;
use crate::repository::{self, Written};
use crate::rows;
use crate::truth::{self, ColumnTruth, DatasetTruth, EstateTruth, Refused, VERSION};
use crate::uniform;
use crate::varied;
use crate::yaml::Node;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// What estate to make.
#[derive(Clone, Debug)]
pub struct Options {
    /// What everything is drawn from: the same seed gives the same bytes.
    pub seed: u64,
    /// How many datasets.
    pub datasets: usize,
    /// Where: a directory that does not exist yet, or is empty.
    pub out: PathBuf,
    /// Largest number of rows of a dataset; `None` leaves the skewed sizes alone.
    pub most_rows: Option<usize>,
    /// How many pairs must be refused; `None` is a handful: one in twenty, at most one of each kind.
    pub hostile: Option<usize>,
    /// What kind of datasets.
    pub profile: Profile,
    /// How many repositories of code read and write the datasets; only of [`Profile::Mixed`].
    pub repositories: usize,
    /// Threads to use, at least 1.
    pub threads: usize,
}

/// What kind of datasets an estate has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Profile {
    /// All that there is: every operation, type and layout, skewed sizes, odd names.
    Mixed,
    /// Equal datasets of so many rows and 12 columns, one Parquet file each, in one migration file: for measuring.
    Uniform {
        /// Rows of each.
        rows: usize,
    },
    /// Unequal datasets of so many rows that one template fits, one Parquet file each.
    Varied {
        /// Rows of each.
        rows: usize,
    },
}

impl Options {
    /// An estate of this many datasets with everything else as usual.
    pub fn new(seed: u64, datasets: usize, out: impl Into<PathBuf>) -> Self {
        Self {
            seed,
            datasets,
            out: out.into(),
            most_rows: None,
            hostile: None,
            profile: Profile::Mixed,
            repositories: 0,
            threads: 2,
        }
    }
}

/// What was made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// The estate's directory.
    pub estate: PathBuf,
    /// Descriptors of everything: what to import.
    pub catalog: PathBuf,
    /// Migration files, below the estate.
    pub migrations: Vec<PathBuf>,
    /// Datasets, hostile ones among them.
    pub datasets: u64,
    /// Pairs that must be refused.
    pub hostile: u64,
    /// Repositories of code, below `repositories/`.
    pub repositories: u64,
    /// Rows of all old datasets.
    pub rows: u64,
    /// Bytes of all old datasets.
    pub bytes: u64,
    /// How often each operation, type, layout and oddity occurs.
    pub coverage: BTreeMap<String, u64>,
    /// Hash over the whole tree, truth included: equal for equal seeds.
    pub hash: String,
}

/// One dataset after it was written.
struct Made {
    pair: Node,
    resource: Option<String>,
    truth: DatasetTruth,
    marks: Vec<String>,
    old_rows: u64,
}

/// Makes an estate. `progress` is called with datasets done and all of them.
pub fn generate(options: &Options, progress: &(dyn Fn(usize, usize) + Sync)) -> Result<Report, LabError> {
    claim(&options.out)?;
    let estate = estate(options);
    for directory in ["data", "catalog", "migrations", "truth", "truth/rows"] {
        create_directories(&options.out, directory)?;
    }
    for index in 0..estate.systems() {
        create_directories(&options.out, &estate.system(index).directory)?;
    }
    let made = make_all(options, &estate, progress)?;
    let code = if estate.repositories > 0 { repository::write(&options.out, &estate)? } else { Written::default() };
    let (migrations, entities, mut consumers) = match options.profile {
        Profile::Mixed => {
            litter(&options.out)?;
            let consumers = catalog::consumers(&estate);
            let migrations = write_migrations(&options.out, &estate, &made)?;
            let entities = write_catalog(&options.out, &estate, &made, &consumers, &code)?;
            (migrations, entities, consumers)
        }
        Profile::Uniform { .. } => {
            let pairs = made.iter().map(|made| made.pair.clone()).collect();
            write_text(&options.out.join("migrations/uniform.yaml"), &uniform::file(pairs))?;
            let entities = write_catalog(&options.out, &estate, &made, &BTreeMap::new(), &code)?;
            (vec!["migrations/uniform.yaml".to_owned()], entities, BTreeMap::new())
        }
        Profile::Varied { .. } => {
            write_text(&options.out.join("migrations/varied.yaml"), varied::TEMPLATE)?;
            let consumers = varied::consumers(&estate);
            let entities = write_catalog(&options.out, &estate, &made, &consumers, &code)?;
            (vec!["migrations/varied.yaml".to_owned()], entities, consumers)
        }
    };
    consumers.extend(code.flows.iter().map(|(name, flow)| (name.clone(), (0, flow.clone()))));
    let catalog = catalog::truth(&estate, entities, &consumers, code.idle);
    truth::write_json(&truth::path(&options.out, "catalog.json"), &catalog)?;
    truth::write_lines(&truth::path(&options.out, "datasets.ndjson"), made.iter().map(|made| &made.truth))?;
    finish(options, &estate, &made, migrations, code.coverage)
}

/// Writes the manifest and, last of all, `estate.json`.
fn finish(
    options: &Options,
    estate: &Estate,
    made: &[Made],
    migrations: Vec<String>,
    mut coverage: BTreeMap<String, u64>,
) -> Result<Report, LabError> {
    let original = manifest(&options.out, ORIGINAL)?;
    truth::write_lines(&truth::path(&options.out, "manifest.ndjson"), original.iter())?;
    for mark in made.iter().filter(|made| made.truth.refused.is_none()).flat_map(|made| &made.marks) {
        *coverage.entry(mark.clone()).or_insert(0) += 1;
    }
    let sum = |count: fn(&Made) -> u64| made.iter().map(count).sum();
    let header = EstateTruth {
        version: VERSION,
        seed: options.seed,
        datasets: made.len() as u64,
        hostile: estate.hostile.len() as u64,
        repositories: estate.repositories as u64,
        rows: sum(|made| made.old_rows),
        rejected: sum(|made| made.truth.rejected),
        migrations: migrations.clone(),
        coverage,
    };
    truth::write_json(&truth::path(&options.out, "estate.json"), &header)?;
    let bytes = manifest_bytes(&options.out.join("data"))?;
    Ok(Report {
        estate: options.out.clone(),
        catalog: options.out.join("catalog/all.yaml"),
        migrations: migrations.into_iter().map(|path| options.out.join(path)).collect(),
        datasets: header.datasets,
        hostile: header.hostile,
        repositories: header.repositories,
        rows: header.rows,
        bytes,
        coverage: header.coverage,
        hash: tree_hash(&options.out)?,
    })
}

/// The parts of an estate that a migration works on.
pub(crate) const ORIGINAL: &[&str] = &["data", "catalog", "migrations"];

/// Hash over paths, modes and contents of an estate, truth included.
pub fn tree_hash(estate: &Path) -> Result<String, LabError> {
    let mut hash = xxhash_rust::xxh3::Xxh3::new();
    for entry in manifest(estate, &["catalog", "data", "migrations", "repositories", "truth"])? {
        hash.update(format!("{}\0{:o}\0{}\n", entry.path, entry.mode, entry.hash.unwrap_or_default()).as_bytes());
    }
    Ok(format!("{:032x}", hash.digest128()))
}

fn manifest_bytes(place: &Path) -> Result<u64, LabError> {
    let failed = |error| LabError::io("read", place, error);
    let mut bytes = 0;
    for entry in fs::read_dir(place).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let metadata = entry.metadata().map_err(failed)?;
        bytes += if metadata.is_dir() { manifest_bytes(&entry.path())? } else { metadata.len() };
    }
    Ok(bytes)
}

/// Makes sure that the place is free.
fn claim(out: &Path) -> Result<(), LabError> {
    match fs::read_dir(out) {
        Ok(mut entries) => {
            if entries.next().is_some() {
                return Err(LabError::Occupied(out.to_owned()));
            }
            Ok(())
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            if let Some(parent) = out.parent().filter(|parent| !parent.as_os_str().is_empty()) {
                fs::create_dir_all(parent).map_err(|error| LabError::io("create", parent, error))?;
            }
            create_directory(out, 0o755)
        }
        Err(error) => Err(LabError::io("read", out, error)),
    }
}

/// Ranks of sizes, and which pairs are hostile: the smallest ones.
pub(crate) fn estate(options: &Options) -> Estate {
    let mut ranks: Vec<usize> = (0..options.datasets).collect();
    Draws::new(options.seed, "ranks", 0).shuffle(&mut ranks);
    let count = match options.profile {
        Profile::Mixed => options.hostile.unwrap_or((options.datasets / 20).min(Hostile::ALL.len())),
        Profile::Uniform { .. } | Profile::Varied { .. } => 0,
    };
    let count = count.min(options.datasets);
    let hostile = (ranks.iter().enumerate())
        .filter(|(_, rank)| **rank >= options.datasets - count)
        .map(|(index, rank)| (index, Hostile::ALL[(options.datasets - 1 - rank) % Hostile::ALL.len()]))
        .collect();
    let most_rows = options.most_rows.unwrap_or(usize::MAX);
    let repositories = if options.profile == Profile::Mixed { options.repositories } else { 0 };
    Estate { seed: options.seed, datasets: options.datasets, most_rows, ranks, hostile, repositories }
}

fn make_all(
    options: &Options,
    estate: &Estate,
    progress: &(dyn Fn(usize, usize) + Sync),
) -> Result<Vec<Made>, LabError> {
    let next = AtomicUsize::new(0);
    let done = AtomicUsize::new(0);
    let made: Mutex<BTreeMap<usize, Made>> = Mutex::new(BTreeMap::new());
    let failure: Mutex<Option<LabError>> = Mutex::new(None);
    std::thread::scope(|scope| {
        for _ in 0..options.threads.max(1) {
            scope.spawn(|| {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    if index >= options.datasets {
                        return;
                    }
                    match make(options, estate, index) {
                        Ok(one) => {
                            lock(&made).insert(index, one);
                            progress(done.fetch_add(1, Ordering::Relaxed) + 1, options.datasets);
                        }
                        Err(error) => {
                            next.store(options.datasets, Ordering::Relaxed);
                            lock(&failure).get_or_insert(error);
                        }
                    }
                }
            });
        }
    });
    if let Some(error) = failure.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner) {
        return Err(error);
    }
    Ok(made.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner).into_values().collect())
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

fn make(options: &Options, estate: &Estate, index: usize) -> Result<Made, LabError> {
    let design = match options.profile {
        Profile::Mixed => design(estate, index),
        Profile::Uniform { rows } => uniform::design(estate, index, rows),
        Profile::Varied { rows } => varied::design(estate, index, rows),
    };
    let rows = rows::draw(options.seed, &design);
    write_old(&options.out, &design, &rows)?;
    if design.hostile.is_none() {
        write_truth(&truth::rows_path(&options.out, index as u64), &design, &rows)?;
    } else if design.hostile == Some(Hostile::TargetExists) {
        write_file(&options.out.join(&design.new_path), b"somebody else's\n", 0o644)?;
    }
    let new_rows = design.rows - rows.rejected;
    let resource = (design.hostile != Some(Hostile::UnknownEntity)).then(|| catalog::resource(estate, &design));
    let pair = match options.profile {
        Profile::Mixed => migration::pair(&design, new_rows, rows.rejected),
        Profile::Uniform { .. } | Profile::Varied { .. } => uniform::pair(&design),
    };
    Ok(Made {
        pair,
        resource,
        truth: dataset_truth(estate, &design, new_rows as u64, rows.rejected as u64),
        old_rows: design.rows as u64,
        marks: design.marks,
    })
}

fn dataset_truth(estate: &Estate, design: &Design, rows: u64, rejected: u64) -> DatasetTruth {
    let schema = design.new_slots.iter().map(|slot| ColumnTruth {
        name: slot.column.name.clone(),
        data_type: slot.column.data_type.to_string(),
        tolerance: design.attributes[slot.attribute].new[slot.cell].tolerance,
    });
    let directories = design.old.shape == Shape::Directory && design.new.shape == Shape::Directory;
    DatasetTruth {
        number: design.index as u64,
        from: catalog::old_reference(estate, design.index),
        to: format!("resource:{}/{}", design.system.namespace, design.to.to_lowercase()),
        migration: migration::name(&design.system),
        old_path: design.old_path.clone(),
        new_path: design.new_path.clone(),
        refused: design.hostile.map(|why| Refused { why, when: why.refusal() }),
        rows,
        rejected,
        schema: schema.collect(),
        layout: design.new.clone(),
        file_mode: design.file_mode,
        directory_mode: directories.then_some(design.directory_mode),
    }
}

fn write_text(path: &Path, text: &str) -> Result<(), LabError> {
    write_file(path, text.as_bytes(), 0o644)
}

fn write_migrations(out: &Path, estate: &Estate, made: &[Made]) -> Result<Vec<String>, LabError> {
    let mut files = Vec::new();
    for (index, made) in made.chunks(PER_SYSTEM).enumerate() {
        let system = estate.system(index);
        let pairs = made.iter().map(|made| made.pair.clone()).collect();
        let file = format!("migrations/{}.yaml", migration::name(&system));
        write_text(&out.join(&file), &migration::file(&system, pairs))?;
        files.push(file);
    }
    Ok(files)
}

fn write_catalog(
    out: &Path,
    estate: &Estate,
    made: &[Made],
    consumers: &BTreeMap<String, (usize, truth::Flow)>,
    code: &Written,
) -> Result<BTreeMap<String, u64>, LabError> {
    let (organisation, counts) = catalog::organisation(estate);
    let directory = out.join("catalog");
    write_text(&directory.join("org.yaml"), &organisation)?;
    let mut files = vec!["org.yaml".to_owned()];
    for index in 0..estate.systems() {
        let system = estate.system(index);
        let mut text = catalog::system(&system);
        for made in made.iter().skip(index * PER_SYSTEM).take(PER_SYSTEM) {
            text.push_str(made.resource.as_deref().unwrap_or_default());
        }
        text.push_str(&catalog::components(estate, &system, consumers));
        let file = format!("{}.yaml", system.name);
        write_text(&directory.join(&file), &text)?;
        files.push(file);
    }
    if !code.descriptors.is_empty() {
        write_text(&directory.join("repositories.yaml"), &code.descriptors)?;
        files.push("repositories.yaml".to_owned());
    }
    write_text(&directory.join("all.yaml"), &catalog::location(&files))?;
    Ok(counts)
}

/// Things that lie around wherever people work.
fn litter(out: &Path) -> Result<(), LabError> {
    write_text(&out.join("data/README.md"), "# Data\n\nAsk the owner before you change anything here.\n")?;
    write_file(&out.join("data/.DS_Store"), b"\0\0\0\x01Bud1", 0o644)?;
    create_directory(&out.join("data/.snapshots"), 0o700)?;
    write_file(&out.join("data/.snapshots/users_v1.parquet"), b"PAR1", 0o600)
}
