//! A path of names in an expression: which of them is the column.

use sqlparser::ast::{AccessExpr, Expr, Ident, ObjectName, Subscript};

use super::dialect::Dialect;
use super::expr::Reach;
use super::reading::{Confidence, Name, Origin, Why};
use super::scope::{Aliases, Rows, Scope, Source, plain};
use super::walk::{Resolution, Said, Walker, written};

impl Walker<'_> {
    /// A name alone.
    pub(super) fn identifier(&mut self, ident: &Ident, scope: &Scope<'_>, reach: Reach) {
        let calls = ident.quote_style.is_none() && self.dialect.is_call(&ident.value);
        if self.is_local(ident) || self.is_string(ident) || is_parameter(ident) || calls {
            return;
        }
        let Some(name) = self.name(ident) else { return };
        let resolution = self.given(scope, &name).or_else(|| self.resolve(scope, name.written(), reach.aliases));
        let row = self.row_of(scope, &name, resolution.as_ref());
        let resolution = match (row, resolution) {
            (Some(row), _) => row,
            (None, Some(resolution)) => resolution,
            (None, None) if self.is_variable(ident) => return,
            (None, None) => Resolution::new(Vec::new(), Confidence::Unknown, Why::NoSource),
        };
        if resolution.why != Why::OwnOutput && self.dialect.remembers_columns() {
            self.plain.insert(plain(scope.block, &name.text));
        }
        self.push_column(&[name], 0, resolution, reach.said());
    }

    /// A name that is that of a source and, as far as is known, of no column: the whole row. A block may give its rows a column
    /// of its own name, as an unnested array does.
    fn row_of(&self, scope: &Scope<'_>, name: &Name, resolution: Option<&Resolution>) -> Option<Resolution> {
        let known = |found: &Resolution| {
            matches!(found.why, Why::OnlyKnown | Why::KnownAmongUnknown | Why::Merged | Why::OwnOutput | Why::Pseudo)
        };
        if resolution.is_some_and(known) || self.dialect == Dialect::Snowflake {
            return None;
        }
        let source = self.source_named(scope, std::slice::from_ref(name))?;
        // A relation is often called like a column of its own, but whoever wants its rows mostly gives it another name.
        if !source.renamed && !self.takes_rows && resolution.is_some() {
            return None;
        }
        let from = match source.rows {
            Rows::Relation(relation) => vec![Origin::Relation(relation)],
            Rows::Block(query) => {
                let outputs = self.reading.queries.get(query).map_or(0, |block| block.outputs.len());
                (0..outputs).map(|output| Origin::Output { query, output }).collect()
            }
        };
        Some(Resolution::new(from, Confidence::Likely, Why::WholeRow))
    }

    /// Names joined by dots, with nothing else between them; `more` says that fields follow.
    pub(super) fn compound(&mut self, idents: &[Ident], scope: &Scope<'_>, reach: Reach, more: bool) {
        let Some(first) = idents.first() else { return };
        if self.is_local(first) || self.is_string(first) || is_parameter(first) {
            return;
        }
        let mut names = Vec::with_capacity(idents.len());
        for ident in idents {
            let Some(name) = self.name(ident) else { return };
            names.push(name);
        }
        let mut said = reach.said();
        if more {
            (said.place.field, said.place.bare) = (true, None);
        }
        if names.len() == 1 {
            let reach = Reach { place: said.place, ..reach };
            return self.identifier(first, scope, reach);
        }
        match self.qualified(scope, &names) {
            // A relation may be called like a column of its own, whose field this is then.
            Some((source, column)) if self.is_field(scope, source, &names, column) => {
                self.field(&names, scope, reach, said);
            }
            Some((source, column)) => {
                let resolution = names.get(column).map(|name| self.resolve_in(source, name.written()));
                if let Some(resolution) = resolution {
                    self.push_column(&names, column, resolution, said);
                }
            }
            None => self.field(&names, scope, reach, said),
        }
    }

    /// Whether a path cannot be of the source that it names, but of a column that is known.
    fn is_field(&self, scope: &Scope<'_>, source: &Source, names: &[Name], column: usize) -> bool {
        let (Some(first), Some(name)) = (names.first(), names.get(column)) else { return false };
        self.dialect.dots_reach_fields()
            && self.find(source.rows, name.written()).0.is_empty()
            && self
                .resolve(scope, first.written(), Aliases::Hidden)
                .is_some_and(|found| matches!(found.why, Why::OnlyKnown | Why::KnownAmongUnknown | Why::Merged))
    }

    /// A path whose first name is no source: a column and its fields.
    fn field(&mut self, names: &[Name], scope: &Scope<'_>, reach: Reach, said: Said) {
        let Some(first) = names.first() else { return };
        if self.variables.iter().any(|variable| variable.eq_ignore_ascii_case(&first.text)) {
            return;
        }
        let reaches = self.dialect.dots_reach_fields();
        let of = || self.given(scope, first).or_else(|| self.resolve(scope, first.written(), reach.aliases));
        let resolution = reaches.then(of).flatten();
        match resolution {
            Some(found) => {
                self.push_column(names, 0, found, said);
            }
            None => {
                let nothing = Resolution::new(Vec::new(), Confidence::Unknown, Why::NoSuchQualifier);
                self.push_column(names, names.len() - 1, nothing, said);
            }
        }
    }

    /// An expression with fields and subscripts after it: the names that lead it are a path, the rest is looked into.
    pub(super) fn access(&mut self, root: &Expr, chain: &[AccessExpr], scope: &Scope<'_>, reach: Reach) {
        let mut path: Vec<Ident> = match root {
            Expr::Identifier(ident) => vec![ident.clone()],
            Expr::CompoundIdentifier(idents) => idents.clone(),
            _ => Vec::new(),
        };
        let mut rest = chain;
        if path.is_empty() {
            self.expr(root, scope, reach.computed());
        }
        while let (false, Some((AccessExpr::Dot(Expr::Identifier(ident)), after))) =
            (path.is_empty(), rest.split_first())
        {
            path.push(ident.clone());
            rest = after;
        }
        // `schema.f(x).field` calls a function of a schema, but in DuckDB `x.f()` may call one on a column.
        let calls = matches!(rest.first(), Some(AccessExpr::Dot(Expr::Function(_)))) && self.dialect != Dialect::DuckDb;
        if !path.is_empty() && !calls {
            self.compound(&path, scope, reach.computed(), !rest.is_empty());
        }
        for access in rest {
            match access {
                AccessExpr::Dot(Expr::Identifier(_) | Expr::CompoundIdentifier(_)) => {}
                AccessExpr::Dot(other) => self.expr(other, scope, reach.computed()),
                AccessExpr::Subscript(Subscript::Index { index }) => self.expr(index, scope, reach.computed()),
                AccessExpr::Subscript(Subscript::Slice { lower_bound, upper_bound, stride }) => {
                    for bound in [lower_bound, upper_bound, stride].into_iter().flatten() {
                        self.expr(bound, scope, reach.computed());
                    }
                }
            }
        }
    }

    /// Identifiers of an object's name that the parser found in the place of an expression.
    pub(super) fn object_as_column(&mut self, name: &ObjectName, scope: &Scope<'_>, reach: Reach, more: bool) {
        let idents: Vec<Ident> = name.0.iter().filter_map(|part| part.as_ident().cloned()).collect();
        self.compound(&idents, scope, reach, more);
    }

    /// Whether a name is a string of the dialect: another one, which may have been parsed instead, has names in such quotes.
    fn is_string(&self, ident: &Ident) -> bool {
        let quote = ident.quote_style;
        quote == Some('\'') || quote == Some('"') && self.dialect.double_quotes_are_strings()
    }

    fn is_local(&self, ident: &Ident) -> bool {
        self.locals.iter().any(|local| self.dialect.same(written(ident), (local, false))) || self.is_bound(ident)
    }

    /// Whether a name is that of a value which an expression around it binds.
    fn is_bound(&self, ident: &Ident) -> bool {
        let mut same = self.marks.locals.iter().filter(|(_, name)| self.dialect.same(written(ident), (name, false)));
        let start = || self.token_of(ident).and_then(|at| self.tokens.get(at)).map(|token| token.start);
        same.any(|(range, _)| start().is_some_and(|start| range.contains(&start)))
    }

    fn is_variable(&self, ident: &Ident) -> bool {
        self.variables.iter().any(|variable| variable.eq_ignore_ascii_case(&ident.value))
    }
}

/// What the parser takes for a name and is none: parameters, and `default` in the place of a value.
fn is_parameter(ident: &Ident) -> bool {
    ident.quote_style.is_none()
        && (ident.value.starts_with(['@', ':', '$', '?']) || ident.value.eq_ignore_ascii_case("default"))
}
