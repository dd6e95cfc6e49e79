//! In a reader process: the rows that builds find, as files, and what makes the tables of their databases of them.

use super::{Place, places};
use crate::proof::duckdb::side::{Order, SETTINGS, literal, load, spelled};
use crate::proof::duckdb::stage::{Round, round, schemas};
use crate::proof::duckdb::text::Text;
use crate::proof::guess::{self, Asked};
use crate::proof::rows::pool::Literals;
use crate::proof::step::quote;
use crate::proof::trials::{Trials, guesses, replaced};
use crate::proof::{literals, parse};
use greylag_driver::error::DriverError;
use greylag_driver::proof::Build;
use greylag_model::proof::{BuildRequest, ProofRequest, Reach};
use greylag_model::schema::Schema;
use greylag_model::table::TableName;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// The round of whose rows there are the most.
const LARGEST: u32 = 2;
/// Where a job sees the databases.
pub(super) const DATABASES: &str = "/databases";

/// A request to make rows.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct FillRequest {
    pub(super) build: BuildRequest,
    /// Which of the guesses of unknown types is tried.
    pub(super) guess: usize,
    /// An empty folder, which gets one for each round.
    pub(super) folder: PathBuf,
}

/// Rows, or why there are none.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum FillReply {
    /// They cannot be made.
    Refused(String),
    /// They are there.
    Filled(Box<Filled>),
}

/// What databases are made of.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Filled {
    /// Commands that make the databases of the project as it was, the same with rows in another order, and those after the change.
    pub(super) old: Vec<String>,
    pub(super) again: Vec<String>,
    pub(super) new: Vec<String>,
    pub(super) rounds: Vec<Round>,
    /// How many guesses there are.
    pub(super) guesses: usize,
    /// What can be said before anything was built.
    pub(super) reach: Reach,
}

/// Works on a request.
pub(crate) fn fill(asked: &FillRequest) -> Result<FillReply, DriverError> {
    let BuildRequest { subject, dialect, texts, relations, effort, .. } = asked.build.clone();
    let (old, new) = (String::new(), String::new());
    let mut request = ProofRequest { subject, dialect, old, new, relations, makes: None, effort };
    let (mut known, mut used) = (Literals::default(), Asked::default());
    for text in &texts {
        // Of a text that is not run for itself, its literals are all that is wanted.
        let _ = Text::of(text, &mut known);
        for statement in parse::statements(text, &request.dialect).unwrap_or_default() {
            literals::collect(&statement, &mut known);
            used.add(&statement);
        }
    }
    guess::types(&mut request, &used);
    let guesses = guesses(&request);
    let guess = guesses.get(asked.guess).and_then(Option::as_ref);
    let trials = Trials { request: &request, literals: &known, guess };
    let databases = super::databases(&asked.build);
    let schemas = [schemas(&trials, true), schemas(&trials, false)];
    let side = |old, order| Side { request: &request, stays: &asked.build.stays, schemas: &schemas, old, order };
    let commands = |old, order| side(old, order).commands(&databases);
    let all = commands(true, Order::Drawn)
        .and_then(|old| Ok((old, commands(true, Order::Reversed)?, commands(false, Order::Drawn)?)));
    let (old, again, new) = match all {
        Ok(all) => all,
        Err(why) => return Ok(FillReply::Refused(why)),
    };
    let mut reach = Reach { seed: request.effort.seed, replaced: replaced(&request), ..Reach::default() };
    let made = trials.made(LARGEST)?;
    // Other types are tried for what is made up; real rows have theirs.
    let real = if asked.guess == 0 { trials.real(&mut reach.unread)? } else { None };
    let mut rounds = Vec::new();
    for trial in [Some(made), real].into_iter().flatten() {
        match round(&trials, &trial, &asked.folder.join(rounds.len().to_string()))? {
            Ok(round) => rounds.push(round),
            Err(why) => return Ok(FillReply::Refused(why)),
        }
    }
    let guesses = guesses.len();
    Ok(FillReply::Filled(Box::new(Filled { old, again, new, rounds, guesses, reach })))
}

/// One side.
#[derive(Clone, Copy)]
struct Side<'a> {
    request: &'a ProofRequest,
    stays: &'a [usize],
    /// The columns of each relation, before and after.
    schemas: &'a [Vec<Schema>; 2],
    old: bool,
    order: Order,
}

impl Side<'_> {
    /// What makes its databases.
    fn commands(&self, databases: &[String]) -> Result<Vec<String>, String> {
        let mut all = vec![SETTINGS.to_owned()];
        all.extend(attached(databases, false));
        let mut made = Vec::new();
        for (at, relation) in self.request.relations.iter().enumerate() {
            let names = if self.old { &relation.old } else { &relation.new };
            self.tables((at, self.old), names, &mut made, &mut all)?;
        }
        for at in self.stays.iter().copied().filter(|_| !self.old) {
            let names = self.request.relations.get(at).map(|relation| relation.old.as_slice()).unwrap_or_default();
            self.tables((at, true), names, &mut made, &mut all)?;
        }
        Ok(all)
    }

    /// The tables of a relation, with its old rows or its new ones.
    fn tables(
        &self,
        (at, old): (usize, bool),
        names: &[TableName],
        made: &mut Vec<Place>,
        all: &mut Vec<String>,
    ) -> Result<(), String> {
        let (word, schema) = if old { ("old", &self.schemas[0][at]) } else { ("new", &self.schemas[1][at]) };
        let mut first: Option<String> = None;
        for place in places(names)? {
            // Two relations of one name cannot both be there.
            if made.contains(&place) {
                continue;
            }
            let home = format!("create schema if not exists {}.{}", quote(&place[0]), quote(&place[1]));
            if !all.contains(&home) {
                all.push(home);
            }
            let table = spelled(&place);
            all.push(match &first {
                None => load(word, at, &table, (schema, self.order))?,
                Some(first) => format!("create table {table} as from {first}"),
            });
            first.get_or_insert(table);
            made.push(place);
        }
        Ok(())
    }
}

/// What makes databases known by their names.
pub(super) fn attached(databases: &[String], only_read: bool) -> Vec<String> {
    let how = if only_read { " (read_only)" } else { "" };
    let all = databases.iter().enumerate();
    let attach = |(at, name): (usize, &String)| {
        format!("attach {} as {}{how}", literal(&format!("{DATABASES}/{}", Build::file(at))), quote(name))
    };
    all.map(attach).collect()
}
