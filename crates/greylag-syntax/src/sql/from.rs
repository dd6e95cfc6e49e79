//! What stands in `from`: relations, subqueries, arrays, functions, and how they are joined.

use sqlparser::ast::{
    Expr, Function, FunctionArg, FunctionArguments, Ident, Join, JoinConstraint, JoinOperator, LateralView, ObjectName,
    Query, TableAlias, TableFactor, TableWithJoins,
};

use super::dialect::Dialect;
use super::expr::Reach;
use super::reading::{Confidence, Feed, Name, Origin, Output, OutputKind, Place, QueryKind, RelationRole, Role, Why};
use super::scope::{Aliases, Merged, Rows, Scope, Source};
use super::walk::{Resolution, Said, Walker, named, open};

pub(super) const ARGUMENT: Reach = Reach {
    role: Role::From,
    aliases: Aliases::Hidden,
    place: Place { bare: None, cast: false, field: false, aggregate: false, condition: false, computed: true },
};

impl Walker<'_> {
    /// One relation and what is joined to it.
    pub(super) fn table(&mut self, table: &TableWithJoins, scope: &mut Scope<'_>) {
        self.factor(&table.relation, scope, RelationRole::Read);
        for join in &table.joins {
            self.join(join, scope);
        }
    }

    pub(super) fn join(&mut self, join: &Join, scope: &mut Scope<'_>) {
        let before = scope.sources.len();
        self.factor(&join.relation, scope, RelationRole::Read);
        let reach = Reach::new(Role::Join, Aliases::Hidden);
        let constraint = match &join.join_operator {
            JoinOperator::Join(constraint)
            | JoinOperator::Inner(constraint)
            | JoinOperator::Left(constraint)
            | JoinOperator::LeftOuter(constraint)
            | JoinOperator::Right(constraint)
            | JoinOperator::RightOuter(constraint)
            | JoinOperator::FullOuter(constraint)
            | JoinOperator::CrossJoin(constraint)
            | JoinOperator::Semi(constraint)
            | JoinOperator::LeftSemi(constraint)
            | JoinOperator::RightSemi(constraint)
            | JoinOperator::Anti(constraint)
            | JoinOperator::LeftAnti(constraint)
            | JoinOperator::RightAnti(constraint)
            | JoinOperator::StraightJoin(constraint) => constraint,
            JoinOperator::AsOf { match_condition, constraint } => {
                self.expr(match_condition, scope, reach);
                constraint
            }
            JoinOperator::CrossApply | JoinOperator::OuterApply => return,
        };
        match constraint {
            JoinConstraint::On(condition) => self.expr(condition, scope, reach),
            JoinConstraint::Using(columns) => self.using(columns, scope, before),
            JoinConstraint::Natural => scope.natural = true,
            JoinConstraint::None => {}
        }
    }

    /// `using (a, b)`: each name is the column of both sides. In a valid statement exactly one source of each side has it.
    fn using(&mut self, columns: &[ObjectName], scope: &mut Scope<'_>, before: usize) {
        for column in columns {
            let Some(ident) = column.0.last().and_then(|part| part.as_ident()) else { continue };
            let (Some(index), Some(name)) = (self.token_of(ident), self.name(ident)) else { continue };
            let (left, right) = scope.sources.split_at(before);
            let merged = scope.merged.iter().find(|merged| self.dialect.same(merged.name.written(), name.written()));
            let (mut from, one) = match merged {
                Some(merged) => (merged.from.clone(), merged.confidence),
                None => self.side(left, &name),
            };
            let (other, two) = self.side(right, &name);
            from.extend(other);
            let confidence = one.min(two);
            let using = self.group_around(index);
            let resolution = Resolution::new(from.clone(), confidence, Why::Merged);
            let use_ = self.push_column(
                std::slice::from_ref(&name),
                0,
                resolution,
                Said { role: Role::Using, place: Place::default() },
            );
            if let Some(use_) = use_.and_then(|at| self.reading.columns.get_mut(at)) {
                use_.using = using;
            }
            scope.merged.retain(|merged| !self.dialect.same(merged.name.written(), name.written()));
            scope.merged.push(Merged { name, from, confidence });
        }
    }

    fn side(&self, sources: &[Source], name: &Name) -> (Vec<Origin>, Confidence) {
        let (mut sure, mut maybe) = (Vec::new(), Vec::new());
        for source in sources {
            let (origins, known) = self.find(source.rows, name.written());
            if known { sure.extend(origins) } else { maybe.extend(origins) }
        }
        match (sure.len(), maybe.len()) {
            (1, 0) | (0, 1) => (if sure.is_empty() { maybe } else { sure }, Confidence::Certain),
            (1, _) => (sure, Confidence::Likely),
            (0, _) => (maybe, Confidence::Unknown),
            _ => (sure, Confidence::Unknown),
        }
    }

    /// The group in parentheses around a token.
    fn group_around(&self, index: usize) -> Option<std::ops::Range<usize>> {
        let open = (0..index).rev().find(|at| self.tokens.get(*at).is_some_and(|token| token.mark(b'(')))?;
        let end = self.after_group(open);
        Some(self.span(open, end))
    }

    /// One thing that stands in `from`.
    pub(super) fn factor(&mut self, factor: &TableFactor, scope: &mut Scope<'_>, role: RelationRole) {
        match factor {
            TableFactor::Table { name, alias, args: None, with_hints, version: _, json_path: _, .. } => {
                self.each(with_hints, scope, ARGUMENT);
                if self.is_array(name) {
                    return self.joined_array(name, alias.as_ref(), scope);
                }
                self.named_table(name, alias.as_ref(), scope, role);
            }
            TableFactor::Table { name, alias, args: Some(args), .. } => {
                self.table_function(name, &args.args, alias.as_ref(), scope);
            }
            TableFactor::Function { name, args, alias, .. } => self.table_function(name, args, alias.as_ref(), scope),
            TableFactor::Derived { lateral, subquery, alias, .. } => {
                self.derived(*lateral, subquery, alias.as_ref(), scope);
            }
            TableFactor::TableFunction { expr, alias } => self.rows_of([expr], alias.as_ref(), None, scope),
            TableFactor::UNNEST { alias, array_exprs, with_offset, with_offset_alias, .. } => {
                let offset = with_offset.then(|| self.offset(with_offset_alias.as_ref()));
                self.rows_of(array_exprs, alias.as_ref(), offset, scope);
            }
            TableFactor::NestedJoin { table_with_joins, .. } => self.table(table_with_joins, scope),
            TableFactor::Pivot { .. } | TableFactor::Unpivot { .. } | TableFactor::MatchRecognize { .. } => {
                self.whole(factor, scope, role);
            }
            TableFactor::JsonTable { json_expr, alias, .. } | TableFactor::OpenJsonTable { json_expr, alias, .. } => {
                self.rows_of([json_expr], alias.as_ref(), None, scope);
            }
            TableFactor::XmlTable { row_expression, passing, alias, .. } => {
                let arguments =
                    std::iter::once(row_expression).chain(passing.arguments.iter().map(|argument| &argument.expr));
                self.rows_of(arguments, alias.as_ref(), None, scope);
            }
            TableFactor::SemanticView { name, alias, .. } => self.named_table(name, alias.as_ref(), scope, role),
        }
    }

    fn named_table(
        &mut self,
        name: &ObjectName,
        alias: Option<&TableAlias>,
        scope: &mut Scope<'_>,
        role: RelationRole,
    ) {
        if let [part] = name.0.as_slice() {
            match part.as_ident() {
                None => return self.computed_name(name, alias, scope),
                Some(ident) => {
                    if let Some(block) = self.cte_of(ident) {
                        return self.cte_source(ident, block, alias, scope);
                    }
                }
            }
        }
        let Some((parts, range)) = self.path(name) else { return };
        if self.is_array_path(&parts, scope) {
            return self.array_path(&parts, alias, scope);
        }
        let alias_name = alias.and_then(|alias| self.name(&alias.name));
        let names = alias_name.clone().map_or_else(|| parts.clone(), |alias| vec![alias]);
        let renamed = alias_name.is_some();
        let own = if renamed && self.dialect.keeps_own_names() { parts.clone() } else { Vec::new() };
        let relation = self.push_relation(parts, range, alias_name, role, Confidence::Certain);
        let rows = self.renamed(Rows::Relation(relation), alias);
        scope.sources.push(Source { names, renamed, own, rows });
    }

    /// `identifier(x)`, `table(x)`: which relation it is is only known when it runs.
    fn computed_name(&mut self, name: &ObjectName, alias: Option<&TableAlias>, scope: &mut Scope<'_>) {
        let range = self.reading.statements.get(self.statement).map_or(0..0, |statement| statement.range.clone());
        self.unknown(range, format!("the relation `{name}` is computed"));
        let block = self.push_block(QueryKind::Function, self.block, 0..0);
        self.set_outputs(block, vec![open(Vec::new(), 0..0)]);
        let names = alias.and_then(|alias| self.name(&alias.name)).into_iter().collect();
        scope.sources.push(Source { names, renamed: true, own: Vec::new(), rows: Rows::Block(block) });
    }

    fn cte_of(&self, ident: &Ident) -> Option<usize> {
        let spelled = self.spelled(ident);
        let name = spelled.as_ref().map_or_else(|| super::walk::written(ident), Name::written);
        self.ctes.iter().rev().find(|cte| self.dialect.same(name, (&cte.name, cte.quoted))).map(|cte| cte.block)
    }

    fn cte_source(&mut self, ident: &Ident, block: usize, alias: Option<&TableAlias>, scope: &mut Scope<'_>) {
        let name = match alias {
            Some(alias) => self.name(&alias.name),
            None => self.name(ident),
        };
        let keeps = alias.is_some() && self.dialect.keeps_own_names();
        let own = keeps.then(|| self.name(ident)).flatten().into_iter().collect();
        let rows = self.renamed(Rows::Block(block), alias);
        scope.sources.push(Source { names: name.into_iter().collect(), renamed: alias.is_some(), own, rows });
    }

    /// A source whose columns an alias renames by position.
    pub(super) fn renamed(&mut self, rows: Rows, alias: Option<&TableAlias>) -> Rows {
        let Some(alias) = alias.filter(|alias| !alias.columns.is_empty()) else { return rows };
        let columns: Vec<(Origin, Box<str>)> = match rows {
            Rows::Relation(relation) => match self.known.get(relation).cloned().flatten() {
                Some(columns) => {
                    columns.iter().map(|column| (Origin::Relation(relation), column.as_str().into())).collect()
                }
                None => Vec::new(),
            },
            Rows::Block(query) => {
                let outputs = self.reading.queries.get(query).map(|block| block.outputs.as_slice()).unwrap_or_default();
                let closed = outputs.iter().take_while(|output| !output.is_open()).enumerate();
                closed
                    .map(|(output, column)| (Origin::Output { query, output }, column.name.clone().unwrap_or_default()))
                    .collect()
            }
        };
        let names: Vec<Name> = alias.columns.iter().filter_map(|column| self.name(&column.name)).collect();
        let range = names.first().zip(names.last()).map_or(0..0, |(first, last)| first.range.start..last.range.end);
        let block = self.push_block(QueryKind::Renamed, self.block, range.clone());
        let mut outputs = Vec::with_capacity(names.len().max(columns.len()));
        for (at, name) in names.iter().enumerate() {
            let feeds: Vec<Feed> =
                columns.get(at).map(|(origin, column)| Feed::Column(*origin, column.clone())).into_iter().collect();
            outputs.push(named(name, OutputKind::Copy, feeds));
        }
        for (origin, column) in columns.iter().skip(names.len()) {
            let feeds = vec![Feed::Column(*origin, column.clone())];
            outputs.push(Output {
                name: Some(column.clone()),
                quoted: false,
                range: 0..0,
                alias: None,
                kind: OutputKind::Copy,
                feeds,
            });
        }
        if columns.len() < names.len() {
            self.unknown(range, "columns are renamed by position, but those of the relation are not known".to_owned());
        }
        self.set_outputs(block, outputs);
        Rows::Block(block)
    }

    fn derived(&mut self, lateral: bool, query: &Query, alias: Option<&TableAlias>, scope: &mut Scope<'_>) {
        let block = self.push_block(QueryKind::Select, self.block, 0..0);
        let names = alias
            .map(|alias| alias.columns.iter().filter_map(|column| self.name(&column.name)).collect::<Vec<_>>())
            .unwrap_or_default();
        if !names.is_empty() {
            self.renames.push((block, names));
        }
        let outer = if lateral { Some(&*scope) } else { scope.parent };
        let scalars = self.scalars.len();
        self.query(query, outer, block);
        self.scalars.truncate(scalars);
        let name = alias.and_then(|alias| self.name(&alias.name));
        scope.sources.push(Source {
            names: name.into_iter().collect(),
            renamed: true,
            own: Vec::new(),
            rows: Rows::Block(block),
        });
    }

    /// Whether a path in `from` reaches into a column of a source before it, as arrays do in BigQuery.
    fn is_array_path(&self, parts: &[Name], scope: &Scope<'_>) -> bool {
        self.dialect == Dialect::BigQuery
            && parts.len() > 1
            && parts.iter().all(|part| part.quoting != super::reading::Quoting::Shared)
            && self.qualified(scope, parts).is_some_and(|(_, length)| length == 1)
    }

    /// Whether a path is that of an array which stands in the place of a relation.
    fn is_array(&self, name: &ObjectName) -> bool {
        let first = name.0.first().and_then(|part| part.as_ident());
        let token = first.and_then(|ident| self.token_of(ident)).and_then(|at| self.tokens.get(at));
        token.is_some_and(|token| self.marks.arrays.contains(&token.start))
    }

    /// `array join a as x`.
    fn joined_array(&mut self, array: &ObjectName, alias: Option<&TableAlias>, scope: &mut Scope<'_>) {
        let before = self.reading.columns.len();
        self.object_as_column(array, scope, ARGUMENT, false);
        let feeds = self.feeds_since(before, self.scalars.len(), self.block);
        let name = match alias {
            Some(alias) => self.name(&alias.name),
            None => array.0.last().and_then(|part| part.as_ident()).and_then(|ident| self.name(ident)),
        };
        self.push_rows(name, Vec::new(), None, feeds, scope);
    }

    fn array_path(&mut self, parts: &[Name], alias: Option<&TableAlias>, scope: &mut Scope<'_>) {
        let before = self.reading.columns.len();
        let resolution = self
            .qualified(scope, parts)
            .and_then(|(source, at)| Some(self.resolve_in(source, parts.get(at)?.written())));
        if let Some(resolution) = resolution {
            self.push_column(parts, 1, resolution, ARGUMENT.said());
        }
        let name = match alias {
            Some(alias) => self.name(&alias.name),
            None => parts.last().cloned(),
        };
        let feeds = self.feeds_since(before, self.scalars.len(), self.block);
        self.push_rows(name, Vec::new(), None, feeds, scope);
    }

    fn table_function(
        &mut self,
        name: &ObjectName,
        args: &[FunctionArg],
        alias: Option<&TableAlias>,
        scope: &mut Scope<'_>,
    ) {
        let before = self.reading.columns.len();
        let function = name.0.last().and_then(|part| part.as_ident());
        for argument in args {
            self.argument(argument, scope, ARGUMENT);
        }
        let feeds = self.feeds_since(before, self.scalars.len(), self.block);
        let (alias, columns) = match alias {
            Some(alias) => {
                (self.name(&alias.name), alias.columns.iter().filter_map(|column| self.name(&column.name)).collect())
            }
            None => (function.and_then(|ident| self.name(ident)), Vec::new()),
        };
        self.push_rows(alias, columns, None, feeds, scope);
    }

    /// Rows that expressions make: `unnest (…)`, `table (…)`.
    fn rows_of<'e>(
        &mut self,
        exprs: impl IntoIterator<Item = &'e Expr>,
        alias: Option<&TableAlias>,
        offset: Option<Output>,
        scope: &mut Scope<'_>,
    ) {
        let (before, scalars) = (self.reading.columns.len(), self.scalars.len());
        self.each(exprs, scope, ARGUMENT);
        let feeds = self.feeds_since(before, scalars, self.block);
        let columns = alias
            .map(|alias| alias.columns.iter().filter_map(|column| self.name(&column.name)).collect())
            .unwrap_or_default();
        let name = alias.and_then(|alias| self.name(&alias.name));
        self.push_rows(name, columns, offset, feeds, scope);
    }

    /// The output that counts the elements of an array.
    fn offset(&mut self, alias: Option<&Ident>) -> Output {
        let named =
            alias.and_then(|ident| self.name(ident)).map(|name| named(&name, OutputKind::Transformation, Vec::new()));
        let implicit = open(Vec::new(), 0..0);
        named.unwrap_or_else(|| Output { name: Some("offset".into()), kind: OutputKind::Transformation, ..implicit })
    }

    /// A source of made rows. Without a list of columns, any name may be one of them, and the alias names the element itself.
    fn push_rows(
        &mut self,
        name: Option<Name>,
        columns: Vec<Name>,
        offset: Option<Output>,
        feeds: Vec<Feed>,
        scope: &mut Scope<'_>,
    ) {
        let range = name.as_ref().map_or(0..0, |name| name.range.clone());
        let block = self.push_block(QueryKind::Function, self.block, range.clone());
        let mut outputs: Vec<Output> =
            columns.iter().map(|column| named(column, OutputKind::Transformation, feeds.clone())).collect();
        if outputs.is_empty() {
            outputs.extend(name.as_ref().map(|name| named(name, OutputKind::Transformation, feeds.clone())));
            outputs.push(open(feeds, range));
        }
        outputs.extend(offset);
        self.set_outputs(block, outputs);
        scope.sources.push(Source {
            names: name.into_iter().collect(),
            renamed: true,
            own: Vec::new(),
            rows: Rows::Block(block),
        });
    }

    /// `lateral view explode (x) t as a, b`.
    pub(super) fn lateral_view(&mut self, view: &LateralView, scope: &mut Scope<'_>) {
        let (before, scalars) = (self.reading.columns.len(), self.scalars.len());
        match &view.lateral_view {
            Expr::Function(Function { args: FunctionArguments::List(list), .. }) => {
                for argument in &list.args {
                    self.argument(argument, scope, ARGUMENT);
                }
            }
            other => self.expr(other, scope, ARGUMENT),
        }
        let feeds = self.feeds_since(before, scalars, self.block);
        let name = view.lateral_view_name.0.first().and_then(|part| part.as_ident()).and_then(|ident| self.name(ident));
        let columns = view.lateral_col_alias.iter().filter_map(|ident| self.name(ident)).collect();
        self.push_rows(name, columns, None, feeds, scope);
    }
}
