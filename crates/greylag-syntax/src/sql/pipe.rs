//! Queries as pipes: `from t |> where … |> select …`. Each step sees the columns of the one before.

use sqlparser::ast::{PipeOperator, SelectItem};

use super::expr::Reach;
use super::reading::{Origin, Output, OutputKind, QueryKind, Role};
use super::scope::{Aliases, Rows, Scope, Source};
use super::walk::{Walker, named};

impl Walker<'_> {
    /// Walks the steps after the query of a block; the outputs of the last become those of the block.
    pub(super) fn pipes(&mut self, steps: &[PipeOperator], outer: Option<&Scope<'_>>, block: usize) {
        for step in steps {
            let before = self.push_block(QueryKind::Select, Some(block), 0..0);
            let outputs = self.reading.queries.get(block).map(|query| query.outputs.clone()).unwrap_or_default();
            self.set_outputs(before, outputs);
            let mut scope = Scope::inside(outer, block);
            scope.sources.push(Source { names: Vec::new(), renamed: true, own: Vec::new(), rows: Rows::Block(before) });
            self.pipe(step, &mut scope, block, before);
        }
    }

    fn pipe(&mut self, step: &PipeOperator, scope: &mut Scope<'_>, block: usize, before: usize) {
        let reach = |role| Reach::new(role, Aliases::Hidden);
        match step {
            PipeOperator::Where { expr } => self.expr(expr, scope, reach(Role::Filter)),
            PipeOperator::OrderBy { exprs } => self.order(exprs, scope, reach(Role::Order)),
            PipeOperator::Limit { expr, offset } => {
                self.each(std::iter::once(expr).chain(offset), scope, reach(Role::Limit));
            }
            PipeOperator::Select { exprs } => self.made(exprs, scope, block, Vec::new()),
            PipeOperator::Extend { exprs } => {
                let kept = self.kept(before);
                self.made(exprs, scope, block, kept);
            }
            PipeOperator::Aggregate { full_table_exprs, group_by_expr } => {
                let mut outputs = Vec::new();
                for item in group_by_expr.iter().chain(full_table_exprs) {
                    let mut output = self.output(&item.expr.expr, None, scope, block);
                    if let Some(name) = item.expr.alias.as_ref().and_then(|alias| self.name(alias)) {
                        output = Output { feeds: output.feeds, ..named(&name, output.kind, Vec::new()) };
                    }
                    outputs.push(output);
                }
                self.set_outputs(block, outputs);
            }
            PipeOperator::Join(join) => {
                self.join(join, scope);
                self.made(&[], scope, block, Vec::new());
            }
            PipeOperator::As { .. } | PipeOperator::TableSample { .. } => {}
            other => {
                let range =
                    self.reading.statements.get(self.statement).map_or(0..0, |statement| statement.range.clone());
                self.unknown(range, format!("the pipe step `{}` is not read", word(&other.to_string())));
            }
        }
    }

    fn made(&mut self, items: &[SelectItem], scope: &mut Scope<'_>, block: usize, mut outputs: Vec<Output>) {
        for item in items {
            self.item(item, None, scope, block, &mut outputs);
        }
        if items.is_empty() {
            self.everything(scope, None, block, &(0..0), &mut outputs);
        }
        self.set_outputs(block, outputs);
    }

    /// All columns of a step as they are.
    fn kept(&self, query: usize) -> Vec<Output> {
        let outputs = self.reading.queries.get(query).map(|block| block.outputs.as_slice()).unwrap_or_default();
        let copy = |(output, column): (usize, &Output)| {
            let origin = Origin::Output { query, output };
            let feed = match &column.name {
                Some(name) => super::reading::Feed::Column(origin, name.clone()),
                None => super::reading::Feed::All(origin),
            };
            let kind = if column.is_open() { OutputKind::Open } else { OutputKind::Copy };
            Output { kind, feeds: vec![feed], ..column.clone() }
        };
        outputs.iter().enumerate().map(copy).collect()
    }
}

fn word(text: &str) -> &str {
    text.split_whitespace().next().unwrap_or_default()
}
