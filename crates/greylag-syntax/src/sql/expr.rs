//! Expressions: every name in them that is a column, and nothing that is none.

use sqlparser::ast::{Expr, JsonPathElem, LambdaFunction, OneOrManyWithParens, OrderByExpr};

use super::reading::{Place, QueryKind, Role};
use super::scope::{Aliases, Scope};
use super::walk::{Said, Walker};

/// Below this much stack an expression is walked on a new one: chains of postfix operators nest as deep as they are long.
const RED_ZONE: usize = 256 * 1024;
const STACK: usize = 4 * 1024 * 1024;

/// What an expression is for, and what it sees.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reach {
    pub(super) role: Role,
    pub(super) aliases: Aliases,
    pub(super) place: Place,
}

impl Reach {
    pub(super) fn new(role: Role, aliases: Aliases) -> Self {
        Self { role, aliases, place: Place::default() }
    }

    pub(super) fn said(self) -> Said {
        Said { role: self.role, place: self.place }
    }

    /// The same for an operand of something.
    pub(super) fn computed(self) -> Self {
        Self { place: Place { computed: true, bare: None, cast: false, ..self.place }, ..self }
    }

    pub(super) fn cast(self) -> Self {
        Self { place: Place { computed: true, bare: None, cast: true, ..self.place }, ..self }
    }

    pub(super) fn condition(self) -> Self {
        Self { place: Place { condition: true, ..self.computed().place }, ..self }
    }

    pub(super) fn aggregate(self) -> Self {
        Self { place: Place { aggregate: true, ..self.computed().place }, ..self }
    }

    pub(super) fn role(self, role: Role) -> Self {
        Self { role, ..self.computed() }
    }
}

impl Walker<'_> {
    /// Walks an expression.
    pub(super) fn expr(&mut self, expr: &Expr, scope: &Scope<'_>, reach: Reach) {
        stacker::maybe_grow(RED_ZONE, STACK, || self.expr_here(expr, scope, reach));
    }

    fn expr_here(&mut self, expr: &Expr, scope: &Scope<'_>, reach: Reach) {
        match expr {
            Expr::Identifier(ident) => self.identifier(ident, scope, reach),
            Expr::CompoundIdentifier(idents) => self.compound(idents, scope, reach, false),
            Expr::CompoundFieldAccess { root, access_chain } => self.access(root, access_chain, scope, reach),
            Expr::Nested(inner) => self.expr(inner, scope, reach),
            Expr::Value(value) if self.is_place(&value.value) => self.by_place(scope),
            Expr::Value(_) | Expr::TypedString(_) | Expr::Wildcard(_) => {}
            Expr::BinaryOp { .. } => self.binary(expr, scope, reach.computed()),
            Expr::Cast { expr, .. } | Expr::Convert { expr, .. } => self.expr(expr, scope, reach.cast()),
            Expr::Function(function) => self.function(function, scope, reach),
            Expr::Case { operand, conditions, else_result, .. } => {
                if let Some(operand) = operand {
                    self.expr(operand, scope, reach.condition());
                }
                for when in conditions {
                    self.expr(&when.condition, scope, reach.condition());
                    self.expr(&when.result, scope, reach.computed());
                }
                if let Some(result) = else_result {
                    self.expr(result, scope, reach.computed());
                }
            }
            Expr::Subquery(query) => {
                let block = self.push_block(QueryKind::Select, self.block, 0..0);
                self.query(query, Some(scope), block);
                self.scalars.push(block);
            }
            Expr::Exists { subquery, .. } => self.subquery(subquery, scope),
            Expr::InSubquery { expr, subquery, .. } => {
                self.expr(expr, scope, reach.computed());
                self.subquery(subquery, scope);
            }
            Expr::JsonAccess { value, path } => self.json_path(value, &path.path, scope, reach),
            Expr::Lambda(lambda) => self.lambda(lambda, scope, reach.computed()),
            Expr::QualifiedWildcard(name, _) => self.row(name, scope, reach.computed()),
            _ => self.operands(expr, scope, reach.computed()),
        }
    }

    /// A subquery whose rows only decide something.
    pub(super) fn subquery(&mut self, query: &sqlparser::ast::Query, scope: &Scope<'_>) {
        let block = self.push_block(QueryKind::Select, self.block, 0..0);
        self.query(query, Some(scope), block);
    }

    /// A chain of operators leans to the left as far as it is long, so it is walked in a loop.
    fn binary(&mut self, expr: &Expr, scope: &Scope<'_>, reach: Reach) {
        let (mut left, mut rights) = (expr, Vec::new());
        while let Expr::BinaryOp { left: next, right, .. } = left {
            rights.push(right);
            left = next;
        }
        self.expr(left, scope, reach);
        for right in rights.into_iter().rev() {
            self.expr(right, scope, reach);
        }
    }

    /// Everything that only has operands.
    fn operands(&mut self, expr: &Expr, scope: &Scope<'_>, reach: Reach) {
        match expr {
            Expr::IsFalse(a)
            | Expr::IsNotFalse(a)
            | Expr::IsTrue(a)
            | Expr::IsNotTrue(a)
            | Expr::IsNull(a)
            | Expr::IsNotNull(a)
            | Expr::IsUnknown(a)
            | Expr::IsNotUnknown(a)
            | Expr::IsNormalized { expr: a, .. }
            | Expr::UnaryOp { expr: a, .. }
            | Expr::Extract { expr: a, .. }
            | Expr::Ceil { expr: a, .. }
            | Expr::Floor { expr: a, .. }
            | Expr::Collate { expr: a, .. }
            | Expr::Prefixed { value: a, .. }
            | Expr::Named { expr: a, .. }
            | Expr::OuterJoin(a)
            | Expr::Prior(a) => self.expr(a, scope, reach),
            Expr::Interval(interval) => self.expr(&interval.value, scope, reach),
            Expr::IsDistinctFrom(a, b)
            | Expr::IsNotDistinctFrom(a, b)
            | Expr::InUnnest { expr: a, array_expr: b, .. }
            | Expr::Like { expr: a, pattern: b, .. }
            | Expr::ILike { expr: a, pattern: b, .. }
            | Expr::SimilarTo { expr: a, pattern: b, .. }
            | Expr::RLike { expr: a, pattern: b, .. }
            | Expr::AnyOp { left: a, right: b, .. }
            | Expr::AllOp { left: a, right: b, .. }
            | Expr::AtTimeZone { timestamp: a, time_zone: b }
            | Expr::Position { expr: a, r#in: b } => self.each([&**a, &**b], scope, reach),
            Expr::MemberOf(member) => self.each([&*member.value, &*member.array], scope, reach),
            Expr::Between { expr, low, high, .. } => self.each([&**expr, &**low, &**high], scope, reach),
            Expr::InList { expr, list, .. } => {
                self.expr(expr, scope, reach);
                self.each(list, scope, reach);
            }
            Expr::Substring { expr, substring_from, substring_for, .. } => {
                self.expr(expr, scope, reach);
                self.each([substring_from, substring_for].into_iter().flatten().map(|e| &**e), scope, reach);
            }
            Expr::Trim { expr, trim_what, trim_characters, .. } => {
                self.each(trim_what.iter().map(|e| &**e), scope, reach);
                self.expr(expr, scope, reach);
                self.each(trim_characters.iter().flatten(), scope, reach);
            }
            Expr::Overlay { expr, overlay_what, overlay_from, overlay_for } => {
                self.each([&**expr, &**overlay_what, &**overlay_from], scope, reach);
                self.each(overlay_for.iter().map(|e| &**e), scope, reach);
            }
            Expr::GroupingSets(sets) | Expr::Cube(sets) | Expr::Rollup(sets) => {
                self.each(sets.iter().flatten(), scope, reach);
            }
            Expr::Tuple(list) | Expr::Struct { values: list, .. } => self.each(list, scope, reach),
            Expr::Array(array) => self.each(&array.elem, scope, reach),
            Expr::Dictionary(fields) => self.each(fields.iter().map(|field| &*field.value), scope, reach),
            Expr::Map(map) => {
                self.each(map.entries.iter().flat_map(|entry| [&*entry.key, &*entry.value]), scope, reach);
            }
            Expr::MatchAgainst { columns, .. } => {
                for column in columns {
                    self.object_as_column(column, scope, reach, false);
                }
            }
            _ => {}
        }
    }

    pub(super) fn each<'e>(&mut self, list: impl IntoIterator<Item = &'e Expr>, scope: &Scope<'_>, reach: Reach) {
        for expr in list {
            self.expr(expr, scope, reach);
        }
    }

    fn json_path(&mut self, value: &Expr, path: &[JsonPathElem], scope: &Scope<'_>, reach: Reach) {
        match value {
            Expr::Identifier(ident) => self.compound(std::slice::from_ref(ident), scope, reach.computed(), true),
            Expr::CompoundIdentifier(idents) => self.compound(idents, scope, reach.computed(), true),
            other => self.expr(other, scope, reach.computed()),
        }
        for element in path {
            if let JsonPathElem::Bracket { key } = element {
                self.expr(key, scope, reach.computed());
            }
        }
    }

    fn lambda(&mut self, lambda: &LambdaFunction, scope: &Scope<'_>, reach: Reach) {
        let before = self.locals.len();
        match &lambda.params {
            OneOrManyWithParens::One(param) => self.locals.push(param.value.as_str().into()),
            OneOrManyWithParens::Many(params) => {
                self.locals.extend(params.iter().map(|param| param.value.as_str().into()));
            }
        }
        self.expr(&lambda.body, scope, reach);
        self.locals.truncate(before);
    }

    /// `t.*` in the place of an argument.
    pub(super) fn row(&mut self, name: &sqlparser::ast::ObjectName, scope: &Scope<'_>, reach: Reach) {
        if let Some((names, _)) = self.path(name)
            && self.source_named(scope, &names).is_none()
        {
            self.object_as_column(name, scope, reach, true);
        }
    }

    pub(super) fn order(&mut self, list: &[OrderByExpr], scope: &Scope<'_>, reach: Reach) {
        self.each(list.iter().map(|item| &item.expr), scope, reach);
    }
}
