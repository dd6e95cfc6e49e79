//! References that stand in a template as literals, for a template that renders in no way.
//!
//! What is found here was not followed: it may stand where no way goes. It is taken only where there is nothing better.

use greylag_syntax::jinja::ast::{Arguments, CallBlock, Expr, ExprKind, Filter, For, Node};
use greylag_syntax::trace::{Span, Traced};
use std::sync::Arc;

/// A call of `ref` or `source` with literals.
#[derive(Debug)]
pub(super) struct LiteralCall {
    pub(super) is_source: bool,
    pub(super) arguments: Vec<Arc<Traced>>,
    pub(super) at: Span,
}

/// The calls in nodes.
pub(super) fn literal_calls(nodes: &[Node]) -> Vec<LiteralCall> {
    let mut found = Vec::new();
    in_nodes(nodes, &mut found);
    found
}

fn in_nodes(nodes: &[Node], found: &mut Vec<LiteralCall>) {
    for node in nodes {
        match node {
            Node::Print(expr) | Node::Set(_, expr) | Node::Do(expr) => in_expr(expr, found),
            Node::SetBlock(_, filters, body) | Node::Filter(filters, body) => {
                for filter in filters {
                    in_filter(filter, found);
                }
                in_nodes(body, found);
            }
            Node::If(arms, otherwise) => {
                for (condition, body) in arms {
                    in_expr(condition, found);
                    in_nodes(body, found);
                }
                in_nodes(otherwise, found);
            }
            Node::For(repeat) => in_for(repeat, found),
            Node::Call(block) => in_call_block(block, found),
            Node::With(values, body) => {
                for (_, value) in values {
                    in_expr(value, found);
                }
                in_nodes(body, found);
            }
            Node::Data(_) | Node::Macro(_) | Node::Break(_) | Node::Continue(_) | Node::Block(_) => {}
        }
    }
}

fn in_for(repeat: &For, found: &mut Vec<LiteralCall>) {
    in_expr(&repeat.items, found);
    if let Some(filter) = &repeat.filter {
        in_expr(filter, found);
    }
    in_nodes(&repeat.body, found);
    in_nodes(&repeat.otherwise, found);
}

fn in_call_block(block: &CallBlock, found: &mut Vec<LiteralCall>) {
    in_expr(&block.call, found);
    in_nodes(&block.caller.body, found);
}

fn in_filter(filter: &Filter, found: &mut Vec<LiteralCall>) {
    in_arguments(&filter.arguments, found);
}

fn in_arguments(arguments: &Arguments, found: &mut Vec<LiteralCall>) {
    for argument in &arguments.positional {
        in_expr(argument, found);
    }
    for (_, argument) in &arguments.named {
        in_expr(argument, found);
    }
    for argument in arguments.several.iter().chain(&arguments.several_named) {
        in_expr(argument, found);
    }
}

fn in_expr(expr: &Expr, found: &mut Vec<LiteralCall>) {
    match &expr.kind {
        ExprKind::Call(callee, arguments) => {
            found.extend(literal_call(expr, callee, arguments));
            in_expr(callee, found);
            in_arguments(arguments, found);
        }
        ExprKind::List(parts)
        | ExprKind::Tuple(parts)
        | ExprKind::Concat(parts)
        | ExprKind::And(parts)
        | ExprKind::Or(parts) => {
            for part in parts {
                in_expr(part, found);
            }
        }
        ExprKind::Dict(entries) => entries.iter().for_each(|(_, value)| in_expr(value, found)),
        ExprKind::Attribute(inner, _)
        | ExprKind::Slice(inner, _)
        | ExprKind::Not(inner)
        | ExprKind::Negative(inner)
        | ExprKind::Positive(inner) => in_expr(inner, found),
        ExprKind::Item(value, key) => {
            in_expr(value, found);
            in_expr(key, found);
        }
        ExprKind::Filter(value, filter) | ExprKind::Test(value, filter, _) => {
            in_expr(value, found);
            in_filter(filter, found);
        }
        ExprKind::Arithmetic(first, others) => {
            in_expr(first, found);
            for (_, other) in others {
                in_expr(other, found);
            }
        }
        ExprKind::Compare(first, others) => {
            in_expr(first, found);
            for (_, other) in others {
                in_expr(other, found);
            }
        }
        ExprKind::If(parts, otherwise) => {
            for part in parts.iter() {
                in_expr(part, found);
            }
            if let Some(part) = otherwise {
                in_expr(part, found);
            }
        }
        ExprKind::None
        | ExprKind::Bool(_)
        | ExprKind::Int(_)
        | ExprKind::Float(..)
        | ExprKind::Text(_)
        | ExprKind::Name(_) => {}
    }
}

fn literal_call(expr: &Expr, callee: &Expr, arguments: &Arguments) -> Option<LiteralCall> {
    let ExprKind::Name(name) = &callee.kind else { return None };
    let is_source = match &**name {
        "ref" => false,
        "source" => true,
        _ => return None,
    };
    let literal = |argument: &Expr| if let ExprKind::Text(text) = &argument.kind { Some(text.clone()) } else { None };
    let arguments = arguments.positional.iter().map(literal).collect::<Option<Vec<_>>>()?;
    Some(LiteralCall { is_source, arguments, at: expr.at })
}
