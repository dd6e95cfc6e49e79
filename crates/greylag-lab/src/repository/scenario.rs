//! Scenarios: what a repository may have in it, one text file each, in `scenarios/`.
//!
//! A file has a head and parts. The head says in which repositories it may stand (`in`), of which class it is
//! (`class`, with a `reason`; mechanical if absent) and which columns of which datasets it needs (`bind`). A part is a
//! file of the repository, or a table of its own (`local`), or a query that a dbt project has as a model and a job as
//! a statement. What stands in `‹ ›` is written by [`super::render`]: the only bytes that can differ between the old
//! and the new text.

use super::style::Dialect;
use super::table::{Fate, Table, TableColumn, is_integer, is_number, is_plain, is_quotable, is_simple};
use super::text::Hold;
use super::truth::ConsumerClass;

/// A scenario; its name is that of the trap.
#[derive(Clone, Debug)]
pub(super) struct Scenario {
    pub(super) name: &'static str,
    /// Kinds of repositories.
    pub(super) kinds: Vec<&'static str>,
    pub(super) class: ConsumerClass,
    pub(super) reason: Option<&'static str>,
    pub(super) hold: Hold,
    pub(super) binds: Vec<Bind>,
    /// Letters of columns that the description of the source names.
    pub(super) described: Vec<char>,
    /// Letters of datasets that it writes to.
    pub(super) writes: Vec<char>,
    /// Whether it reads its datasets at all.
    pub(super) reads: bool,
    /// Whether a dbt project has its datasets as sources.
    pub(super) has_sources: bool,
    pub(super) parts: Vec<Part>,
}

/// A dataset that a scenario needs.
#[derive(Clone, Debug, Default)]
pub(super) struct Bind {
    pub(super) letter: char,
    /// All columns must be known from the new ones.
    whole: bool,
    /// The new table has the very same columns.
    same: bool,
    /// The source is called as the table is.
    pub(super) by_name: bool,
    /// In the schema of the first dataset.
    pub(super) beside: bool,
    columns: Vec<Wish>,
}

/// A column that a scenario needs.
#[derive(Clone, Copy, Debug)]
struct Wish {
    letter: char,
    fate: &'static str,
    family: &'static str,
}

/// A part of a scenario.
#[derive(Clone, Debug)]
pub(super) struct Part {
    pub(super) kind: PartKind,
    /// The class that the file is of besides what its edits say.
    pub(super) class: Option<ConsumerClass>,
    /// Path of the file, name of the query or of the local table, with marks.
    pub(super) name: &'static str,
    pub(super) body: &'static str,
}

/// What a part is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PartKind {
    File,
    Query,
    Local,
    /// Lines for `vars` of `dbt_project.yml`.
    Vars,
}

impl Scenario {
    /// Reads a scenario. Lines that are none are passed over: `every_scenario_is_sound` says so.
    pub(super) fn parse(name: &'static str, text: &'static str) -> Self {
        let mut sections = text.split("--- ");
        let head = sections.next().unwrap_or_default();
        let value = |key: &str| head.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(": "));
        let letters = |key: &str| value(key).unwrap_or_default().chars().filter(char::is_ascii_alphabetic).collect();
        let class = value("class").and_then(ConsumerClass::parse).unwrap_or(ConsumerClass::Mechanical);
        Self {
            name,
            kinds: value("in").unwrap_or_default().split_whitespace().collect(),
            class,
            reason: value("reason"),
            hold: match (class, value("hold")) {
                (ConsumerClass::Mechanical, _) => Hold::Made,
                (_, Some(_)) => Hold::Optional,
                _ => Hold::Held,
            },
            binds: head.lines().filter_map(|line| bind(line.strip_prefix("bind ")?)).collect(),
            described: letters("columns"),
            writes: letters("writes"),
            reads: value("reads").is_none(),
            has_sources: value("reads").is_none() && value("sources").is_none(),
            parts: sections.filter_map(part).collect(),
        }
    }

    /// Whether it takes more than rules.
    pub(super) fn is_hard(&self) -> bool {
        self.class != ConsumerClass::Mechanical
    }
}

/// `D star name: a=renamed number, b=kept`.
fn bind(line: &'static str) -> Option<Bind> {
    let (head, columns) = line.split_once(": ")?;
    let mut words = head.split(' ');
    let mut bind = Bind { letter: words.next()?.chars().next()?, ..Bind::default() };
    for word in words {
        match word {
            "star" => bind.whole = true,
            "same" => bind.same = true,
            "name" => bind.by_name = true,
            "beside" => bind.beside = true,
            _ => {}
        }
    }
    for column in columns.split(", ") {
        let (letter, wish) = column.split_once('=')?;
        let (fate, family) = wish.split_once(' ').unwrap_or((wish, ""));
        bind.columns.push(Wish { letter: letter.chars().next()?, fate, family });
    }
    Some(bind)
}

fn part(section: &'static str) -> Option<Part> {
    let (head, body) = section.split_once('\n')?;
    let (kind, name) = head.split_once(' ').unwrap_or((head, ""));
    let kind = match kind {
        "file" => PartKind::File,
        "query" => PartKind::Query,
        "local" => PartKind::Local,
        "vars" => PartKind::Vars,
        _ => return None,
    };
    let (class, name) = match name.split_once(' ') {
        Some((word, rest)) if ConsumerClass::parse(word).is_some() => (ConsumerClass::parse(word), rest),
        _ => (None, name),
    };
    Some(Part { kind, class, name, body })
}

impl Bind {
    /// Columns of the table that fulfil the wishes, each by its letter; `None` if the table does not suit. Whoever writes them has
    /// what further columns are made of, so of none of them one is.
    pub(super) fn suits(&self, table: &Table, dialect: Dialect, writes: bool) -> Option<Vec<(char, TableColumn)>> {
        if (self.whole && (table.same || !table.is_whole(dialect))) || (self.same && !table.same) {
            return None;
        }
        let mut chosen: Vec<(char, TableColumn)> = Vec::new();
        for wish in &self.columns {
            let free = |column: &&TableColumn| chosen.iter().all(|(_, other)| other.old != column.old);
            let alone = |column: &&TableColumn| !writes || !column.feeds;
            let column = table.columns.iter().filter(free).filter(alone).find(|column| wish.suits(column))?;
            chosen.push((wish.letter, column.clone()));
        }
        Some(chosen)
    }
}

impl Wish {
    fn suits(self, column: &TableColumn) -> bool {
        let plain = is_plain(&column.old) && column.new.as_deref().is_none_or(is_plain);
        let quotable = is_quotable(&column.old) && column.new.as_deref().is_none_or(is_quotable);
        let named = match self.fate {
            "quoted" => quotable && !plain && column.fate == Fate::Renamed,
            "kept" => plain && column.fate == Fate::Kept,
            "renamed" => plain && column.fate == Fate::Renamed,
            "swapped" => plain && column.fate == Fate::Swapped,
            "retyped" => plain && column.fate == Fate::Retyped,
            "dropped" => plain && column.fate == Fate::Dropped,
            "judged" => plain && column.fate == Fate::Judged && column.new.is_some(),
            "computed" => plain && column.fate == Fate::Computed && column.new.is_some(),
            "restored" => plain && column.fate == Fate::Restored,
            "narrowed" => plain && column.fate == Fate::Narrowed,
            _ => false,
        };
        named
            && match self.family {
                _ if self.fate == "quoted" => true,
                "integer" => is_integer(&column.data_type),
                "number" => is_number(&column.data_type),
                _ => is_simple(&column.data_type),
            }
    }
}

macro_rules! scenarios {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_str!(concat!("../../scenarios/", $name, ".txt")))),*]
    };
}

/// All scenarios by name.
const ALL: &[(&str, &str)] = scenarios![
    "alias-same-name",
    "call-block",
    "comments-and-strings",
    "computed-column",
    "config-hangs-on-name",
    "contract",
    "correlated",
    "changed-values",
    "cte-same-name",
    "documentation",
    "dot-ambiguity",
    "dropped-column",
    "group-only",
    "incremental",
    "insert-by-position",
    "insert-columns",
    "insert-target",
    "introspection",
    "join-only",
    "join-using",
    "judgement-column",
    "kept-columns",
    "long-line",
    "loop-columns",
    "loop-filter",
    "loop-tables",
    "macro-argument",
    "macro-column-list",
    "macro-source",
    "macro-source-hidden",
    "merge",
    "mixed-case",
    "model-rename",
    "narrowed-column",
    "narrowed-values",
    "new-name-taken",
    "not-sql",
    "order-only",
    "other-table-column",
    "output-name",
    "package-copy",
    "package-macro",
    "python",
    "quoted-name",
    "relationships",
    "renderings-agree",
    "renderings-disagree",
    "restored",
    "retyped-arithmetic",
    "retyped-group",
    "retyped-literal",
    "schedule",
    "set-variable",
    "several-statements",
    "shadowed-cte",
    "shared-macro",
    "singular-test",
    "snapshot",
    "staging",
    "star",
    "star-counted",
    "star-except",
    "star-judgement",
    "star-qualified",
    "star-same",
    "star-through-cte",
    "subquery-in",
    "swapped",
    "table-as-qualifier",
    "unicode-text",
    "union",
    "unrelated",
    "update-and-delete",
    "var-source",
    "view",
    "where-only",
    "window-only",
];

/// All scenarios.
pub(super) fn all() -> Vec<Scenario> {
    ALL.iter().map(|(name, text)| Scenario::parse(name, text)).collect()
}

#[cfg(test)]
mod tests {
    use super::{PartKind, all};

    #[test]
    fn every_scenario_is_sound() {
        for scenario in all() {
            let name = scenario.name;
            assert!(!scenario.kinds.is_empty() && !scenario.binds.is_empty(), "{name}");
            assert_eq!(scenario.is_hard(), scenario.reason.is_some(), "{name}");
            assert!(scenario.binds.iter().all(|bind| !bind.columns.is_empty()), "{name}");
            assert!(
                scenario.parts.iter().any(|part| part.kind != PartKind::Local && part.kind != PartKind::Vars),
                "{name}"
            );
            let flagged = scenario.parts.iter().any(|part| part.class.is_some());
            assert_eq!(flagged, scenario.is_hard(), "{name}");
        }
    }
}
