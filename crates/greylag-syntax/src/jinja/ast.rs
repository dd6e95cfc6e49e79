//! What a template consists of. Every node knows its bytes.
//!
//! Chains (`a + b + c`, `a ~ b`, `a and b`) are lists and no trees of pairs, so that the depth of a tree is the depth to which
//! the text nests, which the parser bounds.

use crate::trace::{Span, Traced};
use std::sync::Arc;

/// A template that was read.
#[derive(Debug)]
pub struct Template {
    /// The bytes that were read.
    pub at: Span,
    /// What it consists of.
    pub body: Vec<Node>,
}

impl Template {
    /// The macros, tests and materializations at its top level, in order.
    pub fn macros(&self) -> impl Iterator<Item = &Arc<Macro>> {
        self.body.iter().filter_map(|node| if let Node::Macro(found) = node { Some(found) } else { None })
    }

    /// The blocks of a dbt file at its top level: snapshots and docs.
    pub fn blocks(&self) -> impl Iterator<Item = &NamedBlock> {
        self.body.iter().filter_map(|node| if let Node::Block(block) = node { Some(&**block) } else { None })
    }
}

/// A piece of a template.
#[derive(Debug)]
pub enum Node {
    /// Text outside of tags.
    Data(Arc<Traced>),
    /// `{{ expression }}`.
    Print(Expr),
    /// `{% set target = value %}`.
    Set(Target, Expr),
    /// `{% set target | filters %}body{% endset %}`.
    SetBlock(Target, Vec<Filter>, Vec<Self>),
    /// `{% if %}`, its `elif`s and `else`.
    If(Vec<(Expr, Vec<Self>)>, Vec<Self>),
    /// `{% for %}`.
    For(Box<For>),
    /// `{% macro %}`, `{% test %}`, `{% materialization %}`.
    Macro(Arc<Macro>),
    /// `{% call(parameters) callee(arguments) %}body{% endcall %}`.
    Call(Box<CallBlock>),
    /// `{% filter name %}body{% endfilter %}`.
    Filter(Vec<Filter>, Vec<Self>),
    /// `{% do expression %}`.
    Do(Expr),
    /// `{% with target = value %}body{% endwith %}`.
    With(Vec<(Target, Expr)>, Vec<Self>),
    /// `{% break %}`.
    Break(Span),
    /// `{% continue %}`.
    Continue(Span),
    /// `{% snapshot name %}body{% endsnapshot %}` and `{% docs name %}`.
    Block(Box<NamedBlock>),
}

/// A loop.
#[derive(Debug)]
pub struct For {
    /// What each item is assigned to.
    pub target: Target,
    /// What is looped over.
    pub items: Expr,
    /// Which items are taken.
    pub filter: Option<Expr>,
    /// What is done for each.
    pub body: Vec<Node>,
    /// What is done if there was none.
    pub otherwise: Vec<Node>,
}

/// What a `{% call %}` hands to a macro as `caller`.
#[derive(Debug)]
pub struct CallBlock {
    /// The call.
    pub call: Expr,
    /// Parameters and body of what `caller` is.
    pub caller: Arc<Macro>,
}

/// A block of dbt that is no macro.
#[derive(Debug)]
pub struct NamedBlock {
    /// `snapshot` or `docs`.
    pub kind: Arc<str>,
    /// Its name.
    pub name: Arc<str>,
    /// The bytes of its name.
    pub name_at: Span,
    /// What stands in it.
    pub body: Vec<Node>,
    /// The bytes of what stands in it.
    pub inner: Span,
}

/// Which tag a macro was written with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MacroKind {
    /// `{% macro %}`.
    Macro,
    /// `{% test %}` and `{% data_test %}`.
    Test,
    /// `{% materialization %}`.
    Materialization,
    /// The body of a `{% call %}`.
    Caller,
}

/// A macro.
#[derive(Debug)]
pub struct Macro {
    /// Its tag.
    pub kind: MacroKind,
    /// Its name.
    pub name: Arc<str>,
    /// The bytes of its name.
    pub name_at: Span,
    /// Its parameters, in order.
    pub parameters: Vec<Parameter>,
    /// Its body.
    pub body: Vec<Node>,
    /// The bytes from its first to its last tag.
    pub at: Span,
    /// Which of `varargs`, `kwargs` and `caller` its body reads.
    pub reads: Reads,
}

/// The special names that a macro's body reads.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Reads {
    /// `varargs`.
    pub varargs: bool,
    /// `kwargs`.
    pub kwargs: bool,
    /// `caller`.
    pub caller: bool,
}

/// A parameter of a macro.
#[derive(Debug)]
pub struct Parameter {
    /// Its name.
    pub name: Arc<str>,
    /// What it is if it is not given.
    pub default: Option<Expr>,
}

/// What a value is assigned to.
#[derive(Debug)]
pub enum Target {
    /// A name.
    Name(Arc<str>, Span),
    /// An attribute of a namespace.
    Attribute(Arc<str>, Arc<str>, Span),
    /// Several, one for each item of the value.
    Tuple(Vec<Self>, Span),
}

/// An expression and its bytes.
#[derive(Debug)]
pub struct Expr {
    /// What it is.
    pub kind: ExprKind,
    /// Its bytes.
    pub at: Span,
}

/// What an expression is.
#[derive(Debug)]
pub enum ExprKind {
    /// `none`.
    None,
    /// `true`, `false`.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// Another number, and its bytes if it prints as it is written.
    Float(f64, Option<Span>),
    /// Text in quotes, or several such after each other; or the digits of a number that is too large to calculate with.
    Text(Arc<Traced>),
    /// A name.
    Name(Arc<str>),
    /// `[a, b]`.
    List(Vec<Expr>),
    /// `(a, b)`.
    Tuple(Vec<Expr>),
    /// `{a: b}`.
    Dict(Vec<(Expr, Expr)>),
    /// `a.b`.
    Attribute(Box<Expr>, Arc<str>),
    /// `a[b]`.
    Item(Box<Expr>, Box<Expr>),
    /// `a[b:c:d]`.
    Slice(Box<Expr>, Box<[Option<Expr>; 3]>),
    /// `a(b)`.
    Call(Box<Expr>, Arguments),
    /// `a | b(c)`.
    Filter(Box<Expr>, Filter),
    /// `a is b(c)`, and whether it is negated.
    Test(Box<Expr>, Filter, bool),
    /// `not a`.
    Not(Box<Expr>),
    /// `-a`.
    Negative(Box<Expr>),
    /// `+a`.
    Positive(Box<Expr>),
    /// `a + b - c`: operators of one precedence, from left to right.
    Arithmetic(Box<Expr>, Vec<(Operator, Expr)>),
    /// `a < b <= c`.
    Compare(Box<Expr>, Vec<(Comparison, Expr)>),
    /// `a ~ b ~ c`.
    Concat(Vec<Expr>),
    /// `a and b and c`.
    And(Vec<Expr>),
    /// `a or b or c`.
    Or(Vec<Expr>),
    /// `a if b else c`.
    If(Box<[Expr; 2]>, Option<Box<Expr>>),
}

/// Arguments of a call.
#[derive(Debug, Default)]
pub struct Arguments {
    /// Positional ones.
    pub positional: Vec<Expr>,
    /// Those with a name.
    pub named: Vec<(Arc<str>, Expr)>,
    /// `*several`.
    pub several: Option<Box<Expr>>,
    /// `**named`.
    pub several_named: Option<Box<Expr>>,
}

/// A filter or a test by name, with its arguments.
#[derive(Debug)]
pub struct Filter {
    /// Its name.
    pub name: Arc<str>,
    /// Its arguments beside the value.
    pub arguments: Arguments,
    /// The bytes of its name.
    pub at: Span,
}

/// An operator on two values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    /// `+`.
    Add,
    /// `-`.
    Subtract,
    /// `*`.
    Multiply,
    /// `/`.
    Divide,
    /// `//`.
    FloorDivide,
    /// `%`.
    Modulo,
    /// `**`.
    Power,
}

/// A comparison of two values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// `==`.
    Equal,
    /// `!=`.
    NotEqual,
    /// `<`.
    Less,
    /// `<=`.
    LessEqual,
    /// `>`.
    Greater,
    /// `>=`.
    GreaterEqual,
    /// `in`.
    In,
    /// `not in`.
    NotIn,
}
