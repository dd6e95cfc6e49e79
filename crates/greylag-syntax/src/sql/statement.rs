//! Statements: which relation each writes, and what it reads.

use std::ops::ControlFlow;

use sqlparser::ast::{
    CommentObject, ConditionalStatementBlock, ConditionalStatements, CopySource, DeclareAssignment, Expr, ObjectName,
    Query, Set, Statement, Table, Visit, Visitor,
};

use super::expr::Reach;
use super::reading::{Confidence, QueryKind, RelationRole, Role};
use super::scope::{Aliases, Rows, Scope, Source};
use super::walk::{Walker, open};

/// How deep statements may hold statements.
const DEEPEST: usize = 64;

impl Walker<'_> {
    /// Walks a statement.
    pub(super) fn statement(&mut self, statement: &Statement, depth: usize) {
        if depth > DEEPEST {
            let range = self.reading.statements.get(self.statement).map_or(0..0, |statement| statement.range.clone());
            return self.unknown(range, format!("statements are nested deeper than {DEEPEST}"));
        }
        let depth = depth + 1;
        match statement {
            Statement::Query(query) => self.root(query),
            Statement::Insert(insert) => self.insert(insert),
            Statement::Update(update) => self.update(update),
            Statement::Delete(delete) => self.delete(delete),
            Statement::Merge(merge) => self.merge(merge),
            Statement::CreateTable(table) => self.create_table(table),
            Statement::CreateView(view) => self.create_view(view),
            Statement::AlterTable(alter) => self.alter_table(alter),
            Statement::AlterView { name, query, .. } => {
                let target = self.relation(name, None, RelationRole::Alter);
                self.set_target(target);
                self.root(query);
            }
            Statement::Drop { object_type, names, .. } => self.drop(*object_type, names),
            Statement::Truncate(truncate) => {
                for target in &truncate.table_names {
                    self.relation(&target.name, None, RelationRole::Truncate);
                }
            }
            Statement::CreateIndex(index) => self.create_index(index),
            Statement::Explain { statement, .. } | Statement::Prepare { statement, .. } => {
                self.statement(statement, depth);
            }
            Statement::ExportData(export) => self.root(&export.query),
            Statement::Copy { source, .. } => self.copy(source, statement),
            Statement::CreateMacro { args, definition, .. } => self.create_macro(args.as_deref(), definition),
            Statement::CreateFunction(function) => self.create_function(function, depth),
            Statement::Declare { stmts } => {
                for declare in stmts {
                    self.variables.extend(declare.names.iter().map(|name| name.value.as_str().into()));
                    if let Some(query) = &declare.for_query {
                        self.root(query);
                    }
                    if let Some(
                        DeclareAssignment::Expr(value)
                        | DeclareAssignment::Default(value)
                        | DeclareAssignment::DuckAssignment(value)
                        | DeclareAssignment::For(value),
                    ) = &declare.assignment
                    {
                        self.loose(value);
                    }
                }
            }
            Statement::Comment { object_type: CommentObject::Table, object_name, .. } => {
                self.relation(object_name, None, RelationRole::Mention);
            }
            Statement::Set(set) => self.set(set),
            Statement::Assert { condition, .. } => self.loose(condition),
            Statement::Call(function) => self.loose(&Expr::Function(function.clone())),
            Statement::Execute { .. } => self.execute(),
            Statement::StartTransaction { statements, exception, .. } => {
                self.all(statements, depth);
                for when in exception.iter().flatten() {
                    self.all(&when.statements, depth);
                }
            }
            Statement::If(block) => {
                for branch in std::iter::once(&block.if_block).chain(&block.elseif_blocks).chain(&block.else_block) {
                    self.branch(branch, depth);
                }
            }
            Statement::While(block) => self.branch(&block.while_block, depth),
            Statement::Case(case) => {
                if let Some(value) = &case.match_expr {
                    self.loose(value);
                }
                for branch in case.when_blocks.iter().chain(&case.else_block) {
                    self.branch(branch, depth);
                }
            }
            Statement::CreateProcedure { params, body, .. } => {
                self.variables.extend(params.iter().flatten().map(|param| param.name.value.as_str().into()));
                self.conditional(body, depth);
            }
            other => self.others(other),
        }
    }

    fn all(&mut self, statements: &[Statement], depth: usize) {
        for statement in statements {
            self.statement(statement, depth);
        }
    }

    fn branch(&mut self, branch: &ConditionalStatementBlock, depth: usize) {
        if let Some(condition) = &branch.condition {
            self.loose(condition);
        }
        self.conditional(&branch.conditional_statements, depth);
    }

    pub(super) fn conditional(&mut self, statements: &ConditionalStatements, depth: usize) {
        match statements {
            ConditionalStatements::Sequence { statements } => self.all(statements, depth),
            ConditionalStatements::BeginEnd(block) => self.all(&block.statements, depth),
        }
    }

    /// The query that a statement is, or whose rows it writes.
    pub(super) fn root(&mut self, query: &Query) {
        let block = self.push_block(QueryKind::Select, None, 0..0);
        self.query(query, None, block);
        if let Some(statement) = self.reading.statements.get_mut(self.statement) {
            statement.query.get_or_insert(block);
        }
    }

    pub(super) fn set_target(&mut self, target: Option<usize>) {
        if let Some(statement) = self.reading.statements.get_mut(self.statement) {
            statement.target = statement.target.or(target);
        }
    }

    /// An expression that no query is around: a condition of a script, a value of a variable.
    pub(super) fn loose(&mut self, expr: &Expr) {
        let block = self.push_block(QueryKind::Assignment, None, 0..0);
        let around = self.block.replace(block);
        self.expr(expr, &Scope::inside(None, block), Reach::new(Role::Assign, Aliases::Hidden).computed());
        self.scalars.clear();
        self.block = around;
    }

    fn set(&mut self, set: &Set) {
        let values = match set {
            Set::SingleAssignment { variable, values, .. } => {
                // Options of a session are set by words that are no columns.
                let is_variable = variable
                    .0
                    .last()
                    .and_then(|part| part.as_ident())
                    .is_some_and(|name| self.variables.iter().any(|known| known.eq_ignore_ascii_case(&name.value)));
                values
                    .iter()
                    .filter(|value| is_variable || !matches!(value, Expr::Identifier(_) | Expr::CompoundIdentifier(_)))
                    .collect::<Vec<_>>()
            }
            Set::ParenthesizedAssignments { values, .. } => values.iter().collect(),
            _ => Vec::new(),
        };
        for value in values {
            self.loose(value);
        }
    }

    fn copy(&mut self, source: &CopySource, statement: &Statement) {
        let to = matches!(statement, Statement::Copy { to: true, .. });
        match source {
            CopySource::Query(query) => self.root(query),
            CopySource::Table { table_name, columns } => {
                let role = if to { RelationRole::Read } else { RelationRole::Insert };
                let Some(target) = self.relation(table_name, None, role) else { return };
                if !to {
                    self.set_target(Some(target));
                }
                for column in columns {
                    self.target_column(column, target, if to { Role::Select } else { Role::InsertTarget });
                }
            }
        }
    }

    fn execute(&mut self) {
        let range = self.reading.statements.get(self.statement).map_or(0..0, |statement| statement.range.clone());
        self.unknown(range, "a statement that is put together as text is run".to_owned());
    }

    /// `insert`, `update`, `delete`, `merge` in the place of a query: what it returns has any name.
    pub(super) fn nested_statement(&mut self, statement: &Statement, block: usize) {
        self.statement(statement, 1);
        if self.reading.queries.get(block).is_some_and(|query| query.outputs.is_empty()) {
            self.set_outputs(block, vec![open(Vec::new(), 0..0)]);
        }
    }

    /// `table t` reads all of a relation. The parser keeps no place, so the tokens are asked.
    pub(super) fn table_command(&mut self, table: &Table, block: usize) {
        let Some(name) = &table.table_name else { return };
        let start = self.base;
        let at = self.tokens.iter().enumerate().find(|(at, token)| {
            token.start as usize >= start
                && token.is(self.text, "table")
                && self.tokens.get(at + 1).is_some_and(|next| {
                    next.text(self.text).contains(table.schema_name.as_ref().unwrap_or(name).as_str())
                })
        });
        let Some((parts, range, _)) = at.and_then(|(at, _)| self.path_at(at + 1)) else { return self.lost(name) };
        let scope_rows = match parts.as_slice() {
            [only] => self
                .ctes
                .iter()
                .rev()
                .find(|cte| self.dialect.same(only.written(), (&cte.name, cte.quoted)))
                .map(|cte| Rows::Block(cte.block)),
            _ => None,
        };
        let rows = scope_rows.unwrap_or_else(|| {
            Rows::Relation(self.push_relation(parts, range.clone(), None, RelationRole::Read, Confidence::Certain))
        });
        let mut scope = Scope::inside(None, block);
        scope.sources.push(Source { names: Vec::new(), renamed: true, own: Vec::new(), rows });
        let mut outputs = Vec::new();
        self.everything(&scope, None, block, &range, &mut outputs);
        self.set_outputs(block, outputs);
    }

    /// Any other statement: its queries are read, and the relations that it names outside of them are mentioned.
    fn others(&mut self, statement: &Statement) {
        let mut others = Others { walker: self, inside: 0 };
        let _ = statement.visit(&mut others);
    }
}

/// Finds queries and relations in statements that have no walk of their own.
struct Others<'w, 'a> {
    walker: &'w mut Walker<'a>,
    inside: usize,
}

impl Visitor for Others<'_, '_> {
    type Break = ();

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        if self.inside == 0 {
            self.walker.root(query);
        }
        self.inside += 1;
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _: &Query) -> ControlFlow<()> {
        self.inside = self.inside.saturating_sub(1);
        ControlFlow::Continue(())
    }

    fn pre_visit_relation(&mut self, name: &ObjectName) -> ControlFlow<()> {
        if self.inside == 0 {
            self.walker.relation(name, None, RelationRole::Mention);
        }
        ControlFlow::Continue(())
    }
}
