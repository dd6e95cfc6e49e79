//! What statements do, as far as it is understood.

use super::parse::made;
use super::translate::Names;
use datafusion::sql::sqlparser::ast::{
    Assignment, AssignmentTarget, ColumnDef, Expr, FromTable, MergeAction, MergeClauseKind, MergeInsertKind,
    ObjectName, Query, SetExpr, Statement, TableFactor, TableObject, TableWithJoins,
};
use std::fmt::Write as _;

/// What marks that a row of a merge has a partner.
const THERE: &str = "greylag there";

/// One statement.
#[derive(Clone, Debug)]
pub(super) enum Step {
    /// Gives rows.
    Query(Box<Query>),
    /// Makes a table, or a view, of a query's rows.
    Make { word: String, query: Box<Query>, is_view: bool },
    /// Makes an empty table.
    Define { word: String, columns: Vec<ColumnDef> },
    /// Adds rows.
    Insert { word: String, columns: Vec<String>, query: Box<Query> },
    /// Puts other rows in the place of all: what columns become is said once the table is known.
    Change(Box<Change>),
    /// Takes a table away.
    Drop(Vec<String>),
    /// Has no effect on rows.
    Nothing,
}

/// A change of the rows of a table.
#[derive(Clone, Debug)]
pub(super) struct Change {
    pub(super) word: String,
    /// What rows are read from: the table, joined perhaps.
    from: String,
    /// The table's alias there.
    alias: String,
    /// Conditions and what they do, the first that holds counts.
    cases: Vec<(String, Deed)>,
    /// Rows to add: columns and a query.
    adds: Vec<(Vec<String>, String)>,
}

#[derive(Clone, Debug)]
enum Deed {
    Set(Vec<(String, String)>),
    Delete,
}

impl Step {
    /// What a statement does, or what of it is not understood.
    pub(super) fn of(statement: Statement, names: &Names) -> Result<Self, String> {
        let not_run = |what: &str| Err(format!("`{what}` is not run"));
        Ok(match statement {
            Statement::Query(query) if has_effects(&query) => return not_run("a query that writes"),
            Statement::Query(query) => Self::Query(query),
            Statement::CreateTable(table) => match table.query {
                Some(query) => Self::Make { word: word(&table.name), query, is_view: false },
                None if !table.columns.is_empty() => Self::Define { word: word(&table.name), columns: table.columns },
                None => return not_run("create table"),
            },
            Statement::CreateView(view) if view.columns.is_empty() => {
                Self::Make { word: word(&view.name), query: view.query, is_view: true }
            }
            Statement::Insert(insert) => {
                let TableObject::TableName(name) = &insert.table else { return not_run("insert into a function") };
                let Some(query) = insert.source else { return not_run("insert without rows") };
                if insert.on.is_some() || insert.overwrite || insert.replace_into || insert.partitioned.is_some() {
                    return not_run("insert that replaces");
                }
                let columns = insert.columns.iter().map(|column| column.value.clone()).collect();
                Self::Insert { word: word(name), columns, query }
            }
            Statement::Update(update) => {
                if update.from.is_some() || !update.table.joins.is_empty() || update.limit.is_some() {
                    return not_run("update of a join");
                }
                let (word, alias, from) = target(&update.table.relation, names)?;
                let when = update.selection.as_ref().map_or_else(|| "true".to_owned(), ToString::to_string);
                let cases = vec![(when, Deed::Set(assigned(&update.assignments)?))];
                Self::Change(Box::new(Change { word, from, alias, cases, adds: Vec::new() }))
            }
            Statement::Delete(delete) => {
                let (FromTable::WithFromKeyword(from) | FromTable::WithoutKeyword(from)) = &delete.from;
                let [TableWithJoins { relation, joins }] = from.as_slice() else { return not_run("delete of a join") };
                if delete.using.is_some() || !joins.is_empty() || delete.limit.is_some() || !delete.tables.is_empty() {
                    return not_run("delete of a join");
                }
                let (word, alias, from) = target(relation, names)?;
                let when = delete.selection.as_ref().map_or_else(|| "true".to_owned(), ToString::to_string);
                Self::Change(Box::new(Change {
                    word,
                    from,
                    alias,
                    cases: vec![(when, Deed::Delete)],
                    adds: Vec::new(),
                }))
            }
            Statement::Merge(merge) => Self::Change(Box::new(merged(&merge, names)?)),
            Statement::Truncate(truncate) => {
                let [target] = truncate.table_names.as_slice() else { return not_run("truncate of several") };
                let word = word(&target.name);
                let from = format!("{} AS t", quote(&word));
                let cases = vec![("true".to_owned(), Deed::Delete)];
                Self::Change(Box::new(Change { word, from, alias: "t".to_owned(), cases, adds: Vec::new() }))
            }
            Statement::Drop { names, .. } => Self::Drop(names.iter().map(word).collect()),
            Statement::CreateSchema { .. }
            | Statement::Set(_)
            | Statement::StartTransaction { .. }
            | Statement::Commit { .. }
            | Statement::Analyze(_)
            | Statement::Comment { .. }
            | Statement::CreateIndex(_)
            | Statement::Grant { .. } => Self::Nothing,
            other => return not_run(&first_words(&other.to_string())),
        })
    }
}

/// The first two words of a statement.
fn first_words(text: &str) -> String {
    text.split_whitespace().take(2).collect::<Vec<_>>().join(" ").to_lowercase()
}

fn has_effects(query: &Query) -> bool {
    let writes = |body: &SetExpr| {
        matches!(body, SetExpr::Insert(_) | SetExpr::Update(_) | SetExpr::Delete(_) | SetExpr::Merge(_))
            || matches!(body, SetExpr::Select(select) if select.into.is_some())
    };
    let ctes = query.with.iter().flat_map(|with| &with.cte_tables);
    writes(&query.body) || ctes.into_iter().any(|cte| writes(&cte.query.body)) || !query.locks.is_empty()
}

/// The one word of a name.
pub(super) fn word(name: &ObjectName) -> String {
    let parts: Vec<&str> = name.0.iter().filter_map(|part| part.as_ident()).map(|part| part.value.as_str()).collect();
    parts.join(".")
}

/// A name in quotes.
pub(super) fn quote(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Word, alias and text of the table that is changed.
fn target(factor: &TableFactor, names: &Names) -> Result<(String, String, String), String> {
    let TableFactor::Table { name, alias, args: None, .. } = factor else {
        return Err("only tables are changed".to_owned());
    };
    let word = word(name);
    let last = names.parts.get(&word).and_then(|parts| parts.last()).unwrap_or(&word);
    let alias = alias.as_ref().map_or(last.clone(), |alias| alias.name.value.clone());
    let from = format!("{} AS {}", quote(&word), quote(&alias));
    Ok((word, alias, from))
}

fn assigned(assignments: &[Assignment]) -> Result<Vec<(String, String)>, String> {
    let one = |assignment: &Assignment| match &assignment.target {
        AssignmentTarget::ColumnName(name) => {
            let column = name.0.last().and_then(|part| part.as_ident()).map(|part| part.value.clone());
            Ok((column.unwrap_or_default(), assignment.value.to_string()))
        }
        AssignmentTarget::Tuple(_) => Err("an assignment of several columns at once is not run".to_owned()),
    };
    assignments.iter().map(one).collect()
}

fn merged(merge: &datafusion::sql::sqlparser::ast::Merge, names: &Names) -> Result<Change, String> {
    let (word, alias, table) = target(&merge.table, names)?;
    let (source, source_alias) = match &merge.source {
        TableFactor::Table { .. } => {
            let (_, alias, from) = target(&merge.source, names)?;
            (from, alias)
        }
        TableFactor::Derived { alias: Some(alias), .. } => (merge.source.to_string(), alias.name.value.clone()),
        _ => return Err("a merge of something without a name is not run".to_owned()),
    };
    let (mut cases, mut adds, mut added) = (Vec::new(), Vec::new(), Vec::new());
    for clause in &merge.clauses {
        let also = clause.predicate.as_ref().map_or_else(|| "true".to_owned(), Expr::to_string);
        match (&clause.clause_kind, &clause.action) {
            (MergeClauseKind::Matched, action) => {
                let when = format!("{}.{} and ({also})", quote(&source_alias), quote(THERE));
                let deed = match action {
                    MergeAction::Update(update) => Deed::Set(assigned(&update.assignments)?),
                    MergeAction::Delete { .. } => Deed::Delete,
                    MergeAction::Insert(_) => return Err("a merge that inserts what is there is not run".to_owned()),
                };
                cases.push((when, deed));
            }
            (MergeClauseKind::NotMatched | MergeClauseKind::NotMatchedByTarget, MergeAction::Insert(insert)) => {
                let MergeInsertKind::Values(values) = &insert.kind else {
                    return Err("a merge that inserts whole rows is not run".to_owned());
                };
                let [row] = values.rows.as_slice() else {
                    return Err("a merge that inserts several rows at once is not run".to_owned());
                };
                let items: Vec<String> =
                    row.iter().enumerate().map(|(at, value)| format!("{value} as c{at}")).collect();
                let mut text = format!(
                    "select {} from {source} where not exists (select 1 from {table} where {}) and ({also})",
                    items.join(", "),
                    merge.on
                );
                for earlier in &added {
                    let _ = write!(text, " and ({earlier}) is not true");
                }
                added.push(also);
                let columns = insert.columns.iter().map(|column| {
                    column.0.last().and_then(|part| part.as_ident()).map_or_else(String::new, |part| part.value.clone())
                });
                adds.push((columns.collect(), text));
            }
            _ => return Err("a merge that changes what the source has not is not run".to_owned()),
        }
    }
    let from = format!(
        "{table} left join (select *, true as {} from {source}) as {} on {}",
        quote(THERE),
        quote(&source_alias),
        merge.on
    );
    Ok(Change { word, from, alias, cases, adds })
}

impl Change {
    /// The query of the rows that are there afterwards, of those that were, given the table's columns.
    pub(super) fn rows(&self, columns: &[String], dialect: &str) -> Result<Query, String> {
        let item = |column: &String| {
            let old = format!("{}.{}", quote(&self.alias), quote(column));
            let mut text = String::from("case");
            for (when, deed) in &self.cases {
                let value = match deed {
                    Deed::Set(values) => {
                        values.iter().find(|(name, _)| name == column).map_or(&old, |(_, value)| value)
                    }
                    Deed::Delete => &old,
                };
                let _ = write!(text, " when {when} then {value}");
            }
            format!("{text} else {old} end as {}", quote(column))
        };
        let unknown = |(_, deed): &(String, Deed)| match deed {
            Deed::Set(values) => values.iter().map(|(name, _)| name).find(|name| !columns.contains(name)).cloned(),
            Deed::Delete => None,
        };
        if let Some(name) = self.cases.iter().find_map(unknown) {
            return Err(format!("there is no column `{name}` to set"));
        }
        let items = if self.cases.is_empty() {
            columns.iter().map(|column| format!("{}.{}", quote(&self.alias), quote(column))).collect::<Vec<_>>()
        } else {
            columns.iter().map(item).collect()
        };
        let kept = self.which(&|deed| matches!(deed, Deed::Delete));
        one_query(&format!("select {} from {} where not ({kept})", items.join(", "), self.from), dialect)
    }

    /// The query that counts the rows that something is done with.
    pub(super) fn touched(&self, dialect: &str) -> Result<Query, String> {
        one_query(&format!("select count(*) as n from {} where {}", self.from, self.which(&|_| true)), dialect)
    }

    /// Rows to add: columns and query.
    pub(super) fn added(&self, dialect: &str) -> Result<Vec<(Vec<String>, Query)>, String> {
        self.adds.iter().map(|(columns, text)| Ok((columns.clone(), one_query(text, dialect)?))).collect()
    }

    /// The condition of rows of which the first case that holds is of some kind.
    fn which(&self, of: &dyn Fn(&Deed) -> bool) -> String {
        if self.cases.is_empty() {
            return "false".to_owned();
        }
        let mut text = String::from("case");
        for (when, deed) in &self.cases {
            let _ = write!(text, " when {when} then {}", of(deed));
        }
        format!("{text} else false end")
    }
}

fn one_query(text: &str, dialect: &str) -> Result<Query, String> {
    match made(text, dialect)?.pop() {
        Some(Statement::Query(query)) => Ok(*query),
        _ => Err("it cannot be said as a query".to_owned()),
    }
}
