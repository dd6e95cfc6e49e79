//! Proofs of equivalence: that a rewritten text gives on the new data what the old one gave on the old data.
//!
//! # What is claimed
//!
//! For rows of an old dataset that survive its mapping, the old text over the *reader's view* of the new dataset (each old
//! column by its [`Fate`](crate::consumer::Fate)) and the new text over the new dataset give the same: the same result sets, and the
//! same rows in each table that they write. A column that the mapping [replaced](crate::consumer::Fate::Replaced) has in that view the value that
//! took its place, so what hangs on it is compared, too, and is named as explained by the mapping.
//!
//! # What a verdict is worth
//!
//! A verdict *equal* is evidence, not a theorem: it says with which engine, on how many rows and how many results it
//! was found, and which predicates of the text were seen to be both true and not true. A text that gives no row on any input is not proven by
//! that; it is *unprovable*, as is what the engine cannot run. *Different* is certain for the engine that found it: it has
//! an input on which the texts differ. Verdicts name columns and counts, never values of rows.

mod build;

pub use build::{BuildRequest, BuildVerdict, BuiltNode};

use crate::dataset::Layout;
use crate::mapping::Mapping;
use crate::schema::Schema;
use crate::table::TableName;
use serde::{Deserialize, Serialize};

/// What is to be proven of one text.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ProofRequest {
    /// What it is about, for messages: a path, or a node and which of its renderings.
    pub subject: String,
    /// Dialect of both texts, by its name: `bigquery`, `postgres`, `duckdb`, `snowflake`, `trino`, `spark` or `generic`.
    pub dialect: String,
    /// The text before, plain SQL: one statement or several.
    pub old: String,
    /// The text after.
    pub new: String,
    /// What the texts read or write and do not make themselves.
    pub relations: Vec<Relation>,
    /// The changed relation (its index) whose rows a query's result is: the text of a model that makes it. Else results are
    /// compared as they come.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub makes: Option<usize>,
    /// How far to go.
    pub effort: Effort,
}

/// A relation that the texts name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Relation {
    /// Names by which the old text may reach it.
    pub old: Vec<TableName>,
    /// Names by which the new text may reach it.
    pub new: Vec<TableName>,
    /// What is in it.
    pub content: Content,
    /// Where real rows of a changed dataset can be read, to be tried beside those that are made up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sample: Option<Sample>,
}

/// Real rows: the first of a dataset's files.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Sample {
    /// The connection's root, absolute; nothing outside it is opened. `None`: the path is absolute.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub root: Option<String>,
    /// Path of the dataset.
    pub path: String,
    /// How its files are laid out.
    pub layout: Layout,
    /// Rows at most.
    pub rows: u32,
}

impl Sample {
    /// Rows that a proof tries where nobody says how many.
    pub const ROWS: u32 = 200;
}

/// What is in a relation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Content {
    /// A dataset that changes: old rows under the old names, mapped ones under the new.
    Changed(Box<Mapping>),
    /// The same rows on both sides.
    Same {
        /// Its columns.
        schema: Schema,
        /// Whether types are guessed from the texts, so that others may be tried.
        guessed: bool,
    },
}

/// How far a proof goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Effort {
    /// How many times rows are drawn anew.
    pub rounds: u32,
    /// Rows of each relation in the largest round.
    pub rows: u32,
    /// Where drawing begins: the same seed gives the same rows.
    pub seed: u64,
    /// Longest time, milliseconds.
    pub millis: u64,
}

impl Default for Effort {
    fn default() -> Self {
        Self { rounds: 12, rows: 96, seed: 1, millis: 30_000 }
    }
}

/// What came of a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ProofVerdict {
    /// The verdict.
    #[serde(flatten)]
    pub outcome: Outcome,
    /// How far it went.
    pub reach: Reach,
}

/// A verdict.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "verdict", rename_all = "lowercase")]
pub enum Outcome {
    /// Nothing differed, and there was something that could have.
    Equal,
    /// There is an input on which the texts differ.
    Different(Difference),
    /// It cannot be told.
    Unprovable(Unprovable),
}

/// How two texts differ.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Difference {
    /// In which way.
    pub kind: DifferenceKind,
    /// Where and how, in words without values.
    pub why: String,
    /// Output columns whose values differ.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub columns: Vec<String>,
    /// Rows that only the old text gives.
    #[serde(default)]
    pub only_old: u64,
    /// Rows that only the new text gives.
    #[serde(default)]
    pub only_new: u64,
}

/// Ways to differ.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DifferenceKind {
    /// Rows.
    #[default]
    Rows,
    /// The same rows in another order, where the text asks for an order.
    Order,
    /// Number, names or types of the columns.
    Columns,
    /// What is written: other tables, or other statements.
    Tables,
    /// The new text names a relation or column that is not there.
    Names,
    /// The new text fails on rows on which the old one does not.
    Fails,
}

/// Why it cannot be told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unprovable {
    /// The class.
    pub reason: Reason,
    /// In words.
    pub why: String,
}

/// Classes of reasons.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Reason {
    /// The text hangs on what only a run knows, or could not be rendered.
    Open,
    /// The text could not be parsed.
    Unparsed,
    /// The engine cannot run it.
    Unsupported,
    /// Nothing is known of a relation that it names.
    Unknown,
    /// What it gives hangs on chance.
    Random,
    /// No input gave a row, so nothing could differ.
    Empty,
    /// It fails on all inputs, the old text too.
    Failing,
    /// It took more time or memory than is allowed.
    Limit,
}

/// How far a proof went.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Reach {
    /// The engine and its version; empty if none was asked.
    #[serde(default)]
    pub engine: String,
    /// Rounds in which both texts ran.
    #[serde(default)]
    pub rounds: u32,
    /// The first seed of the rows.
    #[serde(default)]
    pub seed: u64,
    /// Rows that the texts were given, over all rounds.
    #[serde(default)]
    pub rows_in: u64,
    /// Rows that came of the old text, over all rounds: results, and rows written.
    #[serde(default)]
    pub rows_out: u64,
    /// Real rows among those that the texts were given.
    #[serde(default)]
    pub sampled: u64,
    /// Changed datasets, by their old names, that have real rows which could not be read: made ones stood for them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unread: Vec<String>,
    /// Parts of rows drawn for changed datasets, real rows among them.
    #[serde(default)]
    pub drawn: u64,
    /// How many of them did not survive the mapping's round trip and were not used.
    #[serde(default)]
    pub unfit: u64,
    /// Predicates of the old text that could be watched.
    #[serde(default)]
    pub predicates: u32,
    /// How many of them were true for some row and not true for another.
    #[serde(default)]
    pub both_ways: u32,
    /// Old columns whose values the mapping changed: what hangs on them is compared by the new values.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub replaced: Vec<String>,
    /// What was taken for granted, in words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub assumed: Vec<String>,
}

impl ProofVerdict {
    /// An unprovable one that no engine was asked about.
    pub fn unprovable(reason: Reason, why: impl Into<String>) -> Self {
        let outcome = Outcome::Unprovable(Unprovable { reason, why: why.into() });
        Self { outcome, reach: Reach::default() }
    }

    /// `equal`, `different` or `unprovable`.
    pub fn name(&self) -> &'static str {
        match self.outcome {
            Outcome::Equal => "equal",
            Outcome::Different(_) => "different",
            Outcome::Unprovable(_) => "unprovable",
        }
    }

    /// The worse of two verdicts on parts of one thing: what differs in a part differs, what is unprovable in a part is
    /// unprovable, and how far both went is added up.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        let rank = |outcome: &Outcome| match outcome {
            Outcome::Equal => 0,
            Outcome::Unprovable(_) => 1,
            Outcome::Different(_) => 2,
        };
        let reach = self.reach.and(other.reach);
        let outcome = if rank(&other.outcome) > rank(&self.outcome) { other.outcome } else { self.outcome };
        Self { outcome, reach }
    }
}

impl Reach {
    fn and(mut self, other: Self) -> Self {
        if self.engine.is_empty() {
            (self.engine, self.seed) = (other.engine, other.seed);
        }
        self.rounds += other.rounds;
        self.rows_in += other.rows_in;
        self.rows_out += other.rows_out;
        self.sampled += other.sampled;
        self.drawn += other.drawn;
        self.unfit += other.unfit;
        self.predicates += other.predicates;
        self.both_ways += other.both_ways;
        let pairs = [
            (&mut self.replaced, other.replaced),
            (&mut self.assumed, other.assumed),
            (&mut self.unread, other.unread),
        ];
        for (words, more) in pairs {
            words.extend(more);
            words.sort();
            words.dedup();
        }
        self
    }
}

impl Reason {
    /// Its word.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Unparsed => "unparsed",
            Self::Unsupported => "unsupported",
            Self::Unknown => "unknown",
            Self::Random => "random",
            Self::Empty => "empty",
            Self::Failing => "failing",
            Self::Limit => "limit",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn different() -> ProofVerdict {
        ProofVerdict { outcome: Outcome::Different(Difference::default()), reach: Reach::default() }
    }

    #[test]
    fn the_worse_verdict_counts_and_reaches_add_up() {
        let reach = Reach { engine: "e 1".to_owned(), rows_out: 3, assumed: vec!["b".to_owned()], ..Reach::default() };
        let equal = ProofVerdict { outcome: Outcome::Equal, reach };
        let unprovable = ProofVerdict::unprovable(Reason::Empty, "no row");
        assert_eq!(equal.clone().and(unprovable.clone()).name(), "unprovable");
        assert_eq!(unprovable.and(different()).and(equal.clone()).name(), "different");
        let twice = equal.clone().and(equal);
        assert_eq!((twice.name(), twice.reach.rows_out, twice.reach.assumed.len()), ("equal", 6, 1));
    }
}
