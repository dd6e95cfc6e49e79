//! What takes a relation as a whole: `pivot`, `unpivot` and `match_recognize` in `from`, and columns by their place, as Snowflake's `$1`.
//!
//! What of the relation is not named goes through, or groups its rows, without standing anywhere in the text:
//!
//! | | goes through | is made |
//! |---|---|---|
//! | `pivot (sum(x) for y in ('a', 'b'))` | all but `x` and `y`, which group | a column for each value, and for each aggregate if there are several |
//! | `unpivot (v for n in (a, b))` | all but `a` and `b` | `n`, whose values are the names of the columns, and `v` |
//! | `match_recognize (…)` | what partitions; all, if all rows are wanted | the measures |
//!
//! How a column of a value is called is each engine's own affair: by its alias; else by the value, as BigQuery, Snowflake, Spark and DuckDB say
//! in their references. Where the values are those of a subquery or `any`, names are not known: any column may be one of the values.

use sqlparser::ast::{
    Expr, ExprWithAlias, Ident, MatchRecognizePattern, MatchRecognizeSymbol, Measure, PivotValueSource, RowsPerMatch,
    SymbolDefinition, TableFactor, Value,
};

use super::dialect::Dialect;
use super::from::ARGUMENT;
use super::reading::{Feed, Origin, Output, OutputKind, QueryKind, RelationRole, Whole};
use super::scope::{Rows, Scope, Source};
use super::walk::{Walker, named, open};

impl Walker<'_> {
    /// A relation that is taken as a whole.
    pub(super) fn whole(&mut self, factor: &TableFactor, scope: &mut Scope<'_>, role: RelationRole) {
        let (TableFactor::Pivot { table, alias, .. }
        | TableFactor::Unpivot { table, alias, .. }
        | TableFactor::MatchRecognize { table, alias, .. }) = factor
        else {
            return;
        };
        let mut inner = Scope::inside(scope.parent, scope.block);
        self.factor(table, &mut inner, role);
        let mut whole =
            Whole { from: Vec::new(), bare: Vec::new(), spelled: Vec::new(), query: 0, statement: self.statement };
        let outputs = match factor {
            TableFactor::Pivot { aggregate_functions, value_column, value_source, .. } => {
                let before = self.reading.columns.len();
                self.each(value_column, &inner, ARGUMENT);
                whole.bare = (before..self.reading.columns.len()).collect();
                self.pivot(before, aggregate_functions, value_source, &inner)
            }
            TableFactor::Unpivot { value, name, columns, .. } => {
                let before = self.reading.columns.len();
                let outputs = self.unpivot(value, name, columns, &inner);
                whole.bare = (before..self.reading.columns.len()).collect();
                // A column with an alias is called by that in the rows.
                if columns.iter().any(|column| column.alias.is_none()) {
                    whole.spelled.clone_from(&whole.bare);
                }
                outputs
            }
            TableFactor::MatchRecognize {
                partition_by, order_by, measures, rows_per_match, pattern, symbols, ..
            } => {
                let ordered: Vec<&Expr> = order_by.iter().map(|item| &item.expr).collect();
                inner.symbols = symbols_of(pattern, symbols);
                let all = matches!(rows_per_match, Some(RowsPerMatch::AllRows(_)));
                self.matched((partition_by, &ordered), (measures, symbols), all, &inner)
            }
            _ => Vec::new(),
        };
        let feeds = outputs.iter().flat_map(|output| &output.feeds);
        let origins = feeds.filter_map(|feed| match feed {
            Feed::Column(origin, _) | Feed::All(origin) => Some(*origin),
            Feed::Use(_) => None,
        });
        for origin in origins {
            if !whole.from.contains(&origin) {
                whole.from.push(origin);
            }
        }
        let block = self.push_block(QueryKind::Pivot, self.block, 0..0);
        whole.query = block;
        self.reading.wholes.push(whole);
        self.set_outputs(block, outputs);
        let name = alias.as_ref().and_then(|alias| self.name(&alias.name));
        let names = name
            .map(|name| vec![name])
            .or_else(|| inner.sources.first().map(|source| source.names.clone()))
            .unwrap_or_default();
        let rows = self.renamed(Rows::Block(block), alias.as_ref());
        scope.sources.push(Source { names, renamed: true, own: Vec::new(), rows });
    }

    /// What a pivot gives; the columns that it turns around were walked since `before`.
    fn pivot(
        &mut self,
        before: usize,
        aggregates: &[ExprWithAlias],
        values: &PivotValueSource,
        inner: &Scope<'_>,
    ) -> Vec<Output> {
        self.each(aggregates.iter().map(|item| &item.expr), inner, ARGUMENT);
        let feeds = self.feeds_since(before, self.scalars.len(), self.block);
        let mut outputs = self.passed(inner, before);
        let made = |(name, quoted): (String, bool)| Output {
            name: Some(name.into()),
            quoted,
            kind: OutputKind::Aggregation,
            ..open(feeds.clone(), 0..0)
        };
        match values {
            PivotValueSource::List(values) => {
                for value in values {
                    for aggregate in aggregates {
                        outputs.push(made(self.column_of(value, aggregate, aggregates.len())));
                    }
                }
            }
            PivotValueSource::Any(_) | PivotValueSource::Subquery(_) => {
                if let PivotValueSource::Subquery(query) = values {
                    self.subquery(query, inner);
                }
                outputs.push(open(feeds, 0..0));
            }
        }
        outputs
    }

    /// What the column of a value is called, and whether that keeps the case of its letters.
    fn column_of(&self, value: &ExprWithAlias, aggregate: &ExprWithAlias, aggregates: usize) -> (String, bool) {
        let (text, is_number) = match &value.expr {
            Expr::Value(value) => match &value.value {
                Value::Number(number, _) => (number.clone(), true),
                Value::SingleQuotedString(text) | Value::DoubleQuotedString(text) => (text.clone(), false),
                other => (other.to_string(), false),
            },
            Expr::Identifier(ident) => (ident.value.clone(), false),
            other => (other.to_string(), false),
        };
        let word = match (&value.alias, self.dialect) {
            (Some(alias), _) => alias.value.clone(),
            (None, Dialect::BigQuery) if is_number => format!("_{}", text.replace(['.', '-'], "_")),
            (None, Dialect::Snowflake) if !is_number => format!("'{text}'"),
            (None, _) => text,
        };
        let quoted = value.alias.as_ref().map_or(!is_number, |alias| alias.quote_style.is_some());
        let name = match (&aggregate.alias, self.dialect) {
            (Some(alias), Dialect::BigQuery) => format!("{}_{word}", alias.value),
            (Some(alias), Dialect::DuckDb) => format!("{word}_{}", alias.value),
            (Some(alias), _) if aggregates > 1 => format!("{word}_{}", alias.value),
            (None, _) if aggregates > 1 => format!("{word}_{}", aggregate.expr),
            _ => word,
        };
        (name, quoted)
    }

    fn unpivot(&mut self, value: &Expr, name: &Ident, columns: &[ExprWithAlias], inner: &Scope<'_>) -> Vec<Output> {
        let before = self.reading.columns.len();
        self.each(columns.iter().map(|item| &item.expr), inner, ARGUMENT);
        let feeds = self.feeds_since(before, self.scalars.len(), self.block);
        let mut outputs = self.passed(inner, before);
        let mut value = value;
        while let Expr::Nested(inner) = value {
            value = inner;
        }
        let values: Vec<&Ident> = match value {
            Expr::Identifier(ident) => vec![ident],
            Expr::Tuple(items) => items
                .iter()
                .filter_map(|item| if let Expr::Identifier(ident) = item { Some(ident) } else { None })
                .collect(),
            _ => Vec::new(),
        };
        for (ident, feeds) in values.into_iter().map(|value| (value, feeds.clone())).chain([(name, Vec::new())]) {
            let found = self.name(ident);
            outputs.extend(found.map(|found| named(&found, OutputKind::Transformation, feeds)));
        }
        outputs
    }

    fn matched(
        &mut self,
        (partition, order): (&[Expr], &[&Expr]),
        (measures, symbols): (&[Measure], &[SymbolDefinition]),
        all: bool,
        inner: &Scope<'_>,
    ) -> Vec<Output> {
        let before = self.reading.columns.len();
        self.each(partition, inner, ARGUMENT);
        let partitions = before..self.reading.columns.len();
        let mut outputs = if all {
            self.passed(inner, self.reading.columns.len())
        } else {
            let of = |at: usize| {
                let name = self.reading.columns.get(at)?.name.clone();
                Some(Output { alias: None, ..named(&name, OutputKind::Copy, vec![Feed::Use(at)]) })
            };
            partitions.filter_map(of).collect()
        };
        self.each(order.iter().copied().chain(symbols.iter().map(|symbol| &symbol.definition)), inner, ARGUMENT);
        for measure in measures {
            let before = self.reading.columns.len();
            self.expr(&measure.expr, inner, ARGUMENT);
            let feeds = self.feeds_since(before, self.scalars.len(), self.block);
            let name = self.name(&measure.alias);
            outputs.extend(name.map(|name| named(&name, OutputKind::Transformation, feeds)));
        }
        outputs
    }

    /// Whether a value is a column by its place: `$1`.
    pub(super) fn is_place(&self, value: &Value) -> bool {
        let Value::Placeholder(word) = value else { return false };
        let digits = word.strip_prefix('$').filter(|_| self.dialect == Dialect::Snowflake);
        digits.is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit()))
    }

    /// A column that is read by its place: all columns of the relations around count.
    pub(super) fn by_place(&mut self, scope: &Scope<'_>) {
        let of = |source: &Source| match source.rows {
            Rows::Relation(relation) => Some(Origin::Relation(relation)),
            Rows::Block(_) => None,
        };
        let from = scope.sources.iter().filter_map(of).collect();
        let (bare, spelled) = (Vec::new(), Vec::new());
        self.reading.wholes.push(Whole { from, bare, spelled, query: scope.block, statement: self.statement });
    }

    /// The columns of the sources that no use since `before` names, as they are.
    fn passed(&self, inner: &Scope<'_>, before: usize) -> Vec<Output> {
        let uses = self.reading.columns.get(before..).unwrap_or_default();
        let is_used = |name: (&str, bool)| uses.iter().any(|used| self.dialect.same(used.name.written(), name));
        let mut outputs = Vec::new();
        let mut pass = |name: Option<(&str, bool)>, origin: Origin| match name {
            Some(name) if is_used(name) => {}
            Some((name, quoted)) => {
                let feeds = vec![Feed::Column(origin, name.into())];
                outputs.push(Output { name: Some(name.into()), quoted, kind: OutputKind::Copy, ..open(feeds, 0..0) });
            }
            None => outputs.push(open(vec![Feed::All(origin)], 0..0)),
        };
        for source in &inner.sources {
            match source.rows {
                Rows::Relation(relation) => match self.known.get(relation).and_then(Option::as_ref) {
                    Some(columns) => {
                        columns.iter().for_each(|column| pass(Some((column, false)), Origin::Relation(relation)));
                    }
                    None => pass(None, Origin::Relation(relation)),
                },
                Rows::Block(query) => {
                    let block = self.reading.queries.get(query);
                    let columns = block.map(|block| block.outputs.as_slice()).unwrap_or_default();
                    for (output, column) in columns.iter().enumerate() {
                        pass(column.written().filter(|_| !column.is_open()), Origin::Output { query, output });
                    }
                }
            }
        }
        outputs
    }
}

/// The symbols of a pattern, which stand before columns as the names of relations do.
fn symbols_of(pattern: &MatchRecognizePattern, defined: &[SymbolDefinition]) -> Vec<(String, bool)> {
    fn collect(pattern: &MatchRecognizePattern, found: &mut Vec<Ident>) {
        let mut add = |symbol: &MatchRecognizeSymbol| {
            if let MatchRecognizeSymbol::Named(ident) = symbol {
                found.push(ident.clone());
            }
        };
        match pattern {
            MatchRecognizePattern::Symbol(symbol) | MatchRecognizePattern::Exclude(symbol) => add(symbol),
            MatchRecognizePattern::Permute(symbols) => symbols.iter().for_each(add),
            MatchRecognizePattern::Concat(parts) | MatchRecognizePattern::Alternation(parts) => {
                for part in parts {
                    collect(part, found);
                }
            }
            MatchRecognizePattern::Group(part) | MatchRecognizePattern::Repetition(part, _) => collect(part, found),
        }
    }
    let mut found: Vec<Ident> = defined.iter().map(|symbol| symbol.symbol.clone()).collect();
    collect(pattern, &mut found);
    found.into_iter().map(|ident| (ident.value, ident.quote_style.is_some())).collect()
}
