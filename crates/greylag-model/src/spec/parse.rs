//! From text to documents.

use super::schema::{CONNECTION, Compiled, LIMITS as LIMITS_SCHEMA, MIGRATION, TEMPLATE, TEXTS};
use super::{API_VERSION, Connection, Limits as LimitsDocument, Migration, MigrationTemplate, check, translate};
use crate::code::spec as code;
use crate::diagnostic::{Diagnostic, Severity};
use crate::yaml::{self, Features, Kind, Limits, Node, Places};
use serde::de::DeserializeOwned;
use std::collections::HashMap;

/// What a migration file may ask for: 16 MiB and a million keys and values, which is room for some 100,000 pairs.
pub const LIMITS: Limits = Limits { bytes: 16 << 20, depth: 64, nodes: 1_000_000, features: Features::Plain };

/// What a text holds and all that is wrong with it.
#[derive(Clone, Debug)]
pub struct Parsed {
    /// Documents that fit the schema, in the order of the file. They are good for use only if [`Self::is_sound`].
    pub documents: Vec<Document>,
    /// Everything that is wrong or worth a word, in the order of the file.
    pub diagnostics: Vec<Diagnostic>,
}

impl Parsed {
    /// Whether nothing is wrong (warnings do not count).
    pub fn is_sound(&self) -> bool {
        self.diagnostics.iter().all(|diagnostic| diagnostic.severity != Severity::Error)
    }
}

/// One document and its places in the file.
#[derive(Clone, Debug)]
pub enum Document {
    /// `kind: Migration`.
    Migration(Box<Migration>, Places),
    /// `kind: MigrationTemplate`.
    Template(Box<MigrationTemplate>, Places),
    /// `kind: Connection`.
    Connection(Box<Connection>, Places),
    /// `kind: Limits`.
    Limits(Box<LimitsDocument>, Places),
}

impl Document {
    /// `metadata.name`.
    pub fn name(&self) -> &str {
        match self {
            Self::Migration(migration, _) => &migration.metadata.name,
            Self::Template(template, _) => &template.metadata.name,
            Self::Connection(connection, _) => &connection.metadata.name,
            Self::Limits(limits, _) => &limits.metadata.name,
        }
    }

    /// `Migration`, `MigrationTemplate`, `Connection` or `Limits`.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Migration(..) => "Migration",
            Self::Template(..) => "MigrationTemplate",
            Self::Connection(..) => "Connection",
            Self::Limits(..) => "Limits",
        }
    }

    /// Where its keys and values stand.
    pub fn places(&self) -> &Places {
        match self {
            Self::Migration(_, places)
            | Self::Template(_, places)
            | Self::Connection(_, places)
            | Self::Limits(_, places) => places,
        }
    }
}

/// Reads a migration file within [`LIMITS`]; `file` is its name for messages.
pub fn parse(file: &str, text: &str) -> Parsed {
    documents(yaml::read(file, text, &LIMITS), file)
}

/// Reads the bytes of a migration file, which must be UTF-8.
pub fn parse_bytes(file: &str, bytes: &[u8], limits: &Limits) -> Parsed {
    documents(yaml::read_bytes(file, bytes, limits), file)
}

/// What is wrong with several files together: names that are given twice.
pub fn across<'a>(files: impl IntoIterator<Item = &'a Parsed>) -> Vec<Diagnostic> {
    let mut first: HashMap<(&str, &str), (usize, &Places)> = HashMap::new();
    let mut diagnostics = Vec::new();
    for (index, document) in
        files.into_iter().enumerate().flat_map(|(index, file)| file.documents.iter().map(move |one| (index, one)))
    {
        match first.entry((document.kind(), document.name())) {
            // Within one file the parser has said it.
            std::collections::hash_map::Entry::Occupied(entry) if entry.get().0 == index => {}
            std::collections::hash_map::Entry::Occupied(entry) => {
                diagnostics.push(name_twice(document.kind(), document.name(), document.places(), entry.get().1));
            }
            std::collections::hash_map::Entry::Vacant(entry) => {
                entry.insert((index, document.places()));
            }
        }
    }
    diagnostics
}

fn name_twice(kind: &str, name: &str, here: &Places, there: &Places) -> Diagnostic {
    let other = there.value("/metadata/name");
    let what = kind.to_lowercase();
    Diagnostic::error(code::NAME_TWICE, format!("another {what} is named `{name}` too"))
        .at(Some(here.value("/metadata/name")))
        .hint(format!("the other one is at {}:{}: give one of them another name", other.file, other.line))
}

fn documents(stream: yaml::Stream, file: &str) -> Parsed {
    let mut parsed = Parsed { documents: Vec::new(), diagnostics: stream.diagnostics };
    if stream.documents.is_empty() && parsed.diagnostics.is_empty() {
        let place = yaml::Source::new(file, "").place(0..0);
        parsed.diagnostics.push(
            Diagnostic::error(code::EMPTY, "the file holds no document")
                .at(Some(place))
                .hint("`greylag explain GL0110` shows the smallest migration"),
        );
    }
    for document in stream.documents {
        let read = read(document.places, &mut parsed.diagnostics);
        parsed.documents.extend(read.filter(|_| document.sound));
    }
    names_twice(&mut parsed);
    parsed.diagnostics.sort_by_key(|one| one.place.as_ref().map_or(0, |place| place.span.0));
    parsed
}

fn names_twice(parsed: &mut Parsed) {
    let mut first: HashMap<(&str, &str), &Places> = HashMap::new();
    for document in &parsed.documents {
        if let Some(there) = first.get(&(document.kind(), document.name())) {
            let diagnostic = name_twice(document.kind(), document.name(), document.places(), there);
            parsed.diagnostics.push(diagnostic);
        } else {
            first.insert((document.kind(), document.name()), document.places());
        }
    }
}

/// Reads one document; `None` if it does not fit its schema.
fn read(places: Places, diagnostics: &mut Vec<Diagnostic>) -> Option<Document> {
    match kind_of(&places, diagnostics)? {
        Which::Migration => {
            let migration = fit::<Migration>(&MIGRATION, &places, diagnostics);
            check::migration(&places, diagnostics);
            migration.map(|migration| Document::Migration(Box::new(migration), places))
        }
        Which::Template => {
            let template = fit::<MigrationTemplate>(&TEMPLATE, &places, diagnostics);
            check::template(&places, diagnostics);
            template.map(|template| {
                diagnostics.extend(crate::template::check(&template, &places));
                Document::Template(Box::new(template), places)
            })
        }
        Which::Connection => {
            let connection = fit::<Connection>(&CONNECTION, &places, diagnostics);
            check::connection(&places, diagnostics);
            connection.map(|connection| Document::Connection(Box::new(connection), places))
        }
        Which::Limits => {
            let limits = fit::<LimitsDocument>(&LIMITS_SCHEMA, &places, diagnostics);
            check::limits(&places, diagnostics);
            limits.map(|limits| Document::Limits(Box::new(limits), places))
        }
    }
}

/// Holds a tree against its schema, then makes the struct of it.
fn fit<T: DeserializeOwned>(compiled: &Compiled, places: &Places, diagnostics: &mut Vec<Diagnostic>) -> Option<T> {
    let value = places.to_json(&TEXTS);
    let mut fits = true;
    for error in compiled.validator.iter().flat_map(|validator| validator.iter_errors(&value)) {
        // Not every error is worth a diagnostic: some follow from what was reported before.
        fits = false;
        translate::error(&compiled.schema, &error, places, diagnostics);
    }
    if !fits {
        return None;
    }
    T::deserialize(&value)
        .map_err(|error| {
            let diagnostic = Diagnostic::error(code::UNREADABLE, format!("the document does not fit: {error}"));
            diagnostics.push(diagnostic.at(Some(places.value(""))));
        })
        .ok()
}

#[derive(Clone, Copy)]
enum Which {
    Migration,
    Template,
    Connection,
    Limits,
}

const KINDS: [&str; 4] = ["Migration", "MigrationTemplate", "Connection", "Limits"];
/// Kinds of the catalog, which people give to the wrong command.
const CATALOG_KINDS: [&str; 9] =
    ["API", "Component", "Domain", "Group", "Location", "Resource", "System", "Template", "User"];

/// What the document claims to be. A wrong version does not keep the rest from being checked.
fn kind_of(places: &Places, diagnostics: &mut Vec<Diagnostic>) -> Option<Which> {
    let root = places.root();
    let Kind::Map(_) = root.kind else {
        let message = format!("a document is a mapping, but this is {}", root.noun());
        let diagnostic = Diagnostic::error(code::KIND, message).at(Some(places.value("")));
        diagnostics.push(diagnostic.hint(format!("begin it with `apiVersion: {API_VERSION}` and `kind: Migration`")));
        return None;
    };
    let text = |key: &str| root.get(key).and_then(Node::as_str);
    if text("apiVersion").is_some_and(|version| version.starts_with("backstage.io/"))
        || text("kind").is_some_and(|kind| CATALOG_KINDS.contains(&kind))
    {
        let diagnostic = Diagnostic::error(code::KIND, "this is a catalog descriptor, not a migration");
        diagnostics.push(diagnostic.at(Some(places.value("/kind"))).hint("give it to `greylag catalog import`"));
        return None;
    }
    match text("apiVersion") {
        Some(API_VERSION) => {}
        Some(version) => diagnostics.push(
            Diagnostic::error(code::API_VERSION, format!("the version `{version}` is not known to this build"))
                .at(Some(places.value("/apiVersion")))
                .hint(format!("write `apiVersion: {API_VERSION}`")),
        ),
        // Absent, or of another kind than text: the schema says so.
        None => {}
    }
    match root.get("kind") {
        Some(node) => named_kind(node, places, diagnostics),
        None => {
            let diagnostic = Diagnostic::error(code::KIND, "the document does not say what it is");
            let hint = "add `kind: Migration`, `kind: MigrationTemplate`, `kind: Connection` or `kind: Limits`";
            diagnostics.push(diagnostic.at(Some(places.value(""))).hint(hint));
            None
        }
    }
}

fn named_kind(node: &Node, places: &Places, diagnostics: &mut Vec<Diagnostic>) -> Option<Which> {
    match node.as_str() {
        Some("Migration") => return Some(Which::Migration),
        Some("MigrationTemplate") => return Some(Which::Template),
        Some("Connection") => return Some(Which::Connection),
        Some("Limits") => return Some(Which::Limits),
        _ => {}
    }
    let shown = places.scalar_text(node).map_or_else(|| node.noun().to_owned(), |text| format!("`{text}`"));
    let diagnostic = Diagnostic::error(code::KIND, format!("{shown} is not a kind of document"));
    let close = node.as_str().and_then(|text| translate::closest(text, KINDS));
    let hint = close.map_or_else(
        || "kinds are `Migration`, `MigrationTemplate`, `Connection` and `Limits`".to_owned(),
        |close| format!("did you mean `{close}`?"),
    );
    diagnostics.push(diagnostic.at(Some(places.of(node))).hint(hint));
    None
}
