//! Statements that define relations: `create`, `alter`, `drop`.

use sqlparser::ast::{
    AlterTable, AlterTableOperation, ColumnOption, ConditionalStatements, CreateFunction, CreateFunctionBody,
    CreateIndex, CreateTable, CreateTableLikeKind, CreateView, Expr, Ident, MacroArg, MacroDefinition, ObjectName,
    ObjectType, OneOrManyWithParens, Query, RenameTableNameKind, SetExpr, TableConstraint, WrappedCollection,
};

use super::dialect::Dialect;
use super::expr::Reach;
use super::lex::Kind;
use super::reading::{Confidence, Name, Place, QueryKind, RelationRole, Role, Why};
use super::scope::{Aliases, Rows, Scope, Source};
use super::walk::{Resolution, Said, Walker};

impl Walker<'_> {
    pub(super) fn create_table(&mut self, table: &CreateTable) {
        let Some(target) = self.relation(&table.name, None, RelationRole::Create) else { return };
        self.set_target(Some(target));
        for column in &table.columns {
            self.defined(&column.name, target);
            for option in &column.options {
                if let ColumnOption::ForeignKey(key) = &option.option {
                    self.foreign(&key.foreign_table, &key.referred_columns);
                }
            }
        }
        for constraint in &table.constraints {
            self.constraint(constraint, target);
        }
        if let Some(CreateTableLikeKind::Parenthesized(like) | CreateTableLikeKind::Plain(like)) = &table.like {
            self.relation(&like.name, None, RelationRole::Mention);
        }
        if let Some(source) = &table.clone {
            self.relation(source, None, RelationRole::Read);
        }
        if let Some(query) = &table.query {
            self.root(query);
        }
        let cluster = match &table.cluster_by {
            Some(WrappedCollection::NoWrapping(list) | WrappedCollection::Parentheses(list)) => list.as_slice(),
            None => &[],
        };
        let order = match &table.order_by {
            Some(OneOrManyWithParens::One(expr)) => std::slice::from_ref(expr),
            Some(OneOrManyWithParens::Many(list)) => list.as_slice(),
            None => &[],
        };
        let layout =
            table.partition_by.iter().chain(&table.primary_key).map(|expr| &**expr).chain(cluster).chain(order);
        self.layout(layout, target);
        if self.dialect == Dialect::ClickHouse {
            self.engine(target);
        }
    }

    /// The arguments of `engine = X(…)`, of which the parser keeps no place: columns of the table, but for an engine that hands
    /// on to another table, which is named by its database and itself.
    fn engine(&mut self, target: usize) {
        let Some(range) = self.reading.statements.get(self.statement).map(|statement| statement.range.clone()) else {
            return;
        };
        let first = self.tokens.partition_point(|token| (token.start as usize) < range.start);
        let is = |at: usize, word: &str| self.tokens.get(at).is_some_and(|token| token.is(self.text, word));
        let mark = |at: usize, mark: u8| self.tokens.get(at).is_some_and(|token| token.mark(mark));
        let last = self.tokens.partition_point(|token| (token.end as usize) <= range.end);
        let engine = (first..last).find(|at| is(*at, "engine") && mark(at + 1, b'=') && mark(at + 3, b'('));
        let Some(at) = engine else { return };
        let end = self.after_group(at + 3);
        let end = end.saturating_sub(1);
        let mut names = at + 4..end;
        match self.name_at(at + 2).map(|name| name.text) {
            Some(engine) if engine.ends_with("MergeTree") => {}
            Some(engine) if &*engine == "Distributed" => match self.handed_on(at + 4, end) {
                Some(after) => names = after..end,
                None => return self.unknown(self.span(at, end + 1), "to which table rows go is computed".to_owned()),
            },
            _ => {
                let mut tokens = self.tokens.get(at + 4..end).unwrap_or_default().iter();
                if tokens.any(|token| matches!(token.kind, Kind::Word | Kind::Quoted)) {
                    self.unknown(self.span(at, end + 1), "what the engine of a table names is not known".to_owned());
                }
                return;
            }
        }
        for at in names {
            let is_name = self.tokens.get(at).is_some_and(|token| matches!(token.kind, Kind::Word | Kind::Quoted));
            let called = self.tokens.get(at + 1).is_some_and(|token| token.mark(b'('));
            if let Some(name) = self.name_at(at).filter(|_| is_name && !called) {
                let resolution = self.of_target(target, name.written());
                self.push_column(&[name], 0, resolution, Said { role: Role::Define, place: Place::default() });
            }
        }
    }

    /// `Distributed(cluster, database, table, …)`, whose arguments begin here: writes the table down, and says where what is after
    /// it begins.
    fn handed_on(&mut self, first: usize, end: usize) -> Option<usize> {
        let comma = |from: usize| {
            let mut depth = 0_usize;
            (from..end).find(|at| match self.tokens.get(*at).map(|token| token.kind) {
                Some(Kind::Mark(b'(')) => {
                    depth += 1;
                    false
                }
                Some(Kind::Mark(b')')) => {
                    depth = depth.saturating_sub(1);
                    false
                }
                Some(Kind::Mark(b',')) => depth == 0,
                _ => false,
            })
        };
        let database = comma(first)? + 1;
        let table = comma(database)? + 1;
        let after = comma(table).unwrap_or(end);
        let alone = |at: usize, end: usize| self.name_at(at).filter(|_| end == at + 1);
        let name = alone(table, after)?;
        let parts: Vec<Name> = alone(database, table - 1).into_iter().chain([name.clone()]).collect();
        self.push_relation(parts, name.range, None, RelationRole::Mention, Confidence::Certain);
        Some(after)
    }

    /// Expressions over the columns of the very relation that is defined: how it is partitioned, sorted, constrained.
    fn layout<'e>(&mut self, exprs: impl Iterator<Item = &'e Expr>, target: usize) {
        let block = self.push_block(QueryKind::Assignment, None, 0..0);
        let mut scope = Scope::inside(None, block);
        scope.sources.push(Source { names: Vec::new(), renamed: true, own: Vec::new(), rows: Rows::Relation(target) });
        let around = self.block.replace(block);
        self.each(exprs, &scope, Reach::new(Role::Define, Aliases::Hidden));
        self.block = around;
    }

    /// A column that a statement gives a relation: the schema that is known may be an older one.
    fn defined(&mut self, ident: &Ident, target: usize) {
        if let Some(name) = self.name(ident) {
            let resolution =
                Resolution::new(vec![super::reading::Origin::Relation(target)], Confidence::Certain, Why::Target);
            self.push_column(&[name], 0, resolution, Said { role: Role::Define, place: Place::default() });
        }
    }

    fn foreign(&mut self, table: &ObjectName, columns: &[Ident]) {
        if let Some(other) = self.relation(table, None, RelationRole::Mention) {
            for column in columns {
                self.target_column(column, other, Role::Define);
            }
        }
    }

    fn constraint(&mut self, constraint: &TableConstraint, target: usize) {
        match constraint {
            TableConstraint::Unique(key) => self.layout(key.columns.iter().map(|column| &column.column.expr), target),
            TableConstraint::PrimaryKey(key) => {
                self.layout(key.columns.iter().map(|column| &column.column.expr), target);
            }
            TableConstraint::ForeignKey(key) => {
                for column in &key.columns {
                    self.defined(column, target);
                }
                self.foreign(&key.foreign_table, &key.referred_columns);
            }
            TableConstraint::Check(check) => self.layout(std::iter::once(&*check.expr), target),
            TableConstraint::Index(index) => {
                self.layout(index.columns.iter().map(|column| &column.column.expr), target);
            }
            _ => {}
        }
    }

    pub(super) fn create_view(&mut self, view: &CreateView) {
        let Some(target) = self.relation(&view.name, None, RelationRole::Create) else { return };
        self.set_target(Some(target));
        let before = self.reading.columns.len();
        for column in &view.columns {
            self.defined(&column.name, target);
        }
        let columns = (before..self.reading.columns.len()).collect();
        if let Some(statement) = self.reading.statements.get_mut(self.statement) {
            statement.target_columns = columns;
        }
        self.root(&view.query);
        for column in &view.cluster_by {
            self.defined(column, target);
        }
        if let Some(to) = &view.to {
            self.relation(to, None, RelationRole::Insert);
        }
    }

    pub(super) fn drop(&mut self, object: ObjectType, names: &[ObjectName]) {
        if matches!(object, ObjectType::Table | ObjectType::View | ObjectType::MaterializedView) {
            for name in names {
                self.relation(name, None, RelationRole::Drop);
            }
        }
    }

    pub(super) fn create_index(&mut self, index: &CreateIndex) {
        let Some(target) = self.relation(&index.table_name, None, RelationRole::Mention) else { return };
        self.layout(index.columns.iter().map(|column| &column.column.expr).chain(&index.predicate), target);
        for column in &index.include {
            self.target_column(column, target, Role::Define);
        }
    }

    pub(super) fn alter_table(&mut self, alter: &AlterTable) {
        let Some(target) = self.relation(&alter.name, None, RelationRole::Alter) else { return };
        self.set_target(Some(target));
        for operation in &alter.operations {
            match operation {
                AlterTableOperation::AddConstraint { constraint, .. } => self.constraint(constraint, target),
                AlterTableOperation::AddColumn { column_def, .. } => self.defined(&column_def.name, target),
                AlterTableOperation::DropColumn { column_names, .. } => self.defined_all(column_names, target),
                AlterTableOperation::RenameColumn { old_column_name: old, new_column_name: new }
                | AlterTableOperation::ChangeColumn { old_name: old, new_name: new, .. } => {
                    self.defined_all([old, new], target);
                }
                AlterTableOperation::ModifyColumn { col_name, .. } => self.defined(col_name, target),
                AlterTableOperation::AlterColumn { column_name, .. } => self.defined(column_name, target),
                AlterTableOperation::SwapWith { table_name } => {
                    self.relation(table_name, None, RelationRole::Alter);
                }
                AlterTableOperation::RenameTable {
                    table_name: RenameTableNameKind::As(name) | RenameTableNameKind::To(name),
                } => {
                    self.relation(name, None, RelationRole::Create);
                }
                _ => {}
            }
        }
    }

    fn defined_all<'i>(&mut self, idents: impl IntoIterator<Item = &'i Ident>, target: usize) {
        for ident in idents {
            self.defined(ident, target);
        }
    }

    /// A macro's body sees its parameters, and what is around wherever it is called: a name that is none of them is unknown.
    pub(super) fn create_macro(&mut self, args: Option<&[MacroArg]>, definition: &MacroDefinition) {
        let before = self.locals.len();
        self.locals.extend(args.into_iter().flatten().map(|arg| Box::from(arg.name.value.as_str())));
        match definition {
            MacroDefinition::Expr(body) => self.loose(body),
            MacroDefinition::Table(query) => self.root(query),
        }
        self.locals.truncate(before);
    }

    /// A function's body sees its parameters. A body that is a string is read with the script, where its language is SQL.
    pub(super) fn create_function(&mut self, function: &CreateFunction, depth: usize) {
        let before = self.locals.len();
        let names = function.args.iter().flatten().filter_map(|arg| arg.name.as_ref());
        self.locals.extend(names.map(|name| Box::from(name.value.as_str())));
        match &function.function_body {
            Some(CreateFunctionBody::AsBeforeOptions { body, .. } | CreateFunctionBody::AsAfterOptions(body))
                if !matches!(body, Expr::Value(_)) =>
            {
                self.loose(body);
            }
            Some(CreateFunctionBody::Return(body) | CreateFunctionBody::AsReturnExpr(body)) => self.loose(body),
            Some(CreateFunctionBody::AsReturnSelect(select)) => {
                let body = Box::new(SetExpr::Select(Box::new(select.clone())));
                self.root(&query_of(body));
            }
            Some(CreateFunctionBody::AsBeginEnd(block)) => {
                self.conditional(&ConditionalStatements::BeginEnd(block.clone()), depth);
            }
            _ => {}
        }
        self.locals.truncate(before);
    }
}

fn query_of(body: Box<SetExpr>) -> Query {
    Query {
        with: None,
        body,
        order_by: None,
        limit_clause: None,
        fetch: None,
        locks: Vec::new(),
        for_clause: None,
        settings: None,
        format_clause: None,
        pipe_operators: Vec::new(),
    }
}
