//! Common table expressions get names that occur once.
//!
//! A query inside another may use a name of the outer one again, which DataFusion does not take. So each gets a name of its own, and
//! what reads it keeps the old one as alias. Inner queries come first: what is left of a name then means the outer one.

use super::names::quoted;
use datafusion::sql::sqlparser::ast::{
    ObjectName, ObjectNamePart, Query, TableAlias, TableFactor, VisitMut, VisitorMut,
};
use std::ops::ControlFlow;

/// Names the expressions of a query anew; `count` is how many there were.
pub(super) fn rename(query: &mut Query, count: &mut usize) {
    let Some(mut with) = query.with.take() else { return };
    for at in 0..with.cte_tables.len() {
        *count += 1;
        let old = with.cte_tables[at].alias.name.value.clone();
        let new = format!("{old} {count}");
        with.cte_tables[at].alias.name = quoted(&new);
        let mut readers = Readers { old: &old, new: &new };
        // It sees itself only where that was said.
        let first = if with.recursive { at } else { at + 1 };
        for cte in with.cte_tables.iter_mut().skip(first) {
            let _ = cte.query.visit(&mut readers);
        }
        let _ = query.body.visit(&mut readers);
        let _ = query.order_by.visit(&mut readers);
    }
    query.with = Some(with);
}

struct Readers<'a> {
    old: &'a str,
    new: &'a str,
}

impl VisitorMut for Readers<'_> {
    type Break = ();

    fn pre_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<()> {
        if let TableFactor::Table { name, alias, args: None, .. } = factor
            && let [ObjectNamePart::Identifier(word)] = name.0.as_slice()
            && word.value == self.old
        {
            if alias.is_none() {
                *alias = Some(TableAlias { explicit: true, name: quoted(self.old), columns: Vec::new() });
            }
            *name = ObjectName(vec![ObjectNamePart::Identifier(quoted(self.new))]);
        }
        ControlFlow::Continue(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::check;

    #[test]
    fn names_occur_once() {
        check(
            "duckdb",
            "with p as (select 1 as a from t), q as (with p as (select 2 as a) select p.a from p) select * from p, q",
            "WITH \"p 2\" AS (SELECT 1 AS a FROM t), \"q 3\" AS (WITH \"p 1\" AS (SELECT 2 AS a) SELECT p.a FROM \"p 1\" AS \"p\") \
             SELECT * FROM \"p 2\" AS \"p\", \"q 3\" AS \"q\"",
        );
        check(
            "duckdb",
            "with t as (select a from t) select t.a from t",
            "WITH \"t 1\" AS (SELECT a FROM t) SELECT t.a FROM \"t 1\" AS \"t\"",
        );
    }
}
