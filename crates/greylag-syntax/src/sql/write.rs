//! Statements that change rows: `insert`, `update`, `delete`, `merge`.

use sqlparser::ast::{
    Assignment, AssignmentTarget, ConflictTarget, Delete, Expr, FromTable, Insert, Merge, MergeAction, MergeInsertKind,
    ObjectName, OnConflictAction, OnInsert, SelectItem, TableFactor, TableObject, Update, UpdateTableFromKind,
};

use super::expr::Reach;
use super::reading::{Feed, Name, Origin, Output, OutputKind, Place, QueryKind, Quoting, RelationRole, Role, Whole};
use super::scope::{Aliases, Rows, Scope, Source};
use super::walk::{Said, Walker};

const VALUE: Reach = Reach {
    role: Role::Assign,
    aliases: Aliases::Hidden,
    place: Place { bare: None, cast: false, field: false, aggregate: false, condition: false, computed: false },
};

impl Walker<'_> {
    pub(super) fn insert(&mut self, insert: &Insert) {
        let TableObject::TableName(name) = &insert.table else {
            let range = self.reading.statements.get(self.statement).map_or(0..0, |statement| statement.range.clone());
            return self.unknown(range, "rows are inserted into a function".to_owned());
        };
        let alias = insert.table_alias.as_ref().and_then(|alias| self.name(alias));
        let Some(target) = self.relation(name, alias.clone(), RelationRole::Insert) else { return };
        self.set_target(Some(target));
        let columns: Vec<usize> = insert
            .columns
            .iter()
            .chain(&insert.after_columns)
            .filter_map(|column| self.target_column(column, target, Role::InsertTarget))
            .collect();
        if let Some(statement) = self.reading.statements.get_mut(self.statement) {
            statement.target_columns = columns;
        }
        if let Some(query) = &insert.source {
            self.root(query);
        }
        let mut scope = self.scope_of(target, alias);
        for partition in insert.partitioned.iter().flatten() {
            self.expr(partition, &scope, Reach::new(Role::InsertTarget, Aliases::Hidden));
        }
        self.assignments(&insert.assignments, target, &scope);
        if let Some(on) = &insert.on {
            self.on_insert(on, target, &mut scope);
        }
        self.returning(insert.returning.as_deref(), &mut scope);
    }

    fn scope_of(&mut self, target: usize, alias: Option<Name>) -> Scope<'static> {
        let block = self.push_block(QueryKind::Assignment, None, 0..0);
        let mut scope = Scope::inside(None, block);
        let parts = self.reading.relations.get(target).map(|relation| relation.parts.clone()).unwrap_or_default();
        let names = alias.map_or(parts, |alias| vec![alias]);
        scope.sources.push(Source { names, renamed: true, own: Vec::new(), rows: Rows::Relation(target) });
        scope
    }

    fn on_insert(&mut self, on: &OnInsert, target: usize, scope: &mut Scope<'static>) {
        let assignments = match on {
            OnInsert::DuplicateKeyUpdate(assignments) => return self.assignments(assignments, target, scope),
            OnInsert::OnConflict(conflict) => {
                if let Some(ConflictTarget::Columns(columns)) = &conflict.conflict_target {
                    for column in columns {
                        self.target_column(column, target, Role::MergeKey);
                    }
                }
                match &conflict.action {
                    OnConflictAction::DoUpdate(update) => update,
                    OnConflictAction::DoNothing => return,
                }
            }
            _ => return,
        };
        // The row that could not be inserted has the target's columns; without a qualifier the target's row is meant.
        let excluded = Name { range: 0..0, text: "excluded".into(), quoting: Quoting::None };
        let block = self.push_block(QueryKind::Assignment, None, 0..0);
        let mut outer = Scope::inside(None, block);
        outer.sources.push(Source {
            names: vec![excluded],
            renamed: true,
            own: Vec::new(),
            rows: Rows::Relation(target),
        });
        let mut inner = Scope::inside(Some(&outer), scope.block);
        inner.sources.clone_from(&scope.sources);
        self.assignments(&assignments.assignments, target, &inner);
        self.each(&assignments.selection, &inner, Reach::new(Role::Filter, Aliases::Hidden));
    }

    /// `set a = …`: each target column is an output that is made of the expression.
    fn assignments(&mut self, assignments: &[Assignment], target: usize, scope: &Scope<'_>) {
        if assignments.is_empty() {
            return;
        }
        let block = scope.block;
        let around = self.block.replace(block);
        let mut outputs = Vec::with_capacity(assignments.len());
        for assignment in assignments {
            let names: Vec<&ObjectName> = match &assignment.target {
                AssignmentTarget::ColumnName(name) => vec![name],
                AssignmentTarget::Tuple(names) => names.iter().collect(),
            };
            let written: Vec<Option<Name>> = names.into_iter().map(|name| self.assigned(name, target, scope)).collect();
            let made = self.made_value(&assignment.value, scope, block);
            for name in written.into_iter().flatten() {
                outputs.push(Output {
                    name: Some(name.text),
                    quoted: name.quoting != Quoting::None,
                    range: name.range,
                    ..made.clone()
                });
            }
        }
        if let Some(query) = self.reading.queries.get_mut(block) {
            query.outputs.extend(outputs);
        }
        self.block = around;
        if let Some(statement) = self.reading.statements.get_mut(self.statement) {
            statement.assignments.push(block);
        }
    }

    fn made_value(&mut self, value: &Expr, scope: &Scope<'_>, block: usize) -> Output {
        let (before, scalars, around) =
            (self.reading.columns.len(), self.scalars.len(), std::mem::take(&mut self.aggregated));
        self.expr(value, scope, VALUE);
        let feeds = self.feeds_since(before, scalars, Some(block));
        let plain = matches!(value, Expr::Identifier(_) | Expr::CompoundIdentifier(_)) && feeds.len() == 1;
        let kind = if plain { OutputKind::Copy } else { OutputKind::Transformation };
        self.aggregated = around;
        Output { name: None, quoted: false, range: 0..0, alias: None, kind, feeds }
    }

    /// The column that an assignment names: qualified by the target, or with a field after it.
    fn assigned(&mut self, name: &ObjectName, target: usize, scope: &Scope<'_>) -> Option<Name> {
        let (names, _) = self.path(name)?;
        let is_target = |source: &Source| source.rows == Rows::Relation(target);
        let length = (1..names.len()).rev().find(|length| {
            names.get(..*length).is_some_and(|qualifier| {
                scope.sources.iter().any(|source| is_target(source) && self.is_named(source, qualifier))
            })
        });
        let column = length.unwrap_or(0);
        let resolution = self.of_target(target, names.get(column)?.written());
        self.push_column(&names, column, resolution, Said { role: Role::UpdateTarget, place: Place::default() });
        names.into_iter().nth(column)
    }

    fn returning(&mut self, items: Option<&[SelectItem]>, scope: &mut Scope<'_>) {
        let Some(items) = items else { return };
        let block = self.push_block(QueryKind::Select, None, 0..0);
        let around = self.block.replace(block);
        let mut inner = Scope::inside(scope.parent, block);
        inner.sources.clone_from(&scope.sources);
        let mut outputs = Vec::new();
        for item in items {
            self.item(item, None, &mut inner, block, &mut outputs);
        }
        self.set_outputs(block, outputs);
        self.block = around;
    }

    /// The target of an update or merge: put into scope first. It may be a view or a table, never rows of a query.
    fn target_of(&mut self, factor: &TableFactor, scope: &mut Scope<'_>, role: RelationRole) -> Option<usize> {
        self.factor(factor, scope, role);
        let target = scope.sources.last().and_then(|source| match source.rows {
            Rows::Relation(relation) => Some(relation),
            Rows::Block(_) => None,
        });
        self.set_target(target);
        target
    }

    pub(super) fn update(&mut self, update: &Update) {
        let block = self.push_block(QueryKind::Assignment, None, 0..0);
        let around = self.block.replace(block);
        let mut scope = Scope::inside(None, block);
        let target = self.target_of(&update.table.relation, &mut scope, RelationRole::Update);
        for join in &update.table.joins {
            self.join(join, &mut scope);
        }
        if let Some(UpdateTableFromKind::BeforeSet(tables) | UpdateTableFromKind::AfterSet(tables)) = &update.from {
            for table in tables {
                self.table(table, &mut scope);
            }
        }
        if let Some(target) = target {
            self.assignments(&update.assignments, target, &scope);
        }
        self.each(&update.selection, &scope, Reach::new(Role::Filter, Aliases::Hidden));
        self.returning(update.returning.as_deref(), &mut scope);
        self.block = around;
    }

    pub(super) fn delete(&mut self, delete: &Delete) {
        let block = self.push_block(QueryKind::Assignment, None, 0..0);
        let around = self.block.replace(block);
        let mut scope = Scope::inside(None, block);
        let (FromTable::WithFromKeyword(tables) | FromTable::WithoutKeyword(tables)) = &delete.from;
        for table in tables {
            let target = self.target_of(&table.relation, &mut scope, RelationRole::Delete);
            self.set_target(target);
            for join in &table.joins {
                self.join(join, &mut scope);
            }
        }
        for table in delete.using.iter().flatten() {
            self.table(table, &mut scope);
        }
        self.each(&delete.selection, &scope, Reach::new(Role::Filter, Aliases::Hidden));
        self.order(&delete.order_by, &scope, Reach::new(Role::Order, Aliases::Hidden));
        self.returning(delete.returning.as_deref(), &mut scope);
        self.block = around;
    }

    pub(super) fn merge(&mut self, merge: &Merge) {
        let block = self.push_block(QueryKind::Assignment, None, 0..0);
        let around = self.block.replace(block);
        let mut scope = Scope::inside(None, block);
        let target = self.target_of(&merge.table, &mut scope, RelationRole::Merge);
        self.factor(&merge.source, &mut scope, RelationRole::Read);
        self.expr(&merge.on, &scope, Reach::new(Role::MergeKey, Aliases::Hidden));
        let source = scope.sources.iter().skip(1).cloned().collect::<Vec<_>>();
        for clause in &merge.clauses {
            self.each(&clause.predicate, &scope, Reach::new(Role::Filter, Aliases::Hidden));
            let branch = self.push_block(QueryKind::Assignment, Some(block), 0..0);
            let mut inner = Scope::inside(None, branch);
            inner.sources.clone_from(&scope.sources);
            if matches!(clause.action, MergeAction::Insert(_)) {
                // No row of the target is there yet: only the source can supply a value.
                inner.sources.clone_from(&source);
            }
            if let Some(target) = target {
                self.merge_action(&clause.action, target, &inner);
            }
        }
        if let Some(target) = target.filter(|_| self.marks.all) {
            self.merge_all(target, block, source);
        }
        self.block = around;
    }

    /// `update set *`, `insert *`: all columns of the source go to those of the target that are called the same.
    fn merge_all(&mut self, target: usize, block: usize, sources: Vec<Source>) {
        let branch = self.push_block(QueryKind::Assignment, Some(block), 0..0);
        let mut scope = Scope::inside(None, branch);
        scope.sources = sources;
        let mut outputs = Vec::new();
        self.everything(&scope, None, branch, &(0..0), &mut outputs);
        let feeds = outputs.iter().flat_map(|output| &output.feeds);
        let of_source = feeds.filter_map(|feed| match feed {
            Feed::Column(origin, _) | Feed::All(origin) => Some(*origin),
            Feed::Use(_) => None,
        });
        let mut from = vec![Origin::Relation(target)];
        for origin in of_source {
            if !from.contains(&origin) {
                from.push(origin);
            }
        }
        self.set_outputs(branch, outputs);
        let (bare, spelled, statement) = (Vec::new(), Vec::new(), self.statement);
        self.reading.wholes.push(Whole { from, bare, spelled, query: branch, statement });
        if let Some(statement) = self.reading.statements.get_mut(self.statement) {
            statement.assignments.push(branch);
        }
    }

    fn merge_action(&mut self, action: &MergeAction, target: usize, scope: &Scope<'_>) {
        match action {
            MergeAction::Delete { .. } => {}
            MergeAction::Update(update) => {
                self.assignments(&update.assignments, target, scope);
                let predicates = update.update_predicate.iter().chain(&update.delete_predicate);
                self.each(predicates, scope, Reach::new(Role::Filter, Aliases::Hidden));
            }
            MergeAction::Insert(insert) => {
                let names: Vec<Option<Name>> = insert.columns.iter().map(|name| self.inserted(name, target)).collect();
                let around = self.block.replace(scope.block);
                let mut outputs = Vec::new();
                if let MergeInsertKind::Values(values) = &insert.kind {
                    for row in &values.rows {
                        self.inserted_row(row, &names, scope, &mut outputs);
                    }
                } else {
                    // `insert row` takes all that the source has.
                    self.everything(scope, None, scope.block, &(0..0), &mut outputs);
                }
                self.each(&insert.insert_predicate, scope, Reach::new(Role::Filter, Aliases::Hidden));
                self.set_outputs(scope.block, outputs);
                self.block = around;
                if let Some(statement) = self.reading.statements.get_mut(self.statement) {
                    statement.assignments.push(scope.block);
                }
            }
        }
    }

    fn inserted(&mut self, name: &ObjectName, target: usize) -> Option<Name> {
        let (names, _) = self.path(name)?;
        let column = names.len().checked_sub(1)?;
        let resolution = self.of_target(target, names.get(column)?.written());
        self.push_column(&names, column, resolution, Said { role: Role::InsertTarget, place: Place::default() });
        names.into_iter().nth(column)
    }

    fn inserted_row(&mut self, row: &[Expr], names: &[Option<Name>], scope: &Scope<'_>, outputs: &mut Vec<Output>) {
        for (at, value) in row.iter().enumerate() {
            // `insert row` is read as a value of that name by some dialects.
            let mut output = self.made_value(value, scope, scope.block);
            if let Some(Some(name)) = names.get(at) {
                output.name = Some(name.text.clone());
                output.quoted = name.quoting != Quoting::None;
                output.range = name.range.clone();
            }
            outputs.push(output);
        }
    }
}
