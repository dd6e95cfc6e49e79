//! Stars of select lists: what they cover, what their lists leave out, and what they expand to.

use std::ops::Range;

use sqlparser::ast::{
    ExcludeSelectItem, Expr, FunctionArg, FunctionArgExpr, FunctionArguments, IdentWithAlias, ObjectNamePart,
    RenameSelectItem, WildcardAdditionalOptions,
};

use super::cut::Cut;
use super::dialect::Dialect;
use super::expr::Reach;
use super::function::is_any;
use super::reading::{Confidence, Feed, Name, Origin, Output, OutputKind, Place, Role, Star, Why};
use super::scope::{Aliases, Rows, Scope, Source};
use super::walk::{Resolution, Said, Walker, open};

impl Walker<'_> {
    pub(super) fn star(
        &mut self,
        qualifier: Option<Vec<Name>>,
        options: &WildcardAdditionalOptions,
        cut: Option<Cut>,
        scope: &mut Scope<'_>,
        block: usize,
        outputs: &mut Vec<Output>,
    ) {
        let item = cut.map_or(0..0, |(first, end)| self.span(first, end));
        let range = self.star_range(qualifier.as_deref(), cut, options);
        let source = match qualifier.as_deref() {
            Some(names) => {
                let found = self.source_named(scope, names).cloned();
                if found.is_none() {
                    self.star_of_field(names, scope, block, item, outputs);
                    return self.replaced(options, scope, block, outputs);
                }
                found
            }
            None => None,
        };
        let mut star = self.lists(options);
        star.range = range.clone();
        star.item = item;
        star.qualifier =
            qualifier.as_deref().and_then(|names| Some(names.first()?.range.start..names.last()?.range.end));
        star.query = block;
        star.statement = self.statement;
        let lists: Vec<Name> =
            star.except.iter().chain(&star.replace).chain(star.rename.iter().map(|(old, _)| old)).cloned().collect();
        self.reading.stars.push(star);
        self.expand(source.as_ref(), scope, block, &range, outputs);
        self.star_names(&lists, scope);
        self.replaced(options, scope, block, outputs);
    }

    /// `s.*` where `s` is no source: the fields of a column.
    fn star_of_field(
        &mut self,
        names: &[Name],
        scope: &Scope<'_>,
        block: usize,
        item: Range<usize>,
        outputs: &mut Vec<Output>,
    ) {
        let before = self.reading.columns.len();
        if names
            .first()
            .is_some_and(|name| self.locals.iter().any(|local| self.dialect.same(name.written(), (local, false))))
        {
            return outputs.push(open(Vec::new(), item));
        }
        let said = Said { role: Role::Select, place: Place { field: true, computed: true, ..Place::default() } };
        let resolution = match self.qualified(scope, names) {
            Some((source, column)) => names.get(column).map(|name| (self.resolve_in(source, name.written()), column)),
            None => names
                .first()
                .and_then(|name| self.resolve(scope, name.written(), Aliases::Hidden))
                .map(|found| (found, 0)),
        };
        let nothing =
            || (Resolution::new(Vec::new(), Confidence::Unknown, Why::NoSuchQualifier), names.len().saturating_sub(1));
        let (resolution, column) = resolution.unwrap_or_else(nothing);
        self.push_column(names, column, resolution, said);
        let feeds = self.feeds_since(before, self.scalars.len(), Some(block));
        outputs.push(open(feeds, item));
    }

    fn star_range(
        &self,
        qualifier: Option<&[Name]>,
        cut: Option<Cut>,
        options: &WildcardAdditionalOptions,
    ) -> Range<usize> {
        let star = self.lines.offset(options.wildcard_token.0.span.start).map(|offset| self.base + offset);
        let start = qualifier.and_then(|names| names.first()).map(|name| name.range.start).or(star);
        let cut = cut.map(|(first, end)| self.span(first, end));
        match (star.filter(|star| self.text.get(*star..).is_some_and(|rest| rest.starts_with('*'))), start, cut) {
            (Some(star), Some(start), _) => start..star + 1,
            (None, _, Some(cut)) => {
                let end =
                    self.text.get(cut.clone()).and_then(|text| text.find('*')).map_or(cut.end, |at| cut.start + at + 1);
                cut.start..end
            }
            _ => 0..0,
        }
    }

    fn lists(&mut self, options: &WildcardAdditionalOptions) -> Star {
        let mut except = Vec::new();
        if let Some(list) = &options.opt_except {
            except.extend(
                std::iter::once(&list.first_element)
                    .chain(&list.additional_elements)
                    .filter_map(|ident| self.name(ident)),
            );
        }
        if let Some(exclude) = &options.opt_exclude {
            except.extend(self.excluded(exclude));
        }
        let replace = options
            .opt_replace
            .iter()
            .flat_map(|list| &list.items)
            .filter_map(|item| self.name(&item.column_name))
            .collect();
        let pairs: Vec<&IdentWithAlias> = match &options.opt_rename {
            Some(RenameSelectItem::Single(pair)) => vec![pair],
            Some(RenameSelectItem::Multiple(pairs)) => pairs.iter().collect(),
            None => Vec::new(),
        };
        let rename =
            pairs.into_iter().filter_map(|pair| Some((self.name(&pair.ident)?, self.name(&pair.alias)?))).collect();
        let (from, queries) = (Vec::new(), Vec::new());
        Star {
            range: 0..0,
            item: 0..0,
            qualifier: None,
            from,
            queries,
            except,
            replace,
            rename,
            columns: None,
            query: 0,
            statement: 0,
        }
    }

    pub(super) fn excluded(&mut self, exclude: &ExcludeSelectItem) -> Vec<Name> {
        match exclude {
            ExcludeSelectItem::Single(ident) => self.name(ident).into_iter().collect(),
            ExcludeSelectItem::Multiple(idents) => idents.iter().filter_map(|ident| self.name(ident)).collect(),
        }
    }

    /// The names in the lists of a star are uses of columns.
    pub(super) fn star_names(&mut self, names: &[Name], scope: &Scope<'_>) {
        for name in names {
            let nothing = || Resolution::new(Vec::new(), Confidence::Unknown, Why::NoSource);
            let resolution = self.resolve(scope, name.written(), Aliases::Hidden).unwrap_or_else(nothing);
            self.push_column(
                std::slice::from_ref(name),
                0,
                resolution,
                Said { role: Role::Star, place: Place::default() },
            );
        }
    }

    /// `replace (expr as column)` makes an output in the place of the column.
    pub(super) fn replaced(
        &mut self,
        options: &WildcardAdditionalOptions,
        scope: &mut Scope<'_>,
        block: usize,
        outputs: &mut Vec<Output>,
    ) {
        for item in options.opt_replace.iter().flat_map(|list| &list.items) {
            let mut output = self.output(&item.expr, None, scope, block);
            if let Some(name) = self.name(&item.column_name) {
                output.name = Some(name.text);
                output.range = name.range.clone();
                output.alias = Some(name.range);
            }
            let same = outputs.iter().position(|other| match (other.written(), output.written()) {
                (Some(one), Some(other)) => self.dialect.same(one, other),
                _ => false,
            });
            match same.and_then(|at| outputs.get_mut(at)) {
                Some(place) => *place = output,
                None => self.finish(output, scope, outputs),
            }
        }
    }

    fn expand(
        &mut self,
        source: Option<&Source>,
        scope: &mut Scope<'_>,
        block: usize,
        range: &Range<usize>,
        outputs: &mut Vec<Output>,
    ) {
        let before = outputs.len();
        self.everything(scope, source, block, range, outputs);
        let new = outputs.get(before..).unwrap_or_default();
        let closed = new.iter().all(|output| !output.is_open());
        let columns = closed.then(|| new.iter().map(|output| output.name.clone().unwrap_or_default()).collect());
        if let Some(star) = self.reading.stars.last_mut() {
            star.columns = columns;
        }
    }

    /// The columns of one source, or of all, but for those that the last star leaves out.
    pub(super) fn everything(
        &mut self,
        scope: &Scope<'_>,
        source: Option<&Source>,
        block: usize,
        range: &Range<usize>,
        outputs: &mut Vec<Output>,
    ) {
        let star = self.reading.stars.iter().rposition(|star| star.query == block && star.range == *range);
        let first = outputs.len();
        // One table expression may be a source several times; a star before one of them is of that alone.
        let most = if source.is_some() { 1 } else { scope.sources.len() };
        let meant = scope.sources.iter().filter(|other| source.is_none_or(|source| source.rows == other.rows));
        for source in meant.take(most) {
            match source.rows {
                Rows::Relation(relation) => self.columns_of(relation, scope, star, range, first, outputs),
                Rows::Block(query) => self.outputs_of(query, scope, star, range, first, outputs),
            }
        }
    }

    /// Whether an expression is made of all columns that `columns (…)` chooses, once for each.
    pub(super) fn takes_columns(&self, expr: &Expr) -> bool {
        if !matches!(self.dialect, Dialect::DuckDb | Dialect::ClickHouse) {
            return false;
        }
        match expr {
            Expr::Function(function) => {
                let chooses =
                    |part: &ObjectNamePart| part.as_ident().is_some_and(|name| is_any(&name.value, &["columns"]));
                let of_argument = |argument: &FunctionArg| match argument {
                    FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => self.takes_columns(expr),
                    _ => false,
                };
                matches!(function.name.0.as_slice(), [only] if chooses(only))
                    || matches!(&function.args, FunctionArguments::List(list) if list.args.iter().any(of_argument))
            }
            Expr::BinaryOp { left, right, .. } => self.takes_columns(left) || self.takes_columns(right),
            Expr::Nested(inner) | Expr::Cast { expr: inner, .. } | Expr::UnaryOp { expr: inner, .. } => {
                self.takes_columns(inner)
            }
            _ => false,
        }
    }

    /// What such an expression makes: any column may be one of it, and which it is made of is said by a pattern, if at all.
    pub(super) fn of_columns(
        &mut self,
        expr: &Expr,
        range: Range<usize>,
        scope: &mut Scope<'_>,
        block: usize,
        outputs: &mut Vec<Output>,
    ) {
        let (before, scalars) = (self.reading.columns.len(), self.scalars.len());
        self.expr(expr, scope, Reach::new(Role::Select, Aliases::Hidden).computed());
        let mut feeds = self.feeds_since(before, scalars, Some(block));
        let mut all = Vec::new();
        self.everything(scope, None, block, &(0..0), &mut all);
        feeds.extend(all.into_iter().flat_map(|output| output.feeds));
        self.by_place(scope);
        outputs.push(open(feeds, range));
    }

    fn columns_of(
        &mut self,
        relation: usize,
        scope: &Scope<'_>,
        star: Option<usize>,
        range: &Range<usize>,
        first: usize,
        outputs: &mut Vec<Output>,
    ) {
        let origin = Origin::Relation(relation);
        self.covers(star, |star| star.from.push(origin));
        match self.known.get(relation).cloned().flatten() {
            Some(columns) => {
                for column in &*columns {
                    self.expanded(origin, column, false, scope, star, range, first, outputs);
                }
            }
            None => outputs.push(opened(origin, star, range)),
        }
    }

    fn outputs_of(
        &mut self,
        query: usize,
        scope: &Scope<'_>,
        star: Option<usize>,
        range: &Range<usize>,
        first: usize,
        outputs: &mut Vec<Output>,
    ) {
        self.covers(star, |star| star.queries.push(query));
        let columns = self.reading.queries.get(query).map(|block| block.outputs.clone()).unwrap_or_default();
        for (output, column) in columns.iter().enumerate() {
            let origin = Origin::Output { query, output };
            match &column.name {
                _ if column.is_open() => {
                    self.covers(star, |star| star.from.push(origin));
                    outputs.push(opened(origin, star, range));
                }
                name => self.expanded(
                    origin,
                    name.as_deref().unwrap_or_default(),
                    column.quoted,
                    scope,
                    star,
                    range,
                    first,
                    outputs,
                ),
            }
        }
    }

    fn covers(&mut self, star: Option<usize>, tell: impl FnOnce(&mut Star)) {
        if let Some(star) = star.and_then(|star| self.reading.stars.get_mut(star)) {
            tell(star);
        }
    }

    #[expect(clippy::too_many_arguments, reason = "one column of a star: where from, under which rules, where to")]
    fn expanded(
        &self,
        origin: Origin,
        column: &str,
        quoted: bool,
        scope: &Scope<'_>,
        star: Option<usize>,
        range: &Range<usize>,
        first: usize,
        outputs: &mut Vec<Output>,
    ) {
        let mut name = (column, quoted);
        if let Some(star) = star.and_then(|star| self.reading.stars.get(star)) {
            if star.except.iter().any(|left| self.dialect.is_column(left.written(), column)) {
                return;
            }
            if let Some((_, new)) = star.rename.iter().find(|(old, _)| self.dialect.is_column(old.written(), column)) {
                name = new.written();
            }
        }
        let merged =
            scope.natural || scope.merged.iter().any(|merged| self.dialect.is_column(merged.name.written(), column));
        let feed = Feed::Column(origin, column.into());
        if merged {
            let same = outputs
                .iter_mut()
                .skip(first)
                .find(|other| other.name.as_deref().is_some_and(|other| other.eq_ignore_ascii_case(name.0)));
            if let Some(same) = same {
                return same.feeds.push(feed);
            }
        }
        let text = (!name.0.is_empty()).then(|| name.0.into());
        outputs.push(Output {
            name: text,
            quoted: name.1,
            range: range.clone(),
            alias: None,
            kind: OutputKind::Copy,
            feeds: vec![feed],
        });
    }
}

fn opened(origin: Origin, star: Option<usize>, range: &Range<usize>) -> Output {
    let output = open(vec![Feed::All(origin)], range.clone());
    Output { kind: star.map_or(OutputKind::Open, OutputKind::Star), ..output }
}
