//! Operations: the kinds of change that a mapping is made of, one file each.
//!
//! Every file answers the same questions about its kind, so that a preview and an execution cannot differ:
//!
//! - *validate and forward*: reads its rule of the [`MappingSpec`](crate::spec::MappingSpec), puts every error it finds
//!   into the `Resolution`, and gives the target columns as `Draft`s;
//! - *reverse*: the way back, derived where it is provable, else lost with a reason (a reverse that the file gives wins);
//! - *breaks*: what readers of the old column meet;
//! - *change*: the line that a plan shows.
//!
//! Composite rules (a column renamed, retyped and defaulted at once) are one draft: [`mod@column`] reads them and asks each
//! kind for its part. The kind that a reader notices most names the draft: computed, then retyped, defaulted, renamed.

pub mod cast;
pub mod column;
pub mod default;
pub mod drop;
pub mod expression;
pub mod judgement;
pub mod keep;
pub mod merge;
pub mod new;
pub mod rename;
pub mod reverse;
pub mod split;

use crate::code;
use crate::diagnostic::{Diagnostic, Place};
use crate::expr::TypedExpr;
use crate::mapping::{ColumnMapping, ReverseWay};
use crate::plan::Change;
use crate::schema::{Column, Schema};
use std::collections::HashMap;

/// What is known while one mapping is resolved, and the errors found so far.
pub(crate) struct Resolution<'a> {
    /// Columns of the old dataset.
    pub(crate) source: &'a Schema,
    /// Which rule took each source column, if one did.
    pub(crate) taken: Vec<Option<Taken>>,
    /// Every error, in the order found.
    pub(crate) errors: Vec<Diagnostic>,
    by_name: HashMap<&'a str, usize>,
    place: &'a dyn Fn(&str) -> Option<Place>,
}

/// Something is wrong, and the [`Resolution`] has the error.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reported;

/// How a rule takes a source column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Taken {
    /// It goes on under some name; others may carry it as well.
    Carried,
    /// It ends here.
    Dropped,
    /// It is cut up.
    Split,
    /// It is joined with others.
    Merged,
}

/// One target column in the making.
#[derive(Debug)]
pub(crate) struct Draft {
    /// The target column.
    pub(crate) column: Column,
    /// How it comes about.
    pub(crate) mapping: ColumnMapping,
    /// The source column whose place it takes; those without one follow at the end.
    pub(crate) origin: Option<usize>,
    /// Ways back that it offers: source column and way.
    pub(crate) reverse: Vec<(usize, ReverseWay)>,
    /// Lines that a plan shows.
    pub(crate) changes: Vec<Change>,
    /// What readers of the old columns meet.
    pub(crate) breaks: Vec<String>,
    /// Where the file has it, below the mapping.
    pub(crate) pointer: String,
}

impl<'a> Resolution<'a> {
    /// Begins with a source schema. `place` finds JSON pointers below the mapping in the file.
    pub(crate) fn new(source: &'a Schema, place: &'a dyn Fn(&str) -> Option<Place>) -> Self {
        let by_name = source.columns.iter().enumerate().map(|(at, column)| (column.name.as_str(), at)).collect();
        Self { source, taken: vec![None; source.columns.len()], errors: Vec::new(), by_name, place }
    }

    /// Records an error at a pointer below the mapping.
    pub(crate) fn error(&mut self, diagnostic: Diagnostic, pointer: &str) {
        let place = (self.place)(pointer);
        self.errors.push(diagnostic.at(place));
    }

    /// The source column of this name, or an error with the nearest name.
    pub(crate) fn column(&mut self, name: &str, pointer: &str) -> Option<usize> {
        let found = self.by_name.get(name).copied();
        if found.is_none() {
            self.error(unknown_column(name, self.source, "the old dataset"), pointer);
        }
        found
    }

    /// The source column of this name, if there is one.
    pub(crate) fn find(&self, name: &str) -> Option<usize> {
        self.by_name.get(name).copied()
    }

    /// Marks a source column as taken; several may carry one column, every other combination contradicts.
    pub(crate) fn take(&mut self, at: usize, how: Taken, pointer: &str) {
        match self.taken[at] {
            None => self.taken[at] = Some(how),
            Some(Taken::Carried) if how == Taken::Carried => {}
            Some(before) => {
                let name = &self.source.columns[at].name;
                let message = format!("column `{name}` is {} and {}", before.word(), how.word());
                let diagnostic =
                    Diagnostic::error(code::plan::CONTRADICTION, message).hint("keep one of the two rules");
                self.error(diagnostic, pointer);
            }
        }
    }

    /// Types an expression of the file, or one made out of valid names, against a schema; its errors are placed at the
    /// pointer.
    pub(crate) fn typed(&mut self, text: &str, schema: &Schema, pointer: &str) -> Option<TypedExpr> {
        match crate::expr::parse_and_check(text, schema) {
            Ok(expr) => Some(expr),
            Err(errors) => {
                for error in errors {
                    let mut diagnostic = Diagnostic::error(error.code, error.message);
                    diagnostic.hints.extend(error.hint);
                    self.error(diagnostic, pointer);
                }
                None
            }
        }
    }
}

impl Taken {
    fn word(self) -> &'static str {
        match self {
            Self::Carried => "carried over",
            Self::Dropped => "dropped",
            Self::Split => "split",
            Self::Merged => "merged",
        }
    }
}

/// The error for a name that a schema does not have; `whose` says which schema it is.
pub(crate) fn unknown_column(name: &str, schema: &Schema, whose: &str) -> Diagnostic {
    let diagnostic = Diagnostic::error(code::plan::UNKNOWN_COLUMN, format!("{whose} has no column `{name}`"));
    match nearest(name, schema.columns.iter().map(|column| column.name.as_str())) {
        Some(near) => diagnostic.hint(format!("did you mean `{near}`?")),
        None => diagnostic.hint(format!("its columns are {}", listed(schema))),
    }
}

/// The first names of a schema, for a hint.
fn listed(schema: &Schema) -> String {
    const SHOWN: usize = 12;
    let names: Vec<String> = schema.columns.iter().take(SHOWN).map(|column| format!("`{}`", column.name)).collect();
    match schema.columns.len().saturating_sub(SHOWN) {
        0 => names.join(", "),
        more => format!("{} and {more} more", names.join(", ")),
    }
}

/// The candidate that is most like `name`, if one is like it at all.
pub fn nearest<'c>(name: &str, candidates: impl Iterator<Item = &'c str>) -> Option<&'c str> {
    let lower = name.to_lowercase();
    candidates
        .map(|candidate| (strsim::jaro_winkler(&lower, &candidate.to_lowercase()), candidate))
        .filter(|(likeness, _)| *likeness > 0.8)
        .max_by(|(left, _), (right, _)| left.total_cmp(right))
        .map(|(_, candidate)| candidate)
}

/// A column's name as the expression language quotes it.
pub(crate) fn quoted_name(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Text as the expression language quotes it.
pub(crate) fn quoted_text(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
