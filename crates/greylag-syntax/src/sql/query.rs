//! Queries: common table expressions, set operations, and what sorts and bounds them.

use sqlparser::ast::{
    Cte, Expr, LimitClause, OrderBy, OrderByKind, Query, SetExpr, SetOperator, SetQuantifier, Values, With,
};

use super::dialect::Dialect;
use super::expr::Reach;
use super::reading::{Feed, Name, Origin, Output, OutputKind, QueryKind, Role};
use super::scope::{Aliases, Rows, Scope, Source};
use super::walk::{self, Walker, open};

impl Walker<'_> {
    /// Walks a query whose outputs become those of `block`.
    pub(super) fn query(&mut self, query: &Query, outer: Option<&Scope<'_>>, block: usize) {
        let (ctes, around) = (self.ctes.len(), self.block.replace(block));
        if let Some(with) = &query.with {
            self.with(with, outer, block);
        }
        match &*query.body {
            SetExpr::Select(select) => self.select(select, Some(query), outer, block),
            body => {
                self.body(body, outer, block);
                self.tail(query, outer, block);
            }
        }
        if !query.pipe_operators.is_empty() {
            self.pipes(&query.pipe_operators, outer, block);
        }
        self.ctes.truncate(ctes);
        self.block = around;
    }

    fn with(&mut self, with: &With, outer: Option<&Scope<'_>>, block: usize) {
        for cte in &with.cte_tables {
            self.cte(cte, with.recursive, outer, block);
        }
    }

    /// A common table expression sees itself only if it is recursive; else its own name means what it meant before.
    fn cte(&mut self, cte: &Cte, recursive: bool, outer: Option<&Scope<'_>>, parent: usize) {
        let block = self.push_block(QueryKind::Select, Some(parent), 0..0);
        let name = self.name(&cte.alias.name);
        if let Some(query) = self.reading.queries.get_mut(block) {
            query.name = name;
        }
        let names: Vec<Name> = cte.alias.columns.iter().filter_map(|column| self.name(&column.name)).collect();
        if !names.is_empty() {
            self.renames.push((block, names));
        }
        let is_union = matches!(&*cte.query.body, SetExpr::SetOperation { .. });
        let sees_itself = is_union && (recursive || self.dialect == Dialect::Snowflake);
        let bound = walk::Cte {
            name: self.spelled(&cte.alias.name).map_or_else(|| cte.alias.name.value.as_str().into(), |name| name.text),
            quoted: cte.alias.name.quote_style.is_some(),
            block,
        };
        if sees_itself {
            self.ctes.push(bound);
            self.query(&cte.query, outer, block);
        } else {
            self.query(&cte.query, outer, block);
            self.ctes.push(bound);
        }
    }

    /// The body of a query that is no plain `select`.
    pub(super) fn body(&mut self, body: &SetExpr, outer: Option<&Scope<'_>>, block: usize) {
        match body {
            SetExpr::Select(select) => self.select(select, None, outer, block),
            SetExpr::Query(query) => self.query(query, outer, block),
            SetExpr::SetOperation { .. } => self.set_operation(body, outer, block),
            SetExpr::Values(values) => self.values(values, outer, block),
            SetExpr::Insert(statement)
            | SetExpr::Update(statement)
            | SetExpr::Delete(statement)
            | SetExpr::Merge(statement) => {
                self.nested_statement(statement, block);
            }
            SetExpr::Table(table) => self.table_command(table, block),
        }
    }

    /// Arms of set operations lean to the left as far as there are arms, so they are walked in a loop.
    fn set_operation(&mut self, body: &SetExpr, outer: Option<&Scope<'_>>, block: usize) {
        let (mut left, mut rights, mut by_name) = (body, Vec::new(), false);
        while let SetExpr::SetOperation { left: next, right, set_quantifier, op } = left {
            by_name |= matches!(
                set_quantifier,
                SetQuantifier::ByName | SetQuantifier::AllByName | SetQuantifier::DistinctByName
            );
            rights.push((&**right, op));
            left = next;
        }
        if let Some(query) = self.reading.queries.get_mut(block) {
            query.kind = QueryKind::SetOperation;
        }
        let mut arms = vec![self.arm(left, outer, block)];
        // A recursive arm sees the columns of the first.
        let outputs = self.combined(&arms, false);
        self.set_outputs(block, outputs);
        for (right, op) in rights.into_iter().rev() {
            let arm = self.arm(right, outer, block);
            // What is taken away gives no value.
            if !matches!(op, SetOperator::Except | SetOperator::Minus) {
                arms.push(arm);
            }
        }
        let outputs = self.combined(&arms, by_name);
        self.set_outputs(block, outputs);
    }

    fn arm(&mut self, body: &SetExpr, outer: Option<&Scope<'_>>, parent: usize) -> usize {
        let arm = self.push_block(QueryKind::Select, Some(parent), 0..0);
        let around = self.block.replace(arm);
        self.body(body, outer, arm);
        self.block = around;
        arm
    }

    /// The outputs of a set operation: by position where all arms are closed, else by name as far as there are names.
    fn combined(&self, arms: &[usize], by_name: bool) -> Vec<Output> {
        let outputs =
            |arm: &usize| self.reading.queries.get(*arm).map(|query| query.outputs.as_slice()).unwrap_or_default();
        let Some(first) = arms.first() else { return Vec::new() };
        let closed = arms.iter().all(|arm| outputs(arm).iter().all(|output| !output.is_open()));
        let mut combined = Vec::new();
        for (at, output) in outputs(first).iter().enumerate().filter(|(_, output)| !output.is_open()) {
            let mut feeds = Vec::with_capacity(arms.len());
            for &query in arms {
                let found = match (closed && !by_name, output.written()) {
                    (true, _) => Some(at),
                    (false, Some(name)) => outputs(&query)
                        .iter()
                        .position(|other| other.written().is_some_and(|other| self.dialect.same(name, other))),
                    (false, None) => (query == *first).then_some(at),
                };
                if let Some((output, column)) = found.and_then(|at| outputs(&query).get(at).map(|column| (at, column)))
                {
                    feeds.push(Feed::Column(Origin::Output { query, output }, column.name.clone().unwrap_or_default()));
                }
            }
            combined.push(Output { kind: OutputKind::Copy, feeds, ..output.clone() });
        }
        if by_name {
            self.paired(arms, &mut combined);
        }
        if !closed {
            let mut feeds = Vec::new();
            for &query in arms {
                let opens = outputs(&query).iter().enumerate().filter(|(_, output)| output.is_open());
                feeds.extend(opens.map(|(output, _)| Feed::All(Origin::Output { query, output })));
            }
            let range =
                outputs(first).iter().find(|output| output.is_open()).map_or(0..0, |output| output.range.clone());
            combined.push(open(feeds, range));
        }
        combined
    }

    /// Columns that arms paired by name have and those before them have not.
    fn paired(&self, arms: &[usize], combined: &mut Vec<Output>) {
        for &query in arms.iter().skip(1) {
            let outputs = self.reading.queries.get(query).map(|query| query.outputs.as_slice()).unwrap_or_default();
            for (output, column) in outputs.iter().enumerate().filter(|(_, column)| !column.is_open()) {
                let Some(name) = column.written() else { continue };
                let feed = Feed::Column(Origin::Output { query, output }, name.0.into());
                let is_same = |other: &&mut Output| other.written().is_some_and(|other| self.dialect.same(name, other));
                match combined.iter_mut().find(is_same) {
                    Some(same) if !same.feeds.contains(&feed) => same.feeds.push(feed),
                    Some(_) => {}
                    None => {
                        let (kind, feeds) = (OutputKind::Copy, vec![feed]);
                        combined.push(Output { kind, feeds, ..column.clone() });
                    }
                }
            }
        }
    }

    fn values(&mut self, values: &Values, outer: Option<&Scope<'_>>, block: usize) {
        let scope = Scope::inside(outer, block);
        let mut outputs: Vec<Output> = Vec::new();
        for row in &values.rows {
            for (at, expr) in row.iter().enumerate() {
                let (before, scalars) = (self.reading.columns.len(), self.scalars.len());
                self.expr(expr, &scope, Reach::new(Role::Select, Aliases::Hidden));
                let feeds = self.feeds_since(before, scalars, Some(block));
                if at >= outputs.len() {
                    let output = open(Vec::new(), 0..0);
                    outputs.push(Output { kind: OutputKind::Transformation, ..output });
                }
                if let Some(output) = outputs.get_mut(at) {
                    output.feeds.extend(feeds);
                }
            }
        }
        if let Some(query) = self.reading.queries.get_mut(block) {
            query.kind = QueryKind::Values;
        }
        self.set_outputs(block, outputs);
    }

    /// What sorts and bounds a set operation sees its outputs alone.
    fn tail(&mut self, query: &Query, outer: Option<&Scope<'_>>, block: usize) {
        let mut scope = Scope::inside(outer, block);
        scope.sources.push(Source { names: Vec::new(), renamed: true, own: Vec::new(), rows: Rows::Block(block) });
        if let Some(order) = &query.order_by {
            self.order_by(order, &scope, block, Aliases::Hidden);
        }
        self.limit(query, &scope);
    }

    pub(super) fn order_by(&mut self, order: &OrderBy, scope: &Scope<'_>, block: usize, aliases: Aliases) {
        let OrderByKind::Expressions(items) = &order.kind else { return };
        for item in items {
            self.sort_key(&item.expr, scope, block, Role::Order, aliases);
        }
    }

    /// A key that may be the number of an output.
    pub(super) fn sort_key(&mut self, expr: &Expr, scope: &Scope<'_>, block: usize, role: Role, aliases: Aliases) {
        if let Expr::Value(value) = expr {
            let number = value.value.to_string().parse::<usize>().ok().and_then(|number| number.checked_sub(1));
            let place = self.lines.offset(value.span.start).and_then(|offset| self.token_at(self.base + offset));
            if let (Some(output), Some(at)) = (number, place) {
                let range = self.span(at, at + 1);
                if let Some(query) = self.reading.queries.get_mut(block) {
                    query.positional.push((range, role, output));
                }
            }
            return;
        }
        let alone = matches!(expr, Expr::Identifier(_));
        let aliases = if role == Role::Order && !alone && !self.dialect.orders_see_aliases_inside() {
            Aliases::Hidden
        } else {
            aliases
        };
        self.expr(expr, scope, Reach::new(role, aliases));
    }

    pub(super) fn limit(&mut self, query: &Query, scope: &Scope<'_>) {
        let reach = Reach::new(Role::Limit, Aliases::Hidden);
        match &query.limit_clause {
            Some(LimitClause::LimitOffset { limit, offset, limit_by }) => {
                self.each(limit.iter().chain(offset.iter().map(|offset| &offset.value)).chain(limit_by), scope, reach);
            }
            Some(LimitClause::OffsetCommaLimit { offset, limit }) => self.each([offset, limit], scope, reach),
            None => {}
        }
        if let Some(quantity) = query.fetch.as_ref().and_then(|fetch| fetch.quantity.as_ref()) {
            self.expr(quantity, scope, reach);
        }
    }
}
