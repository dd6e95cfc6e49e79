//! Repositories of code that reads and writes the estate's datasets, and what must become of each of their bytes.
//!
//! A repository is put together from scenarios ([`scenario`]): texts in which some words stand for logical things, "the
//! column `a` as an output", "the table of `D`". Each such word is written twice, as the old code has it and as the new
//! code must ([`render`]); everything else is the same in both by construction. Nothing here reads SQL or evaluates a
//! mapping: which operation a column was given was decided when the dataset was designed.
//!
//! **How code names a dataset.** The dataset `users_v1` of the system `finance-hub` is the table `users_v1` of the schema
//! `finance_hub`: both names in lower case, with an underscore for everything but letters and digits. Its successor
//! `users_v2` is the table of that name in the same schema. Descriptors say so: `greylag.dev/table`.
//!
//! **What a rewrite looks like** where there is more than one right way: outputs keep their names (`user_id as uid`);
//! every use of a retyped column is cast back to the old type where it is used; a star over a table whose columns change
//! becomes the list of the old columns in their order; `USING` over a column that has another name on one side becomes
//! `ON`; keywords are in the case of the file. A dataset moves in a repository whole or not at all: where one of the
//! scenario's files is not for rules, nothing of that dataset moves. Texts that mean the same count as right
//! ([`crate::compare_repository`]).

mod align;
pub(crate) mod compare;
mod meaning;
mod project;
mod render;
mod scenario;
mod style;
mod table;
mod text;
pub(crate) mod truth;

pub(crate) use table::table_name;

use crate::catalog;
use crate::design::{Design, Estate};
use crate::draws::Draws;
use crate::error::LabError;
use crate::files::{create_directories, write_file};
use crate::truth as estate_truth;
use crate::truth::Flow;
use crate::yaml::{Node, text as yaml_text};
use project::{Draft, Kind, Project, Scene, is_sql};
use render::Bound;
use scenario::{Bind, Scenario};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use style::{Dialect, Style};
use table::Table;
use truth::{ConsumerClass, FileTruth, Move, RepositoriesTruth, RepositoryTruth, VERSION};

/// Which repositories an estate has, and the tables of its datasets.
///
/// # Errors
/// If it is no estate, or one without repositories.
pub fn repositories_truth(estate: &Path) -> Result<RepositoriesTruth, LabError> {
    estate_truth::read_json(estate, "repositories.json")
}

/// What must become of the repository of this name.
///
/// # Errors
/// If the estate has none of this name.
pub fn repository_truth(estate: &Path, name: &str) -> Result<RepositoryTruth, LabError> {
    estate_truth::read_json(estate, &format!("repositories/{name}.json"))
}

/// Where the files of the repository of this name lie: a plain directory. Whoever wants history or a forge makes a
/// repository of it; the lab starts no program.
pub fn repository_tree(estate: &Path, name: &str) -> PathBuf {
    estate.join("repositories").join(name)
}

/// A repository that was drawn.
struct Repository {
    truth: RepositoryTruth,
    files: BTreeMap<String, Draft>,
}

/// What the rest of the estate must know of the repositories.
#[derive(Default)]
pub(crate) struct Written {
    /// What each consumer reads and writes, by the name of its entity.
    pub(crate) flows: BTreeMap<String, Flow>,
    /// How many read and write nothing.
    pub(crate) idle: usize,
    /// Descriptors of all of them.
    pub(crate) descriptors: String,
    /// How often each trap occurs, as `trap/<name>`.
    pub(crate) coverage: BTreeMap<String, u64>,
}

/// Writes the repositories below `out`, and their truth.
pub(crate) fn write(out: &Path, estate: &Estate) -> Result<Written, LabError> {
    let designs: Vec<Design> = (0..estate.datasets).map(|index| crate::design::design(estate, index)).collect();
    let tables: Vec<Table> = designs.iter().filter_map(|design| Table::of(estate, design)).collect();
    let mut queues = Queues::new(estate.seed);
    let mut written = Written::default();
    let mut all = RepositoriesTruth { tables: moves(estate, &designs), ..RepositoriesTruth::default() };
    for directory in ["repositories", "truth/repositories"] {
        create_directories(out, directory)?;
    }
    for index in 0..estate.repositories {
        let repository = draw(estate, &tables, &mut queues, index);
        let truth = &repository.truth;
        let descriptor = descriptor(truth, &format!("../repositories/{}/", truth.name));
        write_repository(out, &repository)?;
        let flow = Flow { reads: truth.reads.clone(), writes: truth.writes.clone() };
        if truth.reads.len() + truth.writes.len() > 0 {
            written.flows.insert(truth.name.clone(), flow);
        } else {
            written.idle += 1;
        }
        written.descriptors.push_str(&descriptor);
        count_up(&mut all, truth);
    }
    written.coverage = all.traps.iter().map(|(trap, count)| (format!("trap/{trap}"), *count)).collect();
    estate_truth::write_json(&estate_truth::path(out, "repositories.json"), &all)?;
    Ok(written)
}

fn count_up(all: &mut RepositoriesTruth, truth: &RepositoryTruth) {
    all.names.push(truth.name.clone());
    *all.classes.entry(truth.class).or_default() += 1;
    for file in &truth.files {
        *all.files.entry(file.class).or_default() += 1;
    }
    for trap in &truth.traps {
        *all.traps.entry(trap.clone()).or_default() += 1;
    }
}

/// The tables of all datasets.
fn moves(estate: &Estate, designs: &[Design]) -> BTreeMap<String, Move> {
    let one = |design: &Design| {
        let (schema, old) = table_name(&design.system.name, &design.from);
        let (_, new) = table_name(&design.system.name, &design.to);
        let columns = design.old_slots.iter().map(|slot| (slot.column.name.clone(), slot.column.data_type.to_string()));
        let tables = Move {
            number: design.index as u64,
            old: format!("{schema}.{old}"),
            new: format!("{schema}.{new}"),
            path: design.old_path.clone(),
            columns: columns.collect(),
            partitions: design.old.partition_by.len() as u64,
        };
        (catalog::old_reference(estate, design.index), tables)
    };
    designs.iter().map(one).collect()
}

/// Scenarios in the order in which repositories get them: each kind goes through all of its own, so that all occur.
struct Queues {
    scenarios: Vec<Scenario>,
    turns: BTreeMap<(&'static str, bool), usize>,
}

impl Queues {
    fn new(seed: u64) -> Self {
        let mut scenarios = scenario::all();
        Draws::new(seed, "scenarios", 0).shuffle(&mut scenarios);
        Self { scenarios, turns: BTreeMap::new() }
    }

    /// The next scenario of a kind that is (or is not) hard.
    fn next(&mut self, kind: &'static str, hard: bool) -> Option<Scenario> {
        let fits = |scenario: &&Scenario| scenario.kinds.contains(&kind) && scenario.is_hard() == hard;
        let suitable: Vec<&Scenario> = self.scenarios.iter().filter(fits).collect();
        let turn = self.turns.entry((kind, hard)).or_default();
        let next = suitable.get(*turn % suitable.len().max(1)).map(|scenario| (*scenario).clone());
        *turn += 1;
        next
    }

    fn named(&self, name: &str) -> Option<Scenario> {
        self.scenarios.iter().find(|scenario| scenario.name == name).cloned()
    }
}

/// The kind of the repository of this number, and whether it reads any dataset of the estate.
fn kind(index: usize) -> (Kind, bool) {
    let kind = match index % 10 {
        0 | 2 | 3 | 5 | 7 | 8 => Kind::Dbt,
        1 | 4 | 6 => Kind::Job,
        _ => Kind::Mixed,
    };
    (kind, index % 12 != 11)
}

/// Scenarios of a repository.
fn chosen(queues: &mut Queues, draws: &mut Draws, kind: Kind, index: usize) -> Vec<Scenario> {
    let name = if kind == Kind::Dbt { "dbt" } else { "job" };
    let mut chosen: Vec<Option<Scenario>> = Vec::new();
    match kind {
        Kind::Dbt => chosen.extend((0..=draws.below(2)).map(|_| queues.named("staging"))),
        Kind::Job => {}
        Kind::Mixed => chosen.extend(["python", "documentation"].map(|name| queues.named(name))),
    }
    for _ in 0..4 + draws.below(4) {
        chosen.push(queues.next(name, false));
    }
    if index % 3 == 2 {
        chosen.push(queues.next(name, true));
    }
    chosen.into_iter().flatten().collect()
}

fn draw(estate: &Estate, tables: &[Table], queues: &mut Queues, index: usize) -> Repository {
    let mut draws = Draws::new(estate.seed, "repository", index as u64);
    let (kind, reads) = kind(index);
    let dialect = match (kind, draws.below(3)) {
        (Kind::Dbt, _) | (_, 0) => Dialect::DuckDb,
        (_, 1) => Dialect::Postgres,
        _ => Dialect::BigQuery,
    };
    let style = Style::draw(&mut draws, dialect);
    let mut scenarios = if reads {
        chosen(queues, &mut draws, kind, index)
    } else {
        (0..3).filter_map(|_| queues.named("unrelated")).collect()
    };
    // What is written is chosen first: what is read depends on it.
    scenarios.sort_by_key(|scenario| scenario.writes.is_empty());
    let mut giving = Giving::new(&mut draws, tables, dialect, estate.datasets / 3);
    let scenes: Vec<Scene> = scenarios.into_iter().filter_map(|scenario| giving.scene(&mut draws, scenario)).collect();
    let team = scenes.iter().flat_map(|scene| scene.tables.values()).next().map(|bound| bound.table.team.clone());
    let team = team.unwrap_or_else(|| estate.system(0).team);
    let suffix = ["models", "jobs", "reports"][kind as usize];
    put_together(format!("{team}-{suffix}-{index:03}"), &team, kind, &style, &scenes)
}

/// The files of a repository with these scenes, and its truth.
fn put_together(name: String, team: &str, kind: Kind, style: &Style, scenes: &[Scene]) -> Repository {
    let mut files = Project::assemble(&name, kind, style, scenes);
    let (reads, writes) = flow(scenes);
    let mut truth = RepositoryTruth {
        version: VERSION,
        kind: kind.name().to_owned(),
        dialect: style.dialect.name().to_owned(),
        class: ConsumerClass::Unaffected,
        owner: format!("group:default/{team}"),
        reads,
        writes,
        traps: vec![],
        files: vec![],
        name,
    };
    let mut text = text::Text::new(false);
    text.fixed(&descriptor(&truth, "./"));
    let draft = Draft { text, moved: None, class: None, reason: None, traps: BTreeSet::new() };
    files.insert("catalog-info.yaml".to_owned(), draft);
    truth.files = files.iter().map(|(path, draft)| file_truth(path, draft, style)).collect();
    truth.class = truth.files.iter().map(|file| file.class).max().unwrap_or(ConsumerClass::Unaffected);
    let traps: BTreeSet<&String> = truth.files.iter().flat_map(|file| &file.traps).collect();
    truth.traps = traps.into_iter().cloned().collect();
    Repository { truth, files }
}

/// Gives datasets to the scenarios of a repository, each to at most one.
///
/// Pipelines of the estate read datasets of lower numbers than those that they write. Repositories do likewise, so that
/// lineage never runs in a circle.
struct Giving<'a> {
    /// All tables, in the order in which they are tried.
    order: Vec<&'a Table>,
    dialect: Dialect,
    taken: BTreeSet<usize>,
    /// Datasets below this number are not written.
    least_to_write: usize,
    /// Datasets from this number on are not read.
    least_written: usize,
}

impl<'a> Giving<'a> {
    fn new(draws: &mut Draws, tables: &'a [Table], dialect: Dialect, least_to_write: usize) -> Self {
        let mut order: Vec<&Table> = tables.iter().collect();
        draws.shuffle(&mut order);
        Self { order, dialect, taken: BTreeSet::new(), least_to_write, least_written: usize::MAX }
    }

    /// The scenario with datasets; `None` if none suits.
    fn scene(&mut self, draws: &mut Draws, scenario: Scenario) -> Option<Scene> {
        let mut tables: BTreeMap<char, Bound> = BTreeMap::new();
        let mut columns = BTreeMap::new();
        for bind in &scenario.binds {
            let schema = tables.values().next().map(|bound| bound.table.schema.as_str()).filter(|_| bind.beside);
            let writes = scenario.writes.contains(&bind.letter);
            let free = |table: &&&Table| {
                let number = table.number;
                let in_order = if writes { number >= self.least_to_write } else { number < self.least_written };
                let other = tables.values().all(|bound| bound.table.number != number);
                in_order && other && !self.taken.contains(&number) && schema.is_none_or(|schema| schema == table.schema)
            };
            let suiting = |table: &&'a Table| Some((*table, bind.suits(table, self.dialect, writes)?));
            let (table, found) = self.order.iter().filter(free).find_map(suiting)?;
            columns.extend(found.into_iter().map(|(letter, column)| (letter, (bind.letter, column))));
            tables.insert(bind.letter, bound(draws, bind, table));
        }
        self.taken.extend(tables.values().map(|bound| bound.table.number));
        let written = tables.iter().filter(|(letter, _)| scenario.writes.contains(letter));
        let least = written.map(|(_, bound)| bound.table.number).min();
        self.least_written = least.map_or(self.least_written, |least| least.min(self.least_written));
        Some(Scene { scenario, tables, columns })
    }
}

fn bound(draws: &mut Draws, bind: &Bind, table: &Table) -> Bound {
    Bound { table: table.clone(), by_name: bind.by_name || draws.chance(40) }
}

/// What a repository reads and writes.
fn flow(scenes: &[Scene]) -> (Vec<String>, Vec<String>) {
    let (mut reads, mut writes) = (BTreeSet::new(), BTreeSet::new());
    for scene in scenes.iter().filter(|scene| scene.scenario.reads) {
        for (letter, bound) in &scene.tables {
            let flow = if scene.scenario.writes.contains(letter) { &mut writes } else { &mut reads };
            flow.insert(bound.table.dataset.clone());
        }
    }
    (reads.into_iter().collect(), writes.into_iter().collect())
}

fn file_truth(path: &str, draft: &Draft, style: &Style) -> FileTruth {
    let text = &draft.text;
    let made = draft.moved.is_some() || text.edits.iter().any(|edit| !edit.optional);
    let own = if made { ConsumerClass::Mechanical } else { ConsumerClass::Unaffected };
    let mut traps = draft.traps.clone();
    traps.extend(text.edits.iter().map(|edit| edit.trap.clone()));
    if is_sql(path) && made {
        traps.extend(style.traps().into_iter().map(str::to_owned));
    }
    FileTruth {
        path: path.to_owned(),
        class: draft.class.unwrap_or(own),
        reason: draft.reason.map(str::to_owned),
        traps: traps.into_iter().collect(),
        old: hash(&text.old),
        moved: draft.moved.clone(),
        new: (text.old != text.new).then(|| hash(&text.new)),
        edits: text.edits.clone(),
        lossy: text.lossy,
        references: text.references.clone(),
        decoys: text.decoys.clone(),
    }
}

/// BLAKE3, 64 hex digits.
pub(crate) fn hash(text: impl AsRef<[u8]>) -> String {
    blake3::hash(text.as_ref()).to_hex().to_string()
}

/// The descriptor of a repository's consumer; `place` is its root, as seen from the file.
fn descriptor(truth: &RepositoryTruth, place: &str) -> String {
    let kind = if truth.kind == "dbt" { "dbt-project" } else { "data-pipeline" };
    let source = Node::map([("backstage.io/source-location", yaml_text(format!("dir:{place}")))]);
    catalog::component(&truth.name, catalog::component_spec(kind, &truth.owner), source, &truth.reads, &truth.writes)
}

/// Writes the tree, and into `truth/` the truth, the old files and those that must come of them.
fn write_repository(out: &Path, repository: &Repository) -> Result<(), LabError> {
    let truth = &repository.truth;
    let place = format!("repositories/{}", truth.name);
    for (path, draft) in &repository.files {
        let tree = format!("{place}/{path}");
        write_below(out, &tree, draft.text.old.as_bytes())?;
        write_below(out, &format!("truth/{place}/old/{path}"), draft.text.old.as_bytes())?;
        if draft.text.old != draft.text.new || draft.moved.is_some() {
            let path = draft.moved.as_ref().unwrap_or(path);
            write_below(out, &format!("truth/{place}/new/{path}"), draft.text.new.as_bytes())?;
        }
    }
    estate_truth::write_json(&estate_truth::path(out, &format!("repositories/{}.json", truth.name)), truth)
}

fn write_below(out: &Path, path: &str, bytes: &[u8]) -> Result<(), LabError> {
    let directory = path.rsplit_once('/').map_or("", |(directory, _)| directory);
    create_directories(out, directory)?;
    write_file(&out.join(path), bytes, 0o644)
}
