//! Which predicates of a text its rows reach.
//!
//! A predicate that is true of every row, or of none, was not tried. For the blocks of a query whose rows can be looked at alone, the conditions
//! of `where` and of `case` are counted both ways. What hangs on rows outside its block cannot be watched and is not counted.

use super::engine::Trouble;
use super::step::Step;
use super::world::World;
use arrow::array::AsArray;
use arrow::datatypes::Int64Type;
use datafusion::sql::sqlparser::ast::helpers::attached_token::AttachedToken;
use datafusion::sql::sqlparser::ast::{
    BinaryOperator, CaseWhen, Expr, GroupByExpr, Ident, Query, Select, SelectItem, SetExpr, Value, Visit, Visitor, With,
};
use datafusion::sql::sqlparser::tokenizer::Span;
use std::ops::ControlFlow;

/// Predicates of a block that are watched at most.
const MOST: usize = 32;

/// Predicates that could be watched, and how many of them went both ways.
pub(super) fn watch(world: &World<'_>, steps: &[Step]) -> (u32, u32) {
    let (mut all, mut both) = (0, 0);
    for step in steps {
        let (Step::Query(query) | Step::Make { query, .. } | Step::Insert { query, .. }) = step else { continue };
        for block in blocks(query) {
            for predicates in [conjuncts(&block.1), conditions(&block.1)] {
                if let Ok(Some((watched, reached))) = count(world, &block, &predicates) {
                    all += watched;
                    both += reached;
                }
            }
        }
    }
    (all, both)
}

type Block = (Option<With>, Select);

/// The selects of a query, its common table expressions and arms of set operations among them, each with what it sees.
fn blocks(query: &Query) -> Vec<Block> {
    let mut found = Vec::new();
    if let Some(with) = &query.with {
        for (at, cte) in with.cte_tables.iter().enumerate() {
            let before = With { cte_tables: with.cte_tables[..at].to_vec(), ..with.clone() };
            arms(&cte.query.body, Some(&before).filter(|before| !before.cte_tables.is_empty()), &mut found);
        }
    }
    arms(&query.body, query.with.as_ref(), &mut found);
    found
}

fn arms(body: &SetExpr, with: Option<&With>, found: &mut Vec<Block>) {
    match body {
        SetExpr::Select(select) if !select.from.is_empty() => found.push((with.cloned(), select.as_ref().clone())),
        SetExpr::SetOperation { left, right, .. } => {
            arms(left, with, found);
            arms(right, with, found);
        }
        _ => {}
    }
}

fn conjuncts(select: &Select) -> Vec<Expr> {
    let (mut left, mut found): (Vec<&Expr>, Vec<Expr>) = (select.selection.iter().collect(), Vec::new());
    while let Some(expr) = left.pop() {
        match expr {
            Expr::BinaryOp { left: one, op: BinaryOperator::And, right } => left.extend([one.as_ref(), right.as_ref()]),
            Expr::Nested(inner) => left.push(inner),
            other if found.len() < MOST => found.push(other.clone()),
            _ => {}
        }
    }
    found
}

fn conditions(select: &Select) -> Vec<Expr> {
    struct Cases(Vec<Expr>);
    impl Visitor for Cases {
        type Break = ();
        fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
            if let Expr::Case { operand: None, conditions, .. } = expr {
                self.0.extend(conditions.iter().map(|when| when.condition.clone()));
            }
            if self.0.len() > MOST { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        }
    }
    let mut cases = Cases(Vec::new());
    let _ = select.projection.visit(&mut cases);
    cases.0
}

/// Counts of how many predicates were looked at, and how many went both ways.
fn count(world: &World<'_>, block: &Block, predicates: &[Expr]) -> Result<Option<(u32, u32)>, Trouble> {
    if predicates.is_empty() {
        return Ok(None);
    }
    let items = predicates.iter().enumerate().flat_map(|(at, predicate)| {
        [(1, 0), (0, 1)].map(|(yes, no)| SelectItem::ExprWithAlias {
            expr: sum(predicate, yes, no),
            alias: Ident::with_quote('"', format!("p{at}{yes}")),
        })
    });
    let select = Select {
        projection: items.collect(),
        distinct: None,
        selection: None,
        group_by: GroupByExpr::Expressions(Vec::new(), Vec::new()),
        having: None,
        qualify: None,
        named_window: Vec::new(),
        ..block.1.clone()
    };
    let query = Query {
        with: block.0.clone(),
        body: Box::new(SetExpr::Select(Box::new(select))),
        order_by: None,
        limit_clause: None,
        fetch: None,
        locks: Vec::new(),
        for_clause: None,
        settings: None,
        format_clause: None,
        pipe_operators: Vec::new(),
    };
    let answer = world.look(&query)?;
    let Some(batch) = answer.batches.first().filter(|batch| batch.num_rows() == 1) else { return Ok(None) };
    let some = |at: usize| {
        let sums = batch.column(at).as_primitive_opt::<Int64Type>();
        sums.is_some_and(|sums| sums.iter().next().flatten().unwrap_or(0) > 0)
    };
    let both = (0..predicates.len()).filter(|at| some(2 * at) && some(2 * at + 1)).count();
    Ok(Some((predicates.len() as u32, both as u32)))
}

/// `sum(case when predicate then yes else no end)`.
fn sum(predicate: &Expr, yes: u8, no: u8) -> Expr {
    let number = |of: u8| Expr::Value(Value::Number(of.to_string(), false).with_span(Span::empty()));
    let case = Expr::Case {
        case_token: AttachedToken::empty(),
        end_token: AttachedToken::empty(),
        operand: None,
        conditions: vec![CaseWhen { condition: predicate.clone(), result: number(yes) }],
        else_result: Some(Box::new(number(no))),
    };
    super::translate::call("sum", vec![case])
}
