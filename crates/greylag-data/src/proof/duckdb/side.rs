//! What DuckDB is told of one side: its tables, its text, and what to show of what came of it.
//!
//! Nothing of a text is told to the command-line program as a line of its input, where a dot would make it a command of the program: each
//! statement is an argument. Results go into a database of a name that no text can know; everything that is shown comes from there or from
//! tables, every value as text, after the text has run.

use super::text::{Deed, Name, Text};
use super::types;
use crate::proof::effects::Target;
use crate::proof::step::quote;
use greylag_model::schema::Schema;
use greylag_model::table::TableName;
use std::collections::BTreeMap;

/// Settings: one thread, so that rows come in the order in which they went in; no files, no network, and no way back to either.
pub(super) const SETTINGS: &str = "set threads = 1; set memory_limit = '256MB'; set temp_directory = ''; set TimeZone = 'UTC'; \
    set enable_logging = false; set autoinstall_known_extensions = false; set autoload_known_extensions = false";
pub(super) const LOCKED: &str = "set enable_external_access = false; set lock_configuration = true";
/// The clock: what a name means in the default schema comes before what is built in.
const CLOCK: &[(&str, &str)] = &[
    ("now", "timestamptz '2024-01-02 12:30:00+00'"),
    ("get_current_timestamp", "timestamptz '2024-01-02 12:30:00+00'"),
    ("transaction_timestamp", "timestamptz '2024-01-02 12:30:00+00'"),
    ("current_localtimestamp", "timestamp '2024-01-02 12:30:00'"),
    ("current_date", "date '2024-01-02'"),
    ("today", "date '2024-01-02'"),
    ("get_current_time", "timetz '12:30:00+00'"),
    ("current_localtime", "time '12:30:00'"),
];
/// Where a job sees the rows.
pub(super) const ROWS: &str = "/in";
/// Longest command: an argument may have 128 KiB.
const LONGEST: usize = 120_000;
/// Most of all of them.
const MOST: usize = 1_500_000;

/// One side.
#[derive(Clone, Copy, Debug)]
pub(super) struct Side<'a> {
    /// `old` or `new`: the beginning of the names of its files.
    pub(super) word: &'static str,
    pub(super) text: &'a Text,
    /// Names of each relation.
    pub(super) names: &'a [&'a [TableName]],
    /// What nobody can guess.
    pub(super) nonce: &'a str,
}

/// In which order rows are loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    /// As they were drawn.
    Drawn,
    /// The last first.
    Reversed,
    /// As hashes have it.
    Mixed,
}

/// What is shown of a side, once it has run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Item {
    /// What was written; nothing for a result.
    pub(super) target: Option<Target>,
    /// Whether the order of rows counts.
    pub(super) ordered: bool,
    /// As DuckDB knows it.
    table: String,
    /// How many rows came of it, in SQL.
    rows: String,
}

impl Side<'_> {
    /// What is shown: results in order, then tables that were written.
    pub(super) fn items(&self) -> Vec<Item> {
        let (mut items, mut written) = (Vec::new(), BTreeMap::new());
        for (at, step) in self.text.steps.iter().enumerate() {
            match &step.deed {
                Deed::Query { ordered } => {
                    let table = self.result(at);
                    let rows = count(&table);
                    items.push(Item { target: None, ordered: *ordered, table, rows });
                }
                Deed::Make { name, .. } => {
                    let table = spelled(name);
                    written.insert(self.target(name), (count(&table), table));
                }
                Deed::Write(name) => {
                    let (target, table) = (self.target(name), spelled(name));
                    let rows = match &target {
                        Target::Relation(at) => self.changed(&table, *at),
                        Target::Made(_) => count(&table),
                    };
                    written.entry(target).or_insert((rows, table));
                }
                Deed::Drop(name) => {
                    written.remove(&self.target(name));
                }
            }
        }
        let written = written.into_iter();
        items.extend(written.map(|(target, (rows, table))| Item { target: Some(target), ordered: false, table, rows }));
        items
    }

    /// All commands, given the columns of each relation; `Err` says what is too much.
    pub(super) fn commands(&self, schemas: &[Schema], order: Order) -> Result<Vec<String>, String> {
        let mut all = vec![SETTINGS.to_owned(), format!("attach ':memory:' as {}", quote(self.nonce))];
        all.extend(CLOCK.iter().map(|(name, value)| format!("create macro {name}() as {value}")));
        let made = self.text.steps.iter().filter_map(|step| match &step.deed {
            Deed::Make { name, .. } | Deed::Drop(name) | Deed::Write(name) => Some(name.clone()),
            Deed::Query { .. } => None,
        });
        let places: Vec<Vec<Name>> = (0..self.names.len()).map(|at| self.spellings(at)).collect();
        for name in places.iter().flatten().cloned().chain(made) {
            all.extend(homes(&name).into_iter().filter(|home| !all.contains(home)).collect::<Vec<_>>());
        }
        for (at, (schema, names)) in schemas.iter().zip(&places).enumerate() {
            let Some((first, others)) = names.split_first() else { continue };
            all.push(load(self.word, at, &spelled(first), (schema, order))?);
            all.extend(others.iter().map(|name| format!("create view {} as from {}", spelled(name), spelled(first))));
            all.push(format!("create table {} as from {}", self.before(at), spelled(first)));
        }
        all.push(LOCKED.to_owned());
        all.push(format!("select version() as {}", quote(&format!("{}.begin", self.nonce))));
        self.steps(&places, &mut all);
        all.push(format!("select 1 as {}", quote(&format!("{}.end", self.nonce))));
        self.shown(&mut all);
        let size: usize = all.iter().map(String::len).sum();
        if size > MOST || all.iter().any(|command| command.len() > LONGEST) {
            return Err("it is too long".to_owned());
        }
        Ok(all)
    }

    fn steps(&self, places: &[Vec<Name>], all: &mut Vec<String>) {
        for (at, step) in self.text.steps.iter().enumerate() {
            match &step.deed {
                Deed::Query { .. } => all.push(format!("create table {} as\n{}", self.result(at), step.sql)),
                Deed::Make { name, replaces } => {
                    // Where a text makes what is there, it was not there before.
                    let place =
                        self.relation(name).and_then(|at| places.get(at)?.iter().position(|known| known == name));
                    if let Some(place) = place.filter(|place| !*replaces || *place > 0) {
                        let kind = if place == 0 { "table" } else { "view" };
                        all.push(format!("drop {kind} if exists {}", spelled(name)));
                    }
                    all.push(step.sql.clone());
                }
                Deed::Write(_) | Deed::Drop(_) => all.push(step.sql.clone()),
            }
        }
    }

    /// Shows columns, rows and counts of all items, and whether there are tables that are no items.
    fn shown(&self, all: &mut Vec<String>) {
        for (at, Item { table, rows, .. }) in self.items().iter().enumerate() {
            all.extend(shows(self.nonce, at, table, rows));
        }
        let known = self.text.steps.iter().filter_map(|step| match &step.deed {
            Deed::Make { name, .. } => name.last().cloned(),
            _ => None,
        });
        let loaded = (0..self.names.len()).filter_map(|at| self.spellings(at).first()?.last().cloned());
        let known: Vec<String> = known.chain(loaded).map(|name| literal(&name)).chain([literal("")]).collect();
        all.push(format!(
            "select count(*) as {} from system.main.duckdb_tables() where not internal and database_name <> {} \
             and lower(table_name) not in ({})",
            quote(&format!("{}.others", self.nonce)),
            literal(self.nonce),
            known.join(", ")
        ));
    }

    /// The names of a relation in the text, the longest first; its own if the text does not name it.
    fn spellings(&self, at: usize) -> Vec<Name> {
        let names = self.text.names.iter().filter(|name| name.len() <= 3 && self.relation(name) == Some(at));
        let mut names: Vec<Name> = names.cloned().collect();
        names.sort_by_key(|name| std::cmp::Reverse(name.len()));
        if names.is_empty() {
            let own = self.names[at].first().map(TableName::parts).unwrap_or_default();
            let own = own.iter().skip(own.len().saturating_sub(3)).map(|part| part.to_lowercase());
            names.push(own.collect());
        }
        names
    }

    /// The relation that a name means: the one whose name it says most of, and of those the last.
    fn relation(&self, name: &Name) -> Option<usize> {
        let meeting = |names: &[TableName]| names.iter().filter_map(|known| known.meets(name)).max();
        let met = self.names.iter().enumerate().filter_map(|(at, names)| Some((meeting(names)?, at)));
        met.max().map(|(_, at)| at)
    }

    fn target(&self, name: &Name) -> Target {
        self.relation(name).map_or_else(|| Target::Made(name.join(".")), Target::Relation)
    }

    fn result(&self, at: usize) -> String {
        format!("{}.main.r{at}", quote(self.nonce))
    }

    fn before(&self, at: usize) -> String {
        format!("{}.main.t{at}", quote(self.nonce))
    }

    /// How many rows of a table are others than before.
    fn changed(&self, table: &str, at: usize) -> String {
        let before = self.before(at);
        format!(
            "select (select count(*) from (from {table} except all from {before})) + \
             (select count(*) from (from {before} except all from {table}))"
        )
    }
}

/// What makes a table of the rows of a file: that of a relation, by its number, on one side (`old` or `new`).
pub(super) fn load(word: &str, at: usize, table: &str, (schema, order): (&Schema, Order)) -> Result<String, String> {
    let mut items = Vec::new();
    for column in &schema.columns {
        let name = quote(&column.name.to_lowercase());
        items.push(format!("cast({name} as {}) as {name}", types::of(&column.data_type)));
    }
    if items.is_empty() {
        return Err("a table without columns is not made".to_owned());
    }
    let file = literal(&format!("{ROWS}/{word}-{at}.parquet"));
    let order = match order {
        Order::Drawn => "",
        Order::Reversed => " order by file_row_number desc",
        Order::Mixed => " order by hash(file_row_number)",
    };
    let items = items.join(", ");
    Ok(format!("create table {table} as select {items} from read_parquet({file}, file_row_number = true){order}"))
}

/// What shows the columns and the number of rows of a table, and then its rows, every value as text, under marks that begin with a word
/// and a number.
pub(super) fn shows(nonce: &str, at: usize, table: &str, rows: &str) -> [String; 3] {
    let marked = |what: &str| quote(&format!("{nonce}.{at}.{what}"));
    let (name, kind) = (marked("name"), marked("type"));
    [
        format!("select column_name as {name}, column_type as {kind} from (describe {table})"),
        format!("select ({rows}) as {}", marked("rows")),
        format!("select columns(*)::varchar from {table}"),
    ]
}

pub(super) fn count(table: &str) -> String {
    format!("select count(*) from {table}")
}

pub(super) fn spelled(name: &Name) -> String {
    name.iter().map(|part| quote(part)).collect::<Vec<_>>().join(".")
}

pub(super) fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// What makes the schema and the database of a name.
fn homes(name: &Name) -> Vec<String> {
    match name.as_slice() {
        [schema, _] if schema != "main" => vec![format!("create schema if not exists {}", quote(schema))],
        [database, schema, _] => vec![
            format!("attach if not exists ':memory:' as {}", quote(database)),
            format!("create schema if not exists {}.{}", quote(database), quote(schema)),
        ],
        _ => Vec::new(),
    }
}
