//! Names of relations: each becomes one word, under which its rows are registered.
//!
//! `a.b.t` becomes `"a.b.t" AS t`, so that scopes of common table expressions, which have names of one word, stay the engine's
//! business. Columns with the whole name before them get its last word.

use datafusion::sql::sqlparser::ast::{Expr, Ident, ObjectName, ObjectNamePart, TableAlias, TableFactor, VisitorMut};
use std::collections::BTreeMap;
use std::ops::ControlFlow;

/// The relations that texts name: the one word and the parts that it was.
#[derive(Clone, Debug, Default)]
pub(in crate::proof) struct Names {
    pub(in crate::proof) parts: BTreeMap<String, Vec<String>>,
}

/// Collects names before anything is changed.
pub(super) struct Collect<'a> {
    pub(super) names: &'a mut Names,
    pub(super) dialect: &'a str,
}

impl VisitorMut for Collect<'_> {
    type Break = ();

    fn pre_visit_relation(&mut self, name: &mut ObjectName) -> ControlFlow<()> {
        self.names.note(name, self.dialect);
        ControlFlow::Continue(())
    }
}

impl Names {
    /// Notes a name, and answers its one word.
    pub(in crate::proof) fn note(&mut self, name: &ObjectName, dialect: &str) -> Option<String> {
        let parts = parts(name, dialect)?;
        let word = parts.join(".");
        self.parts.insert(word.clone(), parts);
        Some(word)
    }

    /// Makes the name of a table one word, with its last part as alias.
    pub(super) fn flatten(&mut self, factor: &mut TableFactor, dialect: &str) {
        let TableFactor::Table { name, alias, args: None, .. } = factor else { return };
        let Some(parts) = parts(name, dialect) else { return };
        let Some(last) = parts.last().filter(|_| parts.len() > 1) else { return };
        if alias.is_none() {
            *alias = Some(TableAlias { explicit: true, name: quoted(last), columns: Vec::new() });
        }
        *name = ObjectName(vec![ObjectNamePart::Identifier(quoted(&parts.join(".")))]);
    }

    /// Shortens `a.b.t.x` to `t.x` where `a.b.t` is a relation.
    pub(super) fn qualify(&self, expr: &mut Expr) {
        let Expr::CompoundIdentifier(parts) = expr else { return };
        let Some((_, before)) = parts.split_last().filter(|(_, before)| before.len() > 1) else { return };
        let word = before.iter().map(|part| part.value.as_str()).collect::<Vec<_>>().join(".");
        let is_end = |known: &String| *known == word || known.ends_with(&format!(".{word}"));
        if self.parts.keys().any(is_end) {
            *parts = parts.split_off(parts.len() - 2);
        }
    }
}

/// A name in quotes, so that nobody folds it.
pub(in crate::proof) fn quoted(name: &str) -> Ident {
    Ident::with_quote('"', name)
}

/// The parts of a name; BigQuery's backticks may hold several.
fn parts(name: &ObjectName, dialect: &str) -> Option<Vec<String>> {
    let mut parts = Vec::new();
    for part in &name.0 {
        let value = &part.as_ident()?.value;
        if dialect == "bigquery" {
            parts.extend(value.split('.').map(str::to_owned));
        } else {
            parts.push(value.clone());
        }
    }
    (!parts.is_empty()).then_some(parts)
}

#[cfg(test)]
mod tests {
    use super::super::check;

    #[test]
    fn relations_become_one_word() {
        check("duckdb", "select a.t.x from a.t", "SELECT t.x FROM \"a.t\" AS \"t\"");
        check("duckdb", "select t.x from c.a.t as u, t", "SELECT t.x FROM \"c.a.t\" AS u, t");
        check("bigquery", "select t.x.y from `p.a.t`", "SELECT t.x.y FROM \"p.a.t\" AS \"t\"");
        check(
            "duckdb",
            "select 1 from a.t where exists (select 2 from b.u where b.u.x = t.x)",
            "SELECT 1 FROM \"a.t\" AS \"t\" WHERE EXISTS (SELECT 2 FROM \"b.u\" AS \"u\" WHERE u.x = t.x)",
        );
    }
}
