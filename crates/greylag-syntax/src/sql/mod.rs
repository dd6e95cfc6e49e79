//! Names in SQL: every place that names a relation or a column, what it means by the rules of scope, and how sure that is.
//!
//! # What goes in and comes out
//!
//! [`read`] takes plain SQL, a [`Dialect`] and what is known of the [`Schemas`], and gives a [`Reading`]: ranges into the text
//! that it was given. It never fails and leaves nothing out. A statement is parsed in its dialect; failing that in the generic
//! one; failing that with parts blanked that name nothing (see `blank`); and what still cannot be parsed is read by its words,
//! with confidence [`Confidence::Unknown`], and listed in [`Reading::unknown`] with the parser's reason. So is what is too long or
//! too deep for the parser.
//!
//! # Blocks
//!
//! A statement is made of *blocks* that have columns of their own: selects, set operations, unnested arrays, assignments. A use
//! of a column comes from a relation or from an output of a block, and an output knows what feeds it: uses, or columns that a star
//! or an arm of a set operation brings along unwritten. [`Reading::bases`] follows that to the columns of relations, and
//! [`Reading::lineage`] does so for all that a statement writes.
//!
//! A star over relations whose columns are not known is an *open* output: any name may be one of it, and a use of that name
//! outside links to it, so `with c as (select * from t) select uid from c` finds `t.uid` with no schema at hand.
//!
//! # Confidence
//!
//! [`Confidence::Certain`] means: in any valid statement it can be nothing else. The table of rules is in `scope`. The
//! confidence of a use is that of its own step; that of a [`Base`] is of the whole way.
//!
//! # Places
//!
//! The parser gives lines and columns of identifiers, none of most other things, and reads some names together. So tokens are cut
//! here once more (`lex`), identifiers are found among them and compared with what the parser says, and everything else that has
//! a place (items, stars, lists) is found by walking tokens.

mod attributes;
mod blank;
mod clickhouse;
mod column;
mod cut;
mod define;
mod dialect;
mod expr;
mod from;
mod function;
mod given;
mod items;
mod kept;
mod lambda;
mod lex;
mod lineage;
mod lines;
mod marks;
mod parse;
mod phrase;
mod pipe;
mod pivot;
mod query;
mod reading;
mod respell;
mod scope;
mod script;
mod select;
mod split;
mod star;
mod statement;
mod walk;
mod words;
mod write;

pub use dialect::{Dialect, UnknownDialect};
pub use lineage::{Base, Edge, Way};
pub use reading::{
    ColumnUse, Confidence, Feed, Name, Origin, Output, OutputKind, Parsed, Place, Query, QueryKind, Quoting, Reading,
    RelationRole, RelationUse, Role, Star, Statement, Unknown, Whole, Why,
};

/// What is known of relations.
pub trait Schemas {
    /// The columns of a relation in order, by the parts of its name as the text writes them without quotes; none if they are
    /// not known.
    fn columns(&self, name: &[&str]) -> Option<Vec<String>>;
}

/// Nothing is known of any relation.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoSchemas;

impl Schemas for NoSchemas {
    fn columns(&self, _: &[&str]) -> Option<Vec<String>> {
        None
    }
}

/// Reads all names of a text. It cannot fail; see [`Reading::unknown`] for what was not understood.
pub fn read(text: &str, dialect: Dialect, schemas: &dyn Schemas) -> Reading {
    script::read(text, dialect, schemas)
}
