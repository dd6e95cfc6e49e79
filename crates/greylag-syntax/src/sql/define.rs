//! Statements that define relations: `create`, `alter`, `drop`.

use sqlparser::ast::{
    AlterTable, AlterTableOperation, ColumnOption, ConditionalStatements, CreateFunction, CreateFunctionBody,
    CreateIndex, CreateTable, CreateTableLikeKind, CreateView, Expr, Ident, MacroArg, MacroDefinition, ObjectName,
    ObjectType, OneOrManyWithParens, Query, RenameTableNameKind, SetExpr, TableConstraint, WrappedCollection,
};

use super::expr::Reach;
use super::reading::{Confidence, Place, QueryKind, RelationRole, Role, Why};
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
    }

    /// Expressions over the columns of the very relation that is defined: how it is partitioned, sorted, constrained.
    fn layout<'e>(&mut self, exprs: impl Iterator<Item = &'e Expr>, target: usize) {
        let block = self.push_block(QueryKind::Assignment, None, 0..0);
        let mut scope = Scope::inside(None, block);
        scope.sources.push(Source { names: Vec::new(), rows: Rows::Relation(target) });
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
