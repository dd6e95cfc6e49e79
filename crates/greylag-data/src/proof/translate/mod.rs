//! Statements of a dialect to statements that DataFusion runs with the same meaning, where a small rewrite does it.
//!
//! Each rewrite is applied to both texts alike. Where none is known a statement goes on as it is, and what the engine then refuses
//! is unprovable.

mod clock;
mod conditional;
mod ctes;
mod division;
mod limit;
mod literal;
mod names;
mod spelling;
pub(super) mod types;

pub(super) use names::Names;
pub(super) use spelling::call;

use datafusion::sql::sqlparser::ast::{Expr, Query, Statement, TableFactor, Value, VisitMut, VisitorMut};
use std::ops::ControlFlow;

/// What a statement needs for which there is no rewrite.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Obstacle {
    /// Its result hangs on chance.
    Random(String),
}

/// Translates a statement in place; adds the relations that it names to `names`, and what is taken for granted to `assumed`.
pub(super) fn translate(
    statement: &mut Statement,
    dialect: &str,
    names: &mut Names,
    assumed: &mut Vec<String>,
) -> Result<(), Obstacle> {
    let mut work = Work { dialect, names, assumed, ctes: 0 };
    // Names come first: the qualifiers of columns follow from them.
    let _ = statement.visit(&mut names::Collect { names: work.names, dialect });
    match statement.visit(&mut work) {
        ControlFlow::Break(obstacle) => Err(obstacle),
        ControlFlow::Continue(()) => Ok(()),
    }
}

struct Work<'a> {
    dialect: &'a str,
    names: &'a mut Names,
    assumed: &'a mut Vec<String>,
    /// Common table expressions so far.
    ctes: usize,
}

impl VisitorMut for Work<'_> {
    type Break = Obstacle;

    fn pre_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<Obstacle> {
        self.names.flatten(factor, self.dialect);
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, query: &mut Query) -> ControlFlow<Obstacle> {
        ctes::rename(query, &mut self.ctes);
        if limit::lower(query) {
            self.assume("a limit is tried with fewer rows than it says");
        }
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<Obstacle> {
        if let Some(name) = clock::chance(expr) {
            return ControlFlow::Break(Obstacle::Random(name));
        }
        if clock::freeze(expr) {
            self.assume("the time is the same for both");
        }
        self.names.qualify(expr);
        types::cast(expr);
        conditional::rewrite(expr);
        spelling::rewrite(expr, self.dialect);
        if division::rewrite(expr, self.dialect) {
            self.assume("`/` divides as floats do");
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_value(&mut self, value: &mut Value) -> ControlFlow<Obstacle> {
        literal::rewrite(value);
        ControlFlow::Continue(())
    }
}

impl Work<'_> {
    fn assume(&mut self, words: &str) {
        if !self.assumed.iter().any(|known| known == words) {
            self.assumed.push(words.to_owned());
        }
    }
}

#[cfg(test)]
fn check(dialect: &str, text: &str, expected: &str) {
    let Ok(mut parsed) = super::parse::statements(text, dialect) else { panic!("{text}") };
    let (mut names, mut assumed) = (Names::default(), Vec::new());
    for statement in &mut parsed {
        assert_eq!(translate(statement, dialect, &mut names, &mut assumed), Ok(()));
    }
    assert_eq!(parsed.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "), expected);
}
