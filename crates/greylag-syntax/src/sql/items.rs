//! The items of a select list and the outputs that they make.

use sqlparser::ast::{
    AccessExpr, DataType, Expr, Ident, JsonPathElem, Select, SelectItem, SelectItemQualifiedWildcardKind,
};

use super::cut::Cut;
use super::dialect::Dialect;
use super::expr::Reach;
use super::lex::Kind;
use super::reading::{Name, Output, OutputKind, Place, Quoting, Role, Why};
use super::scope::{Aliases, Scope};
use super::walk::{Walker, open};

impl Walker<'_> {
    /// Walks the select list and gives the block its outputs.
    pub(super) fn items(&mut self, select: &Select, scope: &mut Scope<'_>, block: usize) {
        let first =
            self.lines.offset(select.select_token.0.span.start).and_then(|offset| self.token_at(self.base + offset));
        let cuts = first.map(|first| self.cut(first)).filter(|cuts| cuts.len() == select.projection.len());
        let range = first.map(|first| self.select_range(first));
        if let (Some(range), Some(query)) = (range, self.reading.queries.get_mut(block))
            && query.range.is_empty()
        {
            query.range = range;
        }
        let mut outputs = Vec::with_capacity(select.projection.len());
        for (at, item) in select.projection.iter().enumerate() {
            let cut = cuts.as_ref().and_then(|cuts| cuts.get(at)).copied();
            if let SelectItem::ExprWithAlias { alias, .. } = item {
                let own = scope.later.iter().position(|later| **later == *alias.value);
                own.map(|own| scope.later.remove(own));
            }
            self.item(item, cut, scope, block, &mut outputs);
        }
        if let Some(exclude) = &select.exclude {
            let star = self.reading.stars.len().checked_sub(1);
            let names = self.excluded(exclude);
            self.star_names(&names, scope);
            if let Some(star) = star.and_then(|star| self.reading.stars.get_mut(star)) {
                star.except.extend(names);
            }
        }
        if select.projection.is_empty() {
            // `from t`, with no select list, gives all that `t` has.
            let range = self.reading.queries.get(block).map_or(0..0, |query| query.range.clone());
            self.everything(scope, None, block, &range, &mut outputs);
        }
        self.set_outputs(block, outputs);
    }

    pub(super) fn item(
        &mut self,
        item: &SelectItem,
        cut: Option<Cut>,
        scope: &mut Scope<'_>,
        block: usize,
        outputs: &mut Vec<Output>,
    ) {
        let range = cut.map_or(0..0, |(first, end)| self.span(first, end));
        match item {
            SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } if self.takes_columns(expr) => {
                self.of_columns(expr, range, scope, block, outputs);
            }
            SelectItem::UnnamedExpr(expr) => {
                let end = (!range.is_empty()).then_some(range.end);
                let mut output = self.output(expr, end, scope, block);
                if output.range.is_empty() {
                    output.range = range;
                }
                self.finish(output, scope, outputs);
            }
            SelectItem::ExprWithAlias { expr, alias } => {
                let mut output = self.output(expr, None, scope, block);
                if let Some(name) = self.alias(alias, cut) {
                    output.name = Some(name.text.clone());
                    output.quoted = alias.quote_style.is_some();
                    output.alias = Some(name.range);
                }
                output.range = range;
                let others = self.several(&output);
                self.finish(output, scope, outputs);
                for output in others {
                    self.finish(output, scope, outputs);
                }
            }
            SelectItem::Wildcard(options) => self.star(None, options, cut, scope, block, outputs),
            SelectItem::QualifiedWildcard(SelectItemQualifiedWildcardKind::ObjectName(name), options) => {
                let names = self.path(name).map(|(names, _)| names).unwrap_or_default();
                self.star(Some(names), options, cut, scope, block, outputs);
            }
            SelectItem::QualifiedWildcard(SelectItemQualifiedWildcardKind::Expr(expr), options) => {
                let (before, scalars) = (self.reading.columns.len(), self.scalars.len());
                self.expr(expr, scope, self.of_select().computed());
                let feeds = self.feeds_since(before, scalars, Some(block));
                outputs.push(open(feeds, range));
                self.replaced(options, scope, block, outputs);
            }
        }
    }

    /// The alias of an item. The parser keeps no place of one that is written as a string; it ends the item.
    fn alias(&mut self, alias: &Ident, cut: Option<Cut>) -> Option<Name> {
        let last = cut.and_then(|(_, end)| self.name_at(end.checked_sub(1)?)).filter(|last| *last.text == *alias.value);
        if self.token_of(alias).is_some() { self.name(alias) } else { last.or_else(|| self.name(alias)) }
    }

    /// The outputs after the first of an item that names several.
    fn several(&self, first: &Output) -> Vec<Output> {
        let begins =
            |(start, _): &&(u32, Vec<u32>)| first.alias.as_ref().is_some_and(|alias| alias.start == *start as usize);
        let Some((_, others)) = self.marks.several.iter().find(begins) else { return Vec::new() };
        let names = others.iter().filter_map(|start| self.name_at(self.token_at(*start as usize)?));
        let output = |name: Name| Output {
            name: Some(name.text),
            quoted: name.quoting != Quoting::None,
            alias: Some(name.range),
            ..first.clone()
        };
        names.map(output).collect()
    }

    pub(super) fn finish(&self, output: Output, scope: &mut Scope<'_>, outputs: &mut Vec<Output>) {
        if let Some(name) = &output.name {
            let same = scope.aliases.entry(name.to_ascii_lowercase()).or_default();
            same.push((name.clone(), output.quoted, outputs.len()));
        }
        outputs.push(output);
    }

    fn of_select(&self) -> Reach {
        let aliases = match (self.dialect.items_see_aliases(), self.dialect.aliases_hide_columns()) {
            (_, true) => Aliases::First,
            (true, false) => Aliases::Last,
            (false, false) => Aliases::Hidden,
        };
        Reach::new(Role::Select, aliases)
    }

    /// The output that an expression makes, with the name that the engine gives it.
    pub(super) fn output(&mut self, expr: &Expr, end: Option<usize>, scope: &Scope<'_>, block: usize) -> Output {
        let (before, scalars, around) =
            (self.reading.columns.len(), self.scalars.len(), std::mem::take(&mut self.aggregated));
        let plain = matches!(bare(expr), Expr::Identifier(_) | Expr::CompoundIdentifier(_));
        let reach = Reach {
            place: Place {
                bare: end.filter(|_| matches!(expr, Expr::Identifier(_) | Expr::CompoundIdentifier(_))),
                ..Place::default()
            },
            ..self.of_select()
        };
        self.expr(expr, scope, reach);
        let feeds = self.feeds_since(before, scalars, Some(block));
        let copies = plain
            && feeds.len() == 1
            && !self
                .reading
                .columns
                .get(before)
                .is_some_and(|column| column.place.field || column.why == Why::WholeRow);
        let kind = match (copies, self.aggregated) {
            (true, _) => OutputKind::Copy,
            (false, true) => OutputKind::Aggregation,
            (false, false) => OutputKind::Transformation,
        };
        self.aggregated = around;
        let (name, quoted) = self.invented(expr).map_or((None, false), |(name, quoted)| (Some(name.into()), quoted));
        Output { name, quoted, range: 0..0, alias: None, kind, feeds }
    }

    /// The name that an expression without an alias gives its output.
    fn invented<'e>(&'e self, expr: &'e Expr) -> Option<(&'e str, bool)> {
        let of = |ident: &'e Ident| {
            let token = self.token_of(ident).and_then(|at| self.tokens.get(at));
            let spelled = token.filter(|token| self.marks.respelled.contains(&token.start));
            match spelled {
                // A part of a tuple by its number gives no such name.
                Some(token) if token.kind == Kind::Number && self.dialect == Dialect::ClickHouse => None,
                Some(token) => Some((token.text(self.text), false)),
                None => Some((ident.value.as_str(), ident.quote_style.is_some())),
            }
        };
        let named = self.dialect == Dialect::Postgres;
        match expr {
            Expr::Identifier(ident) => of(ident),
            Expr::CompoundIdentifier(idents) => idents.last().and_then(of),
            Expr::Nested(inner) => self.invented(inner),
            Expr::CompoundFieldAccess { access_chain, .. } => match access_chain.last() {
                Some(AccessExpr::Dot(Expr::Identifier(ident))) => of(ident),
                _ => None,
            },
            Expr::JsonAccess { path, .. } => match path.path.last() {
                Some(JsonPathElem::Dot { key, quoted }) => Some((key, *quoted)),
                _ => None,
            },
            Expr::Cast { expr, data_type, .. } if named => self.invented(expr).or(match data_type {
                DataType::Date => Some(("date", false)),
                DataType::Text => Some(("text", false)),
                _ => None,
            }),
            // Spark calls a column that is cast, and nothing else done to, by its own name.
            Expr::Cast { expr, .. } if self.dialect == Dialect::Spark => match &**expr {
                inner @ (Expr::Identifier(_) | Expr::CompoundIdentifier(_)) => self.invented(inner),
                _ => None,
            },
            Expr::Function(function) if named => function.name.0.last().and_then(|part| part.as_ident()).and_then(of),
            _ => None,
        }
    }
}

/// An expression without the parentheses around it.
fn bare(mut expr: &Expr) -> &Expr {
    while let Expr::Nested(inner) = expr {
        expr = inner;
    }
    expr
}
